//! What hyper asks of a runtime: bytes, tasks and time.
//!
//! hyper knows HTTP and nothing of sockets. It is handed a stream that it can read and write, and for HTTP/2 a way
//! to spawn, because one connection carries many requests at once. For its time-outs (a client that never ends its
//! headers) it asks for a timer. Of these, only the sleep that the timer returns must be `Send`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures::io::{AsyncRead, AsyncWrite};
use hyper::rt::{self, ReadBufCursor};

use super::here::Here;

/// A stream of `futures::io` as hyper reads and writes one.
#[derive(Debug)]
pub struct Io<S>(pub S);

/// The largest single read.
const SCRATCH: usize = 64 * 1024;

// ANCHOR: read
thread_local! {
    /// hyper lends uninitialised memory, and writing to it through a slice is unsafe. Reading into a slice of our own
    /// and copying is safe. One such slice serves every connection, because they are read in turn.
    static READ: std::cell::Cell<Vec<u8>> = const { std::cell::Cell::new(Vec::new()) };
}

impl<S: AsyncRead + Unpin> rt::Read for Io<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut to: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Taken out, not borrowed: the stream may itself read from another `Io`, which uses the slice as well.
        let mut scratch = READ.take();
        scratch.resize(SCRATCH, 0);
        let room = to.remaining().min(SCRATCH);
        let read = Pin::new(&mut self.0).poll_read(cx, &mut scratch[..room]);
        if let Poll::Ready(Ok(length)) = read {
            to.put_slice(&scratch[..length]);
        }
        READ.set(scratch);
        ready!(read)?;
        Poll::Ready(Ok(()))
    }
}
// ANCHOR_END: read

impl<S: AsyncWrite + Unpin> rt::Write for Io<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    /// Ends our side of the connection; the peer may still send.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

// ANCHOR: executor
/// Spawns hyper's tasks on the runtime of this thread. hyper leaves it to the executor whether a future must be
/// `Send`, so here it need not be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Executor;

impl<F: Future + 'static> rt::Executor<F> for Executor {
    fn execute(&self, future: F) {
        cotask::spawn_named("hyper", future);
    }
}
// ANCHOR_END: executor

// ANCHOR: timer
/// Sleeps on the runtime's timer wheel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer;

impl rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(Sleep(Here::new(cotask::time::sleep(duration))))
    }

    /// hyper uses the machine's instants, we use the runtime's: the time left is the same on both clocks.
    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep(deadline.saturating_duration_since(Instant::now()))
    }

    /// A connection that is kept alive resets its time-out for each request: no need for a new box each time.
    fn reset(&self, sleep: &mut Pin<Box<dyn rt::Sleep>>, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        match sleep.as_mut().downcast_mut_pin::<Sleep>() {
            Some(ours) => ours.get_mut().0.reset(cotask::time::Instant::now() + left),
            None => *sleep = self.sleep(left),
        }
    }
}
// ANCHOR_END: timer

// ANCHOR: sleep
/// The one thing that must be `Send` and `Sync`: hyper keeps it in a box whose type says so, on every runtime.
#[derive(Debug)]
struct Sleep(Here<cotask::time::Sleep>);

impl rt::Sleep for Sleep {}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}
// ANCHOR_END: sleep
