//! What a `TcpStream` and a `UnixStream` have: reading, writing, and two halves.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};

use crate::base::budget;
use crate::base::os;
use crate::executor::ready::Direction;

use super::socket::Socket;
use super::stream::{Stream, Transfer};
use super::tcp::TcpStream;
#[cfg(unix)]
use super::unix::UnixStream;

/// A kind of stream as the user has it: a `TcpStream` or a `UnixStream`.
pub trait Connection {
    type Source: Stream;

    fn socket(&self) -> &Socket<Self::Source>;
}

/// Implements the trait for a kind of stream, for a reference to one, or for a half of one.
macro_rules! async_read {
    ([$($generics:tt)*] $kind:ty, $stream:ident => $socket:expr) => {
        impl<$($generics)*> AsyncRead for $kind {
            fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut [u8]) -> Transfer {
                let $stream = self;
                $socket.poll_read(cx, to)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                to: &mut [IoSliceMut<'_>],
            ) -> Transfer {
                let $stream = self;
                $socket.poll_read_vectored(cx, to)
            }
        }
    };
}

macro_rules! async_write {
    ([$($generics:tt)*] $kind:ty, $stream:ident => $socket:expr) => {
        impl<$($generics)*> AsyncWrite for $kind {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Transfer {
                let $stream = self;
                $socket.poll_write(cx, bytes)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Transfer {
                let $stream = self;
                $socket.poll_write_vectored(cx, slices)
            }

            /// Nothing is buffered here, so there is nothing to flush.
            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                budget::poll_proceed(cx).map(Ok)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $stream = self;
                budget::poll_proceed(cx).map(|()| $socket.end())
            }
        }
    };
}

/// What a `TcpStream` and a `UnixStream` have.
macro_rules! stream {
    ($kind:ty, $source:ty) => {
        impl Connection for $kind {
            type Source = $source;

            fn socket(&self) -> &Socket<$source> {
                &self.0
            }
        }

        async_read!([] $kind, stream => stream.0);
        async_read!([] &$kind, stream => stream.0);
        async_write!([] $kind, stream => stream.0);
        async_write!([] &$kind, stream => stream.0);

        impl $kind {
            /// Reads what is there.
            ///
            /// # Errors
            /// `WouldBlock` when nothing is, and those of the system.
            ///
            /// # Examples
            /// ```
            /// # use cotask::net::{TcpListener, TcpStream};
            /// # cotask::block_on(async {
            /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// # let client = TcpStream::connect(listener.local_addr()?).await?;
            /// let nothing = client.try_read(&mut [0; 8]).unwrap_err();
            /// assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
                self.try_io(Direction::Read, || Stream::bytes(&self.0.io).read(buffer))
            }

            /// Writes what there is room for.
            ///
            /// # Errors
            /// `WouldBlock` when there is none, and those of the system.
            ///
            /// # Examples
            /// ```
            /// # use cotask::net::{TcpListener, TcpStream};
            /// # cotask::block_on(async {
            /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// # let client = TcpStream::connect(listener.local_addr()?).await?;
            /// client.writable().await;
            /// while client.try_write(&[0; 65_536]).is_ok() {}
            /// // Now its buffers are full.
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
                self.try_io(Direction::Write, || Stream::bytes(&self.0.io).write(bytes))
            }

            /// Ends one direction or both. The peer reads the end of the stream; so does a read here.
            ///
            /// # Errors
            /// Those of the system; `NotConnected` when the connection is gone.
            ///
            /// # Examples
            /// ```
            /// # use cotask::net::{TcpListener, TcpStream};
            /// # cotask::block_on(async {
            /// # use futures::AsyncReadExt;
            /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// # let client = TcpStream::connect(listener.local_addr()?).await?;
            /// # let (mut server, _) = listener.accept().await?;
            /// client.shutdown(std::net::Shutdown::Write)?;
            /// assert_eq!(server.read(&mut [0; 8]).await?, 0);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                Stream::shutdown(&self.0.io, how)
            }

            /// Two halves for two tasks. Dropping the writing half ends the writing direction; the connection is
            /// closed when both are gone.
            ///
            /// # Examples
            /// ```
            /// use cotask::net::{TcpListener, TcpStream};
            /// use futures::{AsyncReadExt, AsyncWriteExt};
            ///
            /// # cotask::block_on(async {
            /// let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// let client = TcpStream::connect(listener.local_addr()?).await?;
            /// let (mut server, _) = listener.accept().await?;
            ///
            /// let (mut reader, mut writer) = client.into_split();
            /// writer.write_all(b"last words").await?;
            /// drop(writer);
            /// let mut heard = Vec::new();
            /// server.read_to_end(&mut heard).await?;
            /// server.write_all(b"heard").await?;
            /// drop(server);
            /// let mut answer = String::new();
            /// reader.read_to_string(&mut answer).await?;
            /// assert_eq!((heard.as_slice(), answer.as_str()), (&b"last words"[..], "heard"));
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn into_split(self) -> (OwnedReadHalf<$kind>, OwnedWriteHalf<$kind>) {
                let stream = Rc::new(self);
                (OwnedReadHalf(Rc::clone(&stream)), OwnedWriteHalf(stream))
            }
        }
    };
}

stream!(TcpStream, os::TcpStream);
#[cfg(unix)]
stream!(UnixStream, os::UnixStream);

async_read!([S: Connection] OwnedReadHalf<S>, half => half.0.socket());
async_write!([S: Connection] OwnedWriteHalf<S>, half => half.0.socket());

/// The reading half of a connection: [`into_split`](super::TcpStream::into_split).
#[derive(Debug)]
pub struct OwnedReadHalf<S: Connection = TcpStream>(Rc<S>);

/// The writing half of a connection: [`into_split`](super::TcpStream::into_split). Dropping it ends the writing
/// direction.
#[derive(Debug)]
pub struct OwnedWriteHalf<S: Connection = TcpStream>(Rc<S>);

impl<S: Connection> Drop for OwnedWriteHalf<S> {
    fn drop(&mut self) {
        // The connection may be gone already.
        let _ = self.0.socket().end();
    }
}
