//! A TCP connection.

use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;

use crate::reactor::Direction;

use super::ToSocketAddrs;
use super::addr::first_of;
use super::source::{Source, forward_read, forward_write, futures_io, traced};

/// A TCP connection.
///
/// [`AsyncRead`](futures::io::AsyncRead) and [`AsyncWrite`](futures::io::AsyncWrite) are implemented for it
/// and for `&TcpStream`, so that one task can read while another writes; see also
/// [`into_split`](TcpStream::into_split).
///
/// Cancel safety: a `read` or `write` that is dropped while it waits has transferred nothing. `read_exact` and
/// `write_all` may have transferred a part, and it is not told how much.
///
/// # Examples
/// ```
/// use cotask::net::{TcpListener, TcpStream};
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// # cotask::block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// cotask::spawn(async move {
///     let (stream, _) = listener.accept().await?;
///     futures::io::copy(&stream, &mut &stream).await
/// });
///
/// let mut stream = TcpStream::connect(address).await?;
/// stream.write_all(b"echo").await?;
/// stream.close().await?;
/// let mut answer = String::new();
/// stream.read_to_string(&mut answer).await?;
/// assert_eq!(answer, "echo");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub struct TcpStream {
    source: Source<mio::net::TcpStream>,
}

futures_io!(TcpStream);
traced!(TcpStream, source);

impl TcpStream {
    /// Connects to the first address that answers.
    ///
    /// Cancel safety: dropping this future gives the attempt up.
    ///
    /// # Errors
    /// Why the last address could not be reached, naming it: refused, unreachable, timed out.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn connect(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
        first_of(address, "connect to", async |address| {
            let stream = TcpStream::new(mio::net::TcpStream::connect(address)?)?;
            stream.connected().await?;
            Ok(stream)
        })
        .await
    }

    /// Writable is not connected: a refused connection is "writable" too, and says why only when asked.
    async fn connected(&self) -> io::Result<()> {
        loop {
            self.source.readiness().expect_event(Direction::Write);
            self.source.ready(Direction::Write).await;
            if let Some(error) = self.source.io().take_error()? {
                return Err(error);
            }
            match self.source.io().peer_addr() {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes over a connection of the standard library.
    ///
    /// # Errors
    /// When it cannot be made non-blocking or cannot be registered.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        stream.set_nonblocking(true)?;
        TcpStream::new(mio::net::TcpStream::from_std(stream))
    }

    pub(crate) fn new(stream: mio::net::TcpStream) -> io::Result<TcpStream> {
        Ok(TcpStream { source: Source::new(stream)? })
    }

    /// Reads without taking: the next read gives the same bytes again. 0 is the end of the stream.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.wait(Direction::Read, |stream| stream.peek(buffer)).await
    }

    /// Waits until a read would not block. It may do so all the same: then
    /// [`try_read`](TcpStream::try_read) says `WouldBlock`, and one waits again.
    pub async fn readable(&self) {
        self.source.ready(Direction::Read).await;
    }

    /// Waits until a write would not block.
    pub async fn writable(&self) {
        self.source.ready(Direction::Write).await;
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is, and those of the system.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.try_read(buffer)
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    /// `WouldBlock` when there is none, and those of the system.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.source.try_write(bytes)
    }

    /// Ends one direction or both. The peer reads the end of the stream; a read here gives it too.
    ///
    /// # Errors
    /// Those of the system; `NotConnected` when the connection is gone.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.source.io().shutdown(how)
    }

    /// Whether small writes go out at once, instead of being gathered while an answer is awaited.
    ///
    /// # Errors
    /// Those of the system.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.source.io().nodelay()
    }

    /// Says whether small writes shall go out at once (`TCP_NODELAY`).
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.source.io().set_nodelay(nodelay)
    }

    /// This end's address.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.io().local_addr()
    }

    /// The other end's address.
    ///
    /// # Errors
    /// `NotConnected` when the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.io().peer_addr()
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
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let stream = Rc::new(self);
        (OwnedReadHalf(Rc::clone(&stream)), OwnedWriteHalf(stream))
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for TcpStream {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.source.io().as_fd()
    }
}

/// The reading half of a connection: [`TcpStream::into_split`].
#[derive(Debug)]
pub struct OwnedReadHalf(Rc<TcpStream>);

/// The writing half of a connection: [`TcpStream::into_split`]. Dropping it ends the writing direction.
#[derive(Debug)]
pub struct OwnedWriteHalf(Rc<TcpStream>);

forward_read!(OwnedReadHalf, |half| &*half.0);
forward_write!(OwnedWriteHalf, |half| &*half.0);

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        // The connection may be gone already.
        let _ = self.0.shutdown(Shutdown::Write);
    }
}
