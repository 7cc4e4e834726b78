//! tokio's current-thread scheduler as a host.

pub use hyper_util::rt::{TokioExecutor as Executor, TokioTimer as Timer};
pub use tokio::net::{TcpListener, TcpStream, UdpSocket};
pub use tokio::spawn;
pub use tokio::task::spawn_blocking;
pub use tokio::time::{sleep, timeout};

use std::sync::Arc;

use hyper_util::rt::TokioIo;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// What a spawned future must be.
pub trait Spawnable: Send {}
impl<T: Send> Spawnable for T {}

/// Runs a future to its end on a runtime of its own.
///
/// # Panics
/// When the future panics, or the system cannot provide a runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("tokio has a runtime to give").block_on(future)
}

/// Returns the executor on which hyper spawns.
pub fn executor() -> Executor {
    Executor::new()
}

/// Returns the timer for hyper.
pub fn timer() -> Timer {
    Timer::new()
}

/// Returns the runtime for quinn, which brings this one itself.
pub fn quic() -> Arc<dyn quinn::Runtime> {
    Arc::new(quinn::TokioRuntime)
}

/// Wraps a connection for hyper.
pub fn hyper_io(stream: TcpStream) -> TokioIo<TcpStream> {
    TokioIo::new(stream)
}

/// Returns the future unchanged: on tokio every future is `Send` already.
pub fn sendable<F: Future + Send>(future: F) -> F {
    future
}

/// Wraps a connection for guests of `futures::io`.
pub fn futures_io(stream: TcpStream) -> Compat<TcpStream> {
    stream.compat()
}

/// Returns a connection for redis: unchanged.
pub fn redis_io(stream: TcpStream) -> TcpStream {
    stream
}

/// Returns a connection for tokio-postgres: unchanged.
pub fn postgres_io(stream: TcpStream) -> TcpStream {
    stream
}

/// Returns the runtime for lapin.
pub fn async_rs_runtime() -> async_rs::TokioRuntime {
    async_rs::Runtime::tokio_current()
}
