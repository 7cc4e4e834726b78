//! What redis asks of a runtime: bytes, through the traits of tokio, and a place for its driver.
//!
//! The traits are tokio's, but nothing of tokio runs: they are traits like any other, and `compat` translates. A
//! multiplexed connection is a handle that each task clones and a future that does the work. redis would spawn that
//! future itself if it knew our runtime; it knows tokio and smol. With our stream, it hands the future over instead.
//!
//! It asks that the stream be `Send`, for the sake of runtimes that move tasks. That is all.
//!
//! The trap: its time-outs come from the runtimes that it knows. Left on, the first one starts a hidden thread of
//! smol's. So they are switched off, and the host's are used.

use cotask::net::TcpStream;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

use super::here::Here;

// ANCHOR: io
/// A connection as redis reads and writes one.
pub fn redis_io(stream: TcpStream) -> Compat<Here<TcpStream>> {
    Here::new(stream).compat()
}
// ANCHOR_END: io
