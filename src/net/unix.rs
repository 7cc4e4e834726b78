//! Unix sockets: as TCP and UDP, but within one machine, and with paths for addresses.

use std::io;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use crate::base::budget;
use crate::base::os;
use crate::executor::ready::Direction;

use super::error::naming;
use super::io::Io;
use super::listener::Listener;
use super::socket::Socket;

/// A Unix socket that accepts connections. The path is not removed when it is dropped.
///
/// # Examples
/// ```
/// use cotask::net::{UnixListener, UnixStream};
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// # cotask::block_on(async {
/// let folder = std::env::temp_dir().join(format!("cotask-doc-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// let listener = UnixListener::bind(folder.join("socket"))?;
/// let mut client = UnixStream::connect(folder.join("socket")).await?;
/// let (mut server, _unnamed) = listener.accept().await?;
/// client.write_all(b"hi").await?;
/// let mut greeting = [0; 2];
/// server.read_exact(&mut greeting).await?;
/// # std::fs::remove_dir_all(&folder)?;
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct UnixListener(pub(super) Listener<os::UnixListener>);

impl UnixListener {
    /// Listens at a path, which must not exist.
    ///
    /// # Errors
    /// Those of the system, naming the path.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let path = std::env::temp_dir().join(format!("cotask-listen-{}", std::process::id()));
    /// let listener = cotask::net::UnixListener::bind(&path)?;
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(path.as_path()));
    /// std::fs::remove_file(path)?;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixListener> {
        let path = path.as_ref();
        let listener = Socket::of_the_system(|| os::UnixListener::bind(path)).and_then(Listener::new);
        listener.map(UnixListener).map_err(naming("listen at", path.display()))
    }
}

/// A connection within the machine. It is used as a [`TcpStream`](super::TcpStream) is.
///
/// # Examples
/// ```
/// use cotask::net::UnixStream;
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// # cotask::block_on(async {
/// let (mut here, mut there) = UnixStream::pair()?;
/// here.write_all(b"across").await?;
/// here.close().await?;
/// let mut heard = String::new();
/// there.read_to_string(&mut heard).await?;
/// assert_eq!(heard, "across");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct UnixStream(pub(super) Socket<os::UnixStream>);

impl UnixStream {
    /// Connects to a path.
    ///
    /// # Errors
    /// Those of the system, naming the path. `WouldBlock` when the listener's queue is full: a Unix socket
    /// does not wait there.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let error = cotask::net::UnixStream::connect("/nowhere").await.unwrap_err();
    /// assert!(error.to_string().contains("/nowhere"));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn connect(path: impl AsRef<Path>) -> io::Result<UnixStream> {
        budget::proceed().await;
        let path = path.as_ref();
        let connected = async {
            let stream = Socket::of_the_system(|| os::UnixStream::connect(path)).and_then(Socket::watch);
            let stream = UnixStream(stream?);
            stream.0.readiness.clear_ready(Direction::Write);
            stream.0.ready(Direction::Write).await;
            stream.0.io.os().take_error()?.map_or(Ok(stream), Err)
        };
        connected.await.map_err(naming("connect to", path.display()))
    }

    /// Two connected ends without a path.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let (a, b) = cotask::net::UnixStream::pair()?;
    /// a.try_write(b"x")?;
    /// b.readable().await;
    /// assert_eq!(b.try_read(&mut [0; 8])?, 1);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (a, b) = os::UnixStream::pair()?;
        let watch = |stream| Socket::watch(Io::Os(stream)).map(UnixStream);
        Ok((watch(a)?, watch(b)?))
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
    /// let (a, _b) = std::os::unix::net::UnixStream::pair()?;
    /// let a = cotask::net::UnixStream::from_std(a)?;
    /// assert_eq!(a.try_write(b"x")?, 1);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn from_std(stream: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
        stream.set_nonblocking(true)?;
        Socket::adopt(os::UnixStream::from_std(stream)).map(UnixStream)
    }
}

/// Datagrams within the machine.
///
/// # Examples
/// ```
/// # cotask::block_on(async {
/// let (here, there) = cotask::net::UnixDatagram::pair()?;
/// here.send(b"one").await?;
/// let mut buffer = [0; 8];
/// assert_eq!(there.recv(&mut buffer).await?, 3);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct UnixDatagram(pub(super) Socket<os::UnixDatagram>);

