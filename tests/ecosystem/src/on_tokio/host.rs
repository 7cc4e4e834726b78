//! tokio's current-thread scheduler as a host.

pub use hyper_util::rt::{TokioExecutor as Executor, TokioTimer as Timer};
pub use tokio::net::{TcpListener, TcpStream, UdpSocket};
pub use tokio::spawn;
pub use tokio::task::spawn_blocking;
pub use tokio::time::{sleep, timeout};

use std::sync::Arc;

use hyper_util::rt::TokioIo;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// What a spawned future has to be.
pub trait Spawnable: Send {}
impl<T: Send> Spawnable for T {}

/// Runs a future to its end on a runtime of its own.
///
/// # Panics
/// When the future does, and when the system cannot provide a runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("tokio has a runtime to give").block_on(future)
}

/// What hyper spawns with.
pub fn executor() -> Executor {
    Executor::new()
}

/// What hyper tells time with.
pub fn timer() -> Timer {
    Timer::new()
}

/// What quinn runs on: this one comes with it.
pub fn quic() -> Arc<dyn quinn::Runtime> {
    Arc::new(quinn::TokioRuntime)
}

/// A connection as hyper wants one.
pub fn hyper_io(stream: TcpStream) -> TokioIo<TcpStream> {
    TokioIo::new(stream)
}

/// On tokio everything is `Send` as it comes.
pub fn sendable<F: Future + Send>(future: F) -> F {
    future
}

/// A connection as guests of `futures::io` want one.
pub fn futures_io(stream: TcpStream) -> Compat<TcpStream> {
    stream.compat()
}

/// A connection as redis wants one: as it comes.
pub fn redis_io(stream: TcpStream) -> TcpStream {
    stream
}

/// A connection as tokio-postgres wants one: as it comes.
pub fn postgres_io(stream: TcpStream) -> TcpStream {
    stream
}

/// What lapin takes for a runtime.
pub fn async_rs_runtime() -> async_rs::TokioRuntime {
    async_rs::Runtime::tokio_current()
}
