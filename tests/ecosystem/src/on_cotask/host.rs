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

/// What a spawned future must be: anything, because it stays on its thread.
pub trait Spawnable {}
impl<T> Spawnable for T {}

/// Returns the executor on which hyper spawns.
pub fn executor() -> Executor {
    Executor
}

/// Returns the timer for hyper.
pub fn timer() -> Timer {
    Timer
}

/// Returns the runtime for quinn.
#[cfg(feature = "guests")]
pub fn quic() -> Arc<dyn quinn::Runtime> {
    Arc::new(crate::adapters::quinn::Runtime)
}

/// Wraps a connection for hyper.
pub fn hyper_io(stream: TcpStream) -> Io<TcpStream> {
    Io(stream)
}

/// Makes a future `Send` for guests that require it, as axum does of its handlers: promises that it stays here.
#[cfg(feature = "guests")]
pub fn sendable<F: Future>(future: F) -> impl Future<Output = F::Output> + Send {
    SendWrapper::new(future)
}

/// Returns a connection for guests of `futures::io`: unchanged.
pub fn futures_io(stream: TcpStream) -> TcpStream {
    stream
}

/// Returns the runtime for lapin.
#[cfg(feature = "guests")]
pub fn async_rs_runtime() -> async_rs::Runtime<Kit> {
    async_rs::Runtime::new(Kit::here())
}
