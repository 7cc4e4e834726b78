//! A TCP socket that accepts connections.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;

use super::ToSocketAddrs;
use super::accept::Listener;
use super::addr::first_of;
use super::source::{naming, traced};
use super::tcp_stream::TcpStream;

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
pub struct TcpListener {
    listener: Listener<mio::net::TcpListener>,
}

traced!(TcpListener, listener);

impl TcpListener {
    /// Listens at the first address that can be had. Port 0 lets the system choose one.
    ///
    /// # Errors
    /// When no address can be bound, naming the last one tried: in use, not of this machine, not permitted.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        first_of(address, "listen at", async |address| {
            TcpListener::new(mio::net::TcpListener::bind(address)?)
        })
        .await
    }

    /// Takes over a listener of the standard library.
    ///
    /// # Errors
    /// When it cannot be made non-blocking or cannot be registered.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        TcpListener::new(mio::net::TcpListener::from_std(listener))
    }

    fn new(listener: mio::net::TcpListener) -> io::Result<TcpListener> {
        Ok(TcpListener { listener: Listener::new(listener)? })
    }

    /// Waits for a connection. A connection that was gone before it was accepted is passed over.
    ///
    /// After any other error, mostly that the system has no descriptor or no memory left, the *next* call waits
    /// 50 ms before it asks again: a server that logs the error and goes on accepting neither spins nor stays
    /// deaf, and the connection that met the error is served then.
    ///
    /// Cancel safety: dropping this future loses no connection.
    ///
    /// # Errors
    /// Those of the system, naming the listener's address. None need be the listener's end: Linux also hands
    /// out here what the network has done to the connection.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// [`accept`](TcpListener::accept), to be polled by hand.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let (stream, address) = ready!(self.poll_accept_raw(cx))?;
        let stream = TcpStream::new(stream).inspect_err(|_| self.listener.back_off());
        Poll::Ready(self.naming(stream).map(|stream| (stream, address)))
    }

    /// The connection not yet registered with a reactor, so that another runtime can take it.
    pub(crate) fn poll_accept_raw(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(mio::net::TcpStream, SocketAddr)>> {
        self.listener.poll_accept(cx, |listener| listener.accept()).map(|accepted| self.naming(accepted))
    }

    /// Names the address in an error.
    fn naming<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| match self.local_addr() {
            Ok(address) => naming("accept at", address)(error),
            Err(_) => error,
        })
    }

    /// The connections as a stream, which never ends by itself.
    ///
    /// # Examples
    /// ```
    /// use cotask::net::{TcpListener, TcpStream};
    /// use futures::StreamExt;
    ///
    /// # cotask::block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let _client = TcpStream::connect(listener.local_addr()?).await?;
    /// let first = listener.incoming().next().await.unwrap()?;
    /// assert!(first.peer_addr()?.ip().is_loopback());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// The address it listens at.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.io().local_addr()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.listener.fmt(f)
    }
}

/// The connections that a listener accepts: [`TcpListener::incoming`].
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.listener.poll_accept(cx).map(|accepted| Some(accepted.map(|(stream, _)| stream)))
    }
}
