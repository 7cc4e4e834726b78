//! Time-outs: a future, and how much time it has.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project::pin_project;

use crate::base::budget;
use crate::base::clock::Instant;

use super::sleep::{Sleep, sleep, sleep_until};

/// Gives `future` that much time. With zero it is still polled once, and an output that is there is returned: a loop
/// over `timeout(Duration::ZERO, receiver.recv())` takes every value that the channel holds.
///
/// Whether it ends with an output or without, it counts as one operation of its task, as a receive or a read does: a
/// task that awaits time-outs in a loop gives way to the others.
///
/// Cancel safety: as that of `future`, which is dropped with the time-out.
///
/// # Errors
/// [`Elapsed`] when the time is up first. The future is then dropped with the [`Timeout`].
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use cotask::time::timeout;
/// use std::time::Duration;
///
/// cotask::block_on(async {
///     let never = std::future::pending::<()>();
///     assert!(timeout(Duration::from_millis(1), never).await.is_err());
///     assert_eq!(timeout(Duration::from_millis(1), async { 1 }).await, Ok(1));
/// });
/// ```
#[track_caller]
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    Timeout::new(future, sleep(duration))
}

/// As [`timeout`], with the moment instead of the time until then.
///
/// # Errors
/// [`Elapsed`] when the deadline comes first.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use cotask::time::{Instant, timeout_at};
///
/// cotask::block_on(async {
///     assert_eq!(timeout_at(Instant::FAR_FUTURE, async { 1 }).await, Ok(1));
/// });
/// ```
#[track_caller]
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout::new(future, sleep_until(deadline))
}

/// The future of [`timeout`] and [`timeout_at`].
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Timeout<F> {
    #[pin]
    future: F,
    #[pin]
    sleep: Sleep,
    /// The last poll ended because the budget was spent.
    gave_way: bool,
}

impl<F> Timeout<F> {
    fn new(future: F, sleep: Sleep) -> Timeout<F> {
        Timeout { future, sleep, gave_way: false }
    }
}

// ANCHOR: timeout
impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let gave_way = mem::take(this.gave_way);
        // A future that counts nothing is counted here, and so is a deadline that has passed: either may be awaited
        // in a loop, where it never has to wait.
        let refused = budget::poll_proceed(cx).is_pending();
        if refused && !gave_way {
            *this.gave_way = true;
            return Poll::Pending;
        }
        // The future first: an output that is there counts, even if the time is up, and even if a neighbour in this task
        // spends the budget in each poll.
        let polled = if refused {
            budget::with_one(|| this.future.poll(cx))
        } else {
            budget::refund();
            this.future.poll(cx)
        };
        if let Poll::Ready(output) = polled {
            budget::charge();
            return Poll::Ready(Ok(output));
        }
        // Without budget the future cannot say whether its output is there: it is polled again before the time
        // counts. But only once: a future that spends the whole budget in each poll must not put the end off.
        *this.gave_way = budget::spent();
        if *this.gave_way && !gave_way {
            return Poll::Pending;
        }
        let elapsed = budget::unspent(|| this.sleep.poll(cx));
        if elapsed.is_ready() {
            budget::charge();
        }
        elapsed.map(|()| Err(Elapsed(())))
    }
}
// ANCHOR_END: timeout

/// The time was up before the future was ready.
///
/// # Examples
/// ```
/// # cotask::block_on(async {
/// let late = cotask::time::timeout(std::time::Duration::ZERO, std::future::pending::<()>()).await;
/// assert_eq!(late.unwrap_err().to_string(), "the time was up before the future was ready");
/// # });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time was up before the future was ready")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for std::io::Error {
    fn from(elapsed: Elapsed) -> Self {
        std::io::Error::new(std::io::ErrorKind::TimedOut, elapsed)
    }
}
