//! A UDP socket.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use crate::base::os;
use crate::executor::ready::Direction;

use super::addr::{ToSocketAddrs, first_of};
use super::error::naming;
use super::io::Io;
use super::socket::Socket;

/// A UDP socket: datagrams, each whole or not at all, in no certain order.
///
/// Cancel safety: a receive that is dropped while it waits has taken no datagram, a send has sent none.
///
/// # Examples
/// ```
/// use cotask::net::UdpSocket;
///
/// # cotask::block_on(async {
/// let here = UdpSocket::bind("127.0.0.1:0").await?;
/// let there = UdpSocket::bind("127.0.0.1:0").await?;
/// here.send_to(b"ping", there.local_addr()?).await?;
///
/// let mut buffer = [0; 16];
/// let (length, from) = there.recv_from(&mut buffer).await?;
/// assert_eq!((&buffer[..length], from), (&b"ping"[..], here.local_addr()?));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct UdpSocket(pub(super) Socket<os::UdpSocket>);

impl UdpSocket {
    /// A socket at the first address that can be had. Port 0 lets the system choose one.
    ///
    /// # Errors
    /// When no address can be bound, naming the last one tried.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let socket = cotask::net::UdpSocket::bind("127.0.0.1:0").await?;
    /// assert_ne!(socket.local_addr()?.port(), 0);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<UdpSocket> {
        first_of(address, "bind a UDP socket to", async |address| {
            Socket::watch(Io::bind(address)?).map(UdpSocket)
        })
        .await
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
    /// let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    /// let socket = cotask::net::UdpSocket::from_std(socket)?;
    /// assert!(socket.local_addr()?.ip().is_loopback());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        socket.set_nonblocking(true)?;
        Socket::adopt(os::UdpSocket::from_std(socket)).map(UdpSocket)
    }

    /// Sets the peer for [`send`](UdpSocket::send) and [`recv`](UdpSocket::recv).
    ///
    /// # Errors
    /// Those of the system, naming the address.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::UdpSocket;
    /// # cotask::block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// a.send(b"to b").await?;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn connect(&self, address: impl ToSocketAddrs) -> io::Result<()> {
        first_of(address, "connect a UDP socket to", async |address| self.0.io.connect(address)).await
    }

    /// Sends one datagram to the connected peer.
    ///
    /// # Errors
    /// Those of the system: there is no peer, or the datagram is too long. `ConnectionRefused` when the peer's host has
    /// refused an earlier datagram, because no socket is at that address; the next send or receive reports it, once.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::UdpSocket;
    /// # cotask::block_on(async {
    /// # let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// # let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.connect(b.local_addr()?).await?;
    /// assert_eq!(a.send(b"four").await?, 4);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.0.wait(Direction::Write, |socket| socket.send(datagram)).await
    }

    /// Receives one datagram from the connected peer. What does not fit into the buffer is lost.
    ///
    /// # Errors
    /// Those of the system; `ConnectionRefused` as [`send`](UdpSocket::send).
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::UdpSocket;
    /// # cotask::block_on(async {
    /// # let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// # let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// b.connect(a.local_addr()?).await?;
    /// a.send_to(b"four", b.local_addr()?).await?;
    /// assert_eq!(b.recv(&mut [0; 16]).await?, 4);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.wait(Direction::Read, |socket| socket.recv(buffer)).await
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// Those of the system, naming the address.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::UdpSocket;
    /// # cotask::block_on(async {
    /// # let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// # let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert_eq!(a.send_to(b"four", b.local_addr()?).await?, 4);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn send_to(&self, datagram: &[u8], to: impl ToSocketAddrs) -> io::Result<usize> {
        first_of(to, "send a datagram to", async |to| {
            self.0.wait(Direction::Write, |socket| socket.send_to(datagram, to)).await
        })
        .await
    }

    /// Receives one datagram and tells who sent it. What does not fit into the buffer is lost.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::UdpSocket;
    /// # cotask::block_on(async {
    /// # let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// # let b = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"four", b.local_addr()?).await?;
    /// assert_eq!(b.recv_from(&mut [0; 16]).await?, (4, a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.wait(Direction::Read, |socket| socket.recv_from(buffer)).await
    }

    /// [`send_to`](UdpSocket::send_to), to be polled by hand.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::UdpSocket;
    /// # cotask::block_on(async {
    /// # let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let to = a.local_addr()?;
    /// let sent = std::future::poll_fn(|cx| a.poll_send_to(cx, b"to myself", to)).await?;
    /// assert_eq!(sent, 9);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        datagram: &[u8],
        to: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let sent = self.0.poll(cx, Direction::Write, None, |socket| socket.send_to(datagram, to));
        sent.map_err(naming("send a datagram to", to))
    }

    /// [`recv_from`](UdpSocket::recv_from), to be polled by hand.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::UdpSocket;
    /// # cotask::block_on(async {
    /// # let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// let mut buffer = [0; 16];
    /// let nothing = std::future::poll_fn(|cx| std::task::Poll::Ready(a.poll_recv_from(cx, &mut buffer)));
    /// assert!(nothing.await.is_pending());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.0.poll(cx, Direction::Read, None, |socket| socket.recv_from(buffer))
    }

    /// Receives without taking: the next receive returns the same datagram again.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::UdpSocket;
    /// # cotask::block_on(async {
    /// # let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// a.send_to(b"four", a.local_addr()?).await?;
    /// let peeked = a.peek_from(&mut [0; 16]).await?;
    /// assert_eq!(a.recv_from(&mut [0; 16]).await?, peeked);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.wait(Direction::Read, |socket| socket.peek_from(buffer)).await
    }

    /// This socket's address.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::UdpSocket;
    /// # cotask::block_on(async {
    /// let a = UdpSocket::bind("127.0.0.1:0").await?;
    /// assert!(a.local_addr()?.ip().is_loopback());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.io.local_addr()
    }
}
