//! Signals of the operating system as futures.
//!
//! A signal interrupts the program between any two instructions, where almost nothing may be done: no
//! allocation, no lock, no waker. So the handler (that of the [`signal-hook`] library) does the one safe thing,
//! and writes a byte into a socket; the other end of the socket is watched by the reactor like any other. That
//! is the *self-pipe trick*, by D. J. Bernstein.
//!
//! What [`ctrl_c`] and [`unix::signal`] return listens from the moment it is **made**: a signal that comes before
//! it is first polled is not lost. Once a signal has been listened for, its default action (mostly: the end of
//! the process) does not come back while the process lives, even when no listener is left.
//!
//! [`signal-hook`]: https://docs.rs/signal-hook

#[cfg(not(unix))]
use self::elsewhere as system;
#[cfg(unix)]
use self::unix as system;

#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
pub mod unix;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::FusedFuture;

use crate::base::budget;

/// Waits for Ctrl-C, on Unix the signal `SIGINT`. It listens from this call on, not from the first poll on.
///
/// Cancel safety: dropping the future unpolled or waiting loses nothing but what only it had heard.
///
/// # Errors
/// When it is awaited: that the system could not provide what is needed (two descriptors), or
/// [`Unsupported`](io::ErrorKind::Unsupported) on a platform without Unix signals.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```no_run
/// # cotask::block_on(async {
/// let stop = cotask::signal::ctrl_c();
/// println!("working; Ctrl-C ends it");
/// stop.await?;
/// println!("putting things away");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[track_caller]
pub fn ctrl_c() -> CtrlC {
    CtrlC { signal: Some(system::interrupts()) }
}

/// The future of [`ctrl_c`].
#[must_use = "futures do nothing unless awaited"]
pub struct CtrlC {
    /// None once it has given its result.
    signal: Option<io::Result<system::Signal>>,
}

impl Future for CtrlC {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = match self.signal.take().expect("`CtrlC` was polled after it had given its result") {
            Ok(mut signal) => match signal.poll_recv(cx) {
                Poll::Ready(result) => result,
                Poll::Pending => {
                    self.signal = Some(Ok(signal));
                    return Poll::Pending;
                }
            },
            // It comes at once, each time that a loop asks.
            Err(error) if budget::poll_proceed(cx).is_pending() => {
                self.signal = Some(Err(error));
                return Poll::Pending;
            }
            Err(error) => Err(error),
        };
        Poll::Ready(result)
    }
}

impl FusedFuture for CtrlC {
    fn is_terminated(&self) -> bool {
        self.signal.is_none()
    }
}

impl fmt::Debug for CtrlC {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtrlC").finish_non_exhaustive()
    }
}
