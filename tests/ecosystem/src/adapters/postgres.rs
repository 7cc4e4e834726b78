//! What tokio-postgres asks of a runtime: bytes, through the traits of tokio, and nothing else.
//!
//! Despite its name it needs no tokio: without its feature `runtime` it opens no sockets and knows no timers. It is handed
//! a stream, and returns a client and a connection. The client only sends messages to the connection, which is
//! a future that the caller must run, in a task or anywhere else. No part of it need be `Send`.

use cotask::net::TcpStream;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

// ANCHOR: io
/// A connection as tokio-postgres reads and writes one.
pub fn postgres_io(stream: TcpStream) -> Compat<TcpStream> {
    stream.compat()
}
// ANCHOR_END: io
