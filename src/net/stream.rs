//! Streams of bytes: the same for TCP and for Unix sockets.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};
use mio::event::Source;

use crate::budget;
use crate::reactor::Direction;

use super::io::Io;
use super::socket::Socket;

/// What is particular to a kind of stream.
pub trait Stream: Source + Sized {
    /// Whether a read that gave less than asked shows that there is no more.
    const SHORT_READ_DRAINS: bool;

    /// What reads and writes through a shared reference.
    fn bytes(io: &Io<Self>) -> impl Read + Write;
    fn shutdown(io: &Io<Self>, how: Shutdown) -> io::Result<()>;
}

impl Stream for mio::net::TcpStream {
    const SHORT_READ_DRAINS: bool = true;

    fn bytes(io: &Io<Self>) -> impl Read + Write {
        io
    }

    fn shutdown(io: &Io<Self>, how: Shutdown) -> io::Result<()> {
        io.shutdown(how)
    }
}

#[cfg(unix)]
impl Stream for mio::net::UnixStream {
    /// A read stops short after bytes with which the peer has passed descriptors, and no event reports that.
    const SHORT_READ_DRAINS: bool = false;

    fn bytes(io: &Io<Self>) -> impl Read + Write {
        io.os()
    }

    fn shutdown(io: &Io<Self>, how: Shutdown) -> io::Result<()> {
        io.os().shutdown(how)
    }
}

/// A kind of stream as the user has it: a `TcpStream` or a `UnixStream`.
pub trait Connection {
    type Source: Stream;

    fn socket(&self) -> &Socket<Self::Source>;
}

impl<S: Stream> Socket<S> {
    /// Nothing at all is the end of a stream, and that remains: it does not count as short.
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Transfer {
        let asked = buffer.len();
        let drained = |&n: &usize| S::SHORT_READ_DRAINS && 0 < n && n < asked;
        self.poll_io(cx, Direction::Read, |io| S::bytes(io).read(buffer), drained)
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Transfer {
        let drained = |&n: &usize| 0 < n && n < bytes.len();
        self.poll_io(cx, Direction::Write, |io| S::bytes(io).write(bytes), drained)
    }

    /// The system takes so many slices in one call (1,024 on Linux) and leaves the others: less than asked says
    /// nothing here, and in `poll_write_vectored` neither.
    fn poll_read_vectored(&self, cx: &mut Context<'_>, buffers: &mut [IoSliceMut<'_>]) -> Transfer {
        self.poll(cx, Direction::Read, None, |io| S::bytes(io).read_vectored(buffers))
    }

    fn poll_write_vectored(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Transfer {
        self.poll(cx, Direction::Write, None, |io| S::bytes(io).write_vectored(slices))
    }

    /// Ends the writing direction. That the peer is gone already is no error.
    fn end(&self) -> io::Result<()> {
        match S::shutdown(&self.io, Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }
}

/// How many bytes went over.
type Transfer = Poll<io::Result<usize>>;

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

stream!(super::TcpStream, mio::net::TcpStream);
#[cfg(unix)]
stream!(super::UnixStream, mio::net::UnixStream);

async_read!([S: Connection] OwnedReadHalf<S>, half => half.0.socket());
async_write!([S: Connection] OwnedWriteHalf<S>, half => half.0.socket());

/// The reading half of a connection: [`into_split`](super::TcpStream::into_split).
#[derive(Debug)]
pub struct OwnedReadHalf<S: Connection = super::TcpStream>(Rc<S>);

/// The writing half of a connection: [`into_split`](super::TcpStream::into_split). Dropping it ends the writing
/// direction.
#[derive(Debug)]
pub struct OwnedWriteHalf<S: Connection = super::TcpStream>(Rc<S>);

impl<S: Connection> Drop for OwnedWriteHalf<S> {
    fn drop(&mut self) {
        // The connection may be gone already.
        let _ = self.0.socket().end();
    }
}
