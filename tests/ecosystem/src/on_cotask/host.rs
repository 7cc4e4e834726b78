//! cotask as a host.

pub use cotask::net::{TcpListener, TcpStream, UdpSocket};
pub use cotask::time::{sleep, timeout};
pub use cotask::{block_on, spawn, spawn_blocking};

pub use crate::adapters::hyper::{Executor, Timer};
#[cfg(feature = "guests")]
pub use crate::adapters::postgres::postgres_io;
#[cfg(feature = "guests")]
pub use crate::adapters::redis::redis_io;

#[cfg(feature = "guests")]
use std::sync::Arc;

#[cfg(feature = "guests")]
use send_wrapper::SendWrapper;

use crate::adapters::hyper::Io;
#[cfg(feature = "guests")]
use crate::adapters::lapin::Kit;

/// What a spawned future has to be: nothing, since it stays on its thread.
pub trait Spawnable {}
impl<T> Spawnable for T {}

/// What hyper spawns with.
pub fn executor() -> Executor {
    Executor
}

/// What hyper tells time with.
pub fn timer() -> Timer {
    Timer
}

/// What quinn runs on.
#[cfg(feature = "guests")]
pub fn quic() -> Arc<dyn quinn::Runtime> {
    Arc::new(crate::adapters::quinn::Runtime)
}

/// A connection as hyper wants one.
pub fn hyper_io(stream: TcpStream) -> Io<TcpStream> {
    Io(stream)
}

/// For guests that ask that a future be `Send`, as axum does of its handlers: promises that it stays here.
#[cfg(feature = "guests")]
pub fn sendable<F: Future>(future: F) -> impl Future<Output = F::Output> + Send {
    SendWrapper::new(future)
}

/// A connection as guests of `futures::io` want one: as it comes.
pub fn futures_io(stream: TcpStream) -> TcpStream {
    stream
}

/// What lapin takes for a runtime.
#[cfg(feature = "guests")]
pub fn async_rs_runtime() -> async_rs::Runtime<Kit> {
    async_rs::Runtime::new(Kit::here())
}
