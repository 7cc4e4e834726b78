//! Listening sockets for the servers of all styles.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result};
use socket2::{Domain, Socket, Type};

/// How many connections may wait to be accepted.
///
/// The standard library and mio ask for 128. A thousand connections at once overflow that; the system then lets the
/// clients try again after a second, and a comparison would measure nothing but this second.
const QUEUE: i32 = 4096;

/// The next connection to a server on cotask. An error is not the end of a server: there may be no descriptor left just
/// now, and the listener waits a while before it asks again.
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
