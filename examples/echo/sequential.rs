//! One connection after the other: the second client waits until the first has gone.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use anyhow::Result;

use super::BUFFER;
use crate::common::accept_blocking;

pub(super) fn serve(listener: &TcpListener) -> Result<()> {
    loop {
        let (stream, _) = accept_blocking(listener);
        // A client that goes away in the middle is no concern of the next one.
        let _ = echo(stream);
    }
}

/// Serves one connection until the client closes it.
pub(super) fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; BUFFER];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => stream.write_all(&buffer[..read])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
