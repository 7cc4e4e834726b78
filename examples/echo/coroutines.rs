//! A task for each connection, on one thread.

use anyhow::Result;
use cotask::net::{TcpListener, TcpStream};
use futures::{AsyncReadExt, AsyncWriteExt};

use super::BUFFER;
use crate::common::{accept, block_on};

pub(super) fn serve(listener: std::net::TcpListener) -> Result<()> {
    block_on(async { serve_all(TcpListener::from_std(listener)?).await })
}

/// Serves for as long as it is polled.
pub(super) async fn serve_all(listener: TcpListener) -> Result<()> {
    loop {
        cotask::spawn(echo(accept(&listener).await));
    }
}

/// Serves one connection until the client closes it.
async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; BUFFER];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => stream.write_all(&buffer[..read]).await?,
        }
    }
}
