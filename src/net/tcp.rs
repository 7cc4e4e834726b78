//! TCP: connections, and what accepts them.

use std::io;
use std::net::SocketAddr;

use crate::base::os;
use crate::executor::ready::Direction;

use super::addr::{ToSocketAddrs, first_of};
use super::io::Io;
use super::listener::Listener;
use super::socket::Socket;

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
#[derive(Debug)]
pub struct TcpStream(pub(super) Socket<os::TcpStream>);

impl TcpStream {
    /// Connects to the first address that answers.
    ///
    /// Cancel safety: dropping this future abandons the attempt.
    ///
    /// # Errors
    /// Why the last address could not be reached, naming it: refused, unreachable, timed out.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// use cotask::net::TcpStream;
    ///
    /// # cotask::block_on(async {
    /// let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(taken.local_addr()?).await?;
    /// assert_eq!(stream.peer_addr()?, taken.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn connect(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
        first_of(address, "connect to", async |address| {
            let stream = TcpStream::watch(Io::<os::TcpStream>::connect(address)?)?;
            stream.connected().await?;
            Ok(stream)
        })
        .await
    }

    /// Registers a connection with the reactor of this thread.
    #[track_caller]
    pub(crate) fn watch(stream: Io<os::TcpStream>) -> io::Result<TcpStream> {
        Socket::watch(stream).map(TcpStream)
    }

    /// Writable is not connected: a refused connection is "writable" too, and says why only when asked.
    async fn connected(&self) -> io::Result<()> {
        loop {
            self.0.readiness.clear_ready(Direction::Write);
            self.0.ready(Direction::Write).await;
            if let Some(error) = self.0.io.take_error()? {
                return Err(error);
            }
            match self.0.io.peer_addr() {
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
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// let blocking = std::net::TcpStream::connect(address)?;
    /// let stream = cotask::net::TcpStream::from_std(blocking)?;
    /// assert_eq!(stream.peer_addr()?, address);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        stream.set_nonblocking(true)?;
        Socket::adopt(os::TcpStream::from_std(stream)).map(TcpStream)
    }

    /// Reads without taking: the next read returns the same bytes again. 0 is the end of the stream.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::{TcpListener, TcpStream};
    /// # cotask::block_on(async {
    /// # use futures::AsyncReadExt;
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// # let mut client = TcpStream::connect(listener.local_addr()?).await?;
    /// # let (server, _) = listener.accept().await?;
    /// server.try_write(b"x")?;
    /// let (mut first, mut again) = ([0], [0]);
    /// client.peek(&mut first).await?;
    /// client.read_exact(&mut again).await?;
    /// assert_eq!((first, again), ([b'x'], [b'x']));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.wait(Direction::Read, |stream| stream.peek(buffer)).await
    }

    /// Whether small writes go out at once, instead of being gathered while an answer is awaited.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::{TcpListener, TcpStream};
    /// # cotask::block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// # let client = TcpStream::connect(listener.local_addr()?).await?;
    /// assert!(!client.nodelay()?);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn nodelay(&self) -> io::Result<bool> {
        self.0.io.nodelay()
    }

    /// Sets whether small writes go out at once (`TCP_NODELAY`).
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::{TcpListener, TcpStream};
    /// # cotask::block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// # let client = TcpStream::connect(listener.local_addr()?).await?;
    /// client.set_nodelay(true)?;
    /// assert!(client.nodelay()?);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.0.io.set_nodelay(nodelay)
    }

    /// This end's address.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::{TcpListener, TcpStream};
    /// # cotask::block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// # let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (server, _) = listener.accept().await?;
    /// assert_eq!(client.local_addr()?, server.peer_addr()?);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.io.local_addr()
    }

    /// The other end's address.
    ///
    /// # Errors
    /// `NotConnected` when the connection is gone.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::{TcpListener, TcpStream};
    /// # cotask::block_on(async {
    /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// # let client = TcpStream::connect(listener.local_addr()?).await?;
    /// assert_eq!(client.peer_addr()?, listener.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.io.peer_addr()
    }
}

/// A TCP socket that accepts connections.
///
/// # Examples
/// ```
/// use cotask::net::{TcpListener, TcpStream};
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// # cotask::block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let mut client = TcpStream::connect(listener.local_addr()?).await?;
/// let (mut server, _address) = listener.accept().await?;
///
/// client.write_all(b"hello").await?;
/// let mut greeting = [0; 5];
/// server.read_exact(&mut greeting).await?;
/// assert_eq!(&greeting, b"hello");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct TcpListener(pub(crate) Listener<os::TcpListener>);

impl TcpListener {
    /// Listens at the first address that can be had. Port 0 lets the system choose one.
    ///
    /// # Errors
    /// When no address can be bound, naming the last one tried: in use, not of this machine, not permitted.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// use cotask::net::TcpListener;
    ///
    /// # cotask::block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let taken = TcpListener::bind(listener.local_addr()?).await.unwrap_err();
    /// assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        first_of(address, "listen at", async |address| Listener::new(Io::listen(address)?).map(TcpListener))
            .await
    }

    /// Takes over a listener of the standard library.
    ///
    /// # Errors
    /// When it cannot be made non-blocking or cannot be registered.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let listener = cotask::net::TcpListener::from_std(listener)?;
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        Listener::new(Io::Os(os::TcpListener::from_std(listener))).map(TcpListener)
    }
}