impl UnixDatagram {
    /// A socket at a path, which must not exist.
    ///
    /// # Errors
    /// Those of the system, naming the path.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let path = std::env::temp_dir().join(format!("cotask-bind-{}", std::process::id()));
    /// let here = cotask::net::UnixDatagram::bind(&path)?;
    /// here.try_send_to(b"to myself", &path)?;
    /// assert_eq!(here.recv(&mut [0; 16]).await?, 9);
    /// std::fs::remove_file(path)?;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixDatagram> {
        let path = path.as_ref();
        let socket = Socket::of_the_system(|| os::UnixDatagram::bind(path)).and_then(Socket::watch);
        let bound = socket.map(UnixDatagram);
        bound.map_err(naming("bind a datagram socket to", path.display()))
    }

    /// Two connected sockets without a path.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let (a, b) = cotask::net::UnixDatagram::pair()?;
    /// a.send(b"four").await?;
    /// assert_eq!(b.recv(&mut [0; 16]).await?, 4);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (a, b) = os::UnixDatagram::pair()?;
        let watch = |socket| Socket::watch(Io::Os(socket)).map(UnixDatagram);
        Ok((watch(a)?, watch(b)?))
    }

    /// Takes over a socket of the standard library.
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
    /// let (a, _b) = std::os::unix::net::UnixDatagram::pair()?;
    /// let a = cotask::net::UnixDatagram::from_std(a)?;
    /// assert_eq!(a.send(b"four").await?, 4);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn from_std(socket: std::os::unix::net::UnixDatagram) -> io::Result<UnixDatagram> {
        socket.set_nonblocking(true)?;
        Socket::adopt(os::UnixDatagram::from_std(socket)).map(UnixDatagram)
    }

    /// Sets the peer for [`send`](UnixDatagram::send).
    ///
    /// # Errors
    /// Those of the system, naming the path.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// # let path = std::env::temp_dir().join(format!("cotask-peer-{}", std::process::id()));
    /// let here = cotask::net::UnixDatagram::bind(&path)?;
    /// let (there, _) = cotask::net::UnixDatagram::pair()?;
    /// there.connect(&path)?;
    /// there.send(b"four").await?;
    /// assert_eq!(here.recv(&mut [0; 16]).await?, 4);
    /// # std::fs::remove_file(path)?;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        self.0.io.os().connect(path).map_err(naming("connect a datagram socket to", path.display()))
    }

    /// Sends one datagram to the connected peer.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let (a, _b) = cotask::net::UnixDatagram::pair()?;
    /// assert_eq!(a.send(b"four").await?, 4);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.0.wait(Direction::Write, |socket| socket.os().send(datagram)).await
    }

    /// Receives one datagram. What does not fit into the buffer is lost.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let (a, b) = cotask::net::UnixDatagram::pair()?;
    /// a.send(b"four").await?;
    /// assert_eq!(b.recv(&mut [0; 2]).await?, 2, "the other two are lost");
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.wait(Direction::Read, |socket| socket.os().recv(buffer)).await
    }

    /// Sends one datagram to the socket at a path. While that one's queue is full, this fails with `WouldBlock`:
    /// of a queue that it is not connected to, the system does not tell when there is room.
    ///
    /// # Errors
    /// Those of the system, naming the path.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let (a, _b) = cotask::net::UnixDatagram::pair()?;
    /// let error = a.try_send_to(b"hello?", "/nowhere").unwrap_err();
    /// assert!(error.to_string().contains("/nowhere"));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn try_send_to(&self, datagram: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        let path = path.as_ref();
        self.0.io.os().send_to(datagram, path).map_err(naming("send a datagram to", path.display()))
    }

    /// Receives one datagram and tells who sent it. What does not fit into the buffer is lost.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let (a, b) = cotask::net::UnixDatagram::pair()?;
    /// a.send(b"four").await?;
    /// let (length, from) = b.recv_from(&mut [0; 16]).await?;
    /// assert!(length == 4 && from.is_unnamed());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.wait(Direction::Read, |socket| socket.os().recv_from(buffer)).await
    }
}
