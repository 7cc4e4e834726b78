//! Listening sockets for the servers of all styles.

use std::io::ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use socket2::{Domain, Socket, Type};

/// How many connections may wait to be accepted.
///
/// The standard library and mio ask for 128. A thousand connections at once overflow that; the system then lets the
/// clients try again after a second, and a comparison would measure nothing but this second.
const QUEUE: i32 = 4096;

/// How long a server waits before it asks again after an error that would come again at once: there was no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

/// The next connection to a server that blocks, and its address. As in every style, an error does not end the server.
pub(crate) fn accept_blocking(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept() {
            Ok(accepted) => return accepted,
            Err(error) if matches!(error.kind(), ConnectionAborted | Interrupted) => {}
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// The next of the connections to a server of callbacks that wait now, or `None`. After an error, `again` says how long to
/// wait before the server asks again: edge-triggered polling does not report what waits already.
pub(crate) fn accept_ready(
    listener: &mio::net::TcpListener,
    again: &mut Option<Duration>,
) -> Option<mio::net::TcpStream> {
    *again = None;
    loop {
        match listener.accept() {
            Ok((stream, _)) => return Some(stream),
            Err(error) if matches!(error.kind(), ConnectionAborted | Interrupted) => {}
            Err(error) => {
                *again = (error.kind() != WouldBlock).then_some(PAUSE);
                return None;
            }
        }
    }
}

/// The next connection to a server on tokio.
pub(crate) async fn accept_on_tokio(listener: &tokio::net::TcpListener) -> tokio::net::TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if error.kind() == ConnectionAborted => {}
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The next connection to a server on cotask, whose listener itself waits before it asks again.
pub(crate) async fn accept(listener: &cotask::net::TcpListener) -> cotask::net::TcpStream {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            return stream;
        }
    }
}

/// A listener on cotask, as soon as the port can be had: a server that starts anew may have to wait for that.
pub(crate) async fn bind(address: &str) -> cotask::net::TcpListener {
    loop {
        match cotask::net::TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => cotask::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}

/// A listener on 127.0.0.1 with a long queue; port 0 lets the system choose.
///
/// # Errors
///
/// When the port cannot be had.
pub(crate) fn listen(port: u16) -> Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listen = || -> std::io::Result<TcpListener> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(QUEUE)?;
        Ok(socket.into())
    };
    listen().with_context(|| format!("cannot listen on {address}"))
}
