//! Sleeps, and the wheel that they wait in.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures::future::FusedFuture;

use crate::base::budget;
use crate::base::clock::Instant;
use crate::executor::Executor;
use crate::executor::current;
use crate::executor::wheel::TimerKey;
use crate::trace::Event;

/// Waits until `duration` has passed. Zero is over at once; what is beyond the clock's range never is.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use cotask::time::{Instant, sleep};
/// use std::time::Duration;
///
/// cotask::block_on(async {
///     let start = Instant::now();
///     sleep(Duration::from_millis(5)).await;
///     assert!(start.elapsed() >= Duration::from_millis(5));
/// });
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let executor = current::executor("`sleep`");
    let now = executor.now();
    Sleep::new(executor, now, now + duration)
}

/// Waits until `deadline`. One that is past is over at once.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use cotask::time::{Instant, sleep_until};
///
/// cotask::block_on(async {
///     sleep_until(Instant::now()).await;
/// });
/// ```
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    let executor = current::executor("`sleep_until`");
    let now = executor.now();
    Sleep::new(executor, now, deadline)
}

/// The future of [`sleep`] and [`sleep_until`]. Fused: once elapsed, it stays so until it is [reset](Sleep::reset).
///
/// Cancel safety: dropping it unsets the timer.
///
/// # Panics
/// A poll that has to wait panics outside of the runtime that the sleep was made in: the wait would never end.
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    executor: Rc<Executor>,
    deadline: Instant,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// Not polled yet, so no timer is set.
    Unset,
    Set(TimerKey),
    /// There is nothing left to wait for, and no poll has returned that yet.
    Over,
    Returned,
}

impl Sleep {
    fn new(executor: Rc<Executor>, now: Instant, deadline: Instant) -> Sleep {
        let state = if deadline <= now { State::Over } else { State::Unset };
        Sleep { executor, deadline, state }
    }

    /// Returns the moment at which it ends.
    ///
    /// # Examples
    /// ```
    /// use cotask::time::{Instant, sleep_until};
    ///
    /// cotask::block_on(async {
    ///     let soon = Instant::now();
    ///     assert_eq!(sleep_until(soon).deadline(), soon);
    /// });
    /// ```
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether a poll has found it elapsed, or would.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let mut sleep = cotask::time::sleep(std::time::Duration::from_millis(1));
    ///     assert!(!sleep.is_elapsed());
    ///     (&mut sleep).await;
    ///     assert!(sleep.is_elapsed());
    /// });
    /// ```
    pub fn is_elapsed(&self) -> bool {
        match self.state {
            State::Over | State::Returned => true,
            State::Unset => self.executor.now() >= self.deadline,
            State::Set(key) => !self.executor.timers.borrow().is_set(key) && self.is_past(),
        }
    }

    /// Waits for another deadline instead, sooner or later than the one before. A task that awaits it must be
    /// polled again to wait for the new one.
    ///
    /// # Examples
    /// ```
    /// use cotask::time::{Instant, sleep};
    /// use std::time::Duration;
    ///
    /// cotask::block_on(async {
    ///     let mut nap = sleep(Duration::from_secs(3_600));
    ///     nap.reset(Instant::now() + Duration::from_millis(1));
    ///     nap.await;
    /// });
    /// ```
    pub fn reset(&mut self, deadline: Instant) {
        self.unset();
        self.deadline = deadline;
        self.state = if deadline <= self.executor.now() { State::Over } else { State::Unset };
    }

    /// The time on the clock of this sleep's runtime.
    pub(super) fn now(&self) -> Instant {
        self.executor.now()
    }

    // ANCHOR: waiting
    /// Whether a timer that was set and is not set any more has fired. The one way not to is that a simulated
    /// host's clock was changed meanwhile.
    fn is_past(&self) -> bool {
        self.executor.driver.simulator().is_none() || self.executor.now() >= self.deadline
    }

    /// Sets the timer, or replaces its waker with the newer one. False when there is nothing left to wait for.
    ///
    /// Wakers are cloned and dropped while the wheel is not borrowed, since both may be foreign code.
    fn is_waiting(&mut self, waker: &Waker) -> bool {
        match self.state {
            State::Over | State::Returned => false,
            State::Unset => {
                let deadline = self.executor.driver.machine_time(self.deadline);
                let Some(tick) = deadline.tick_not_before() else { return true };
                let waker = waker.clone();
                let set = self.executor.timers.borrow_mut().insert(tick, waker);
                self.state = set.map_or(State::Over, State::Set);
                if let State::Set(key) = self.state {
                    self.executor.record(|recorder| {
                        let (timer, by) = (key.resource(), recorder.actor());
                        recorder.push(Event::TimerSet { timer, by, deadline });
                    });
                }
                matches!(self.state, State::Set(_))
            }
            State::Set(key) => {
                let waker = waker.clone();
                let replaced = self.executor.timers.borrow_mut().replace_waker(key, waker);
                match replaced {
                    Ok(_older) => true,
                    Err(_) if self.is_past() => false,
                    Err(waker) => {
                        self.state = State::Unset;
                        self.is_waiting(&waker)
                    }
                }
            }
        }
    }
    // ANCHOR_END: waiting

    // ANCHOR: unset
    fn unset(&mut self) {
        if let State::Set(key) = self.state {
            let waker = self.executor.timers.borrow_mut().cancel(key);
            if waker.is_some() {
                self.executor.record(|recorder| {
                    recorder.push(Event::TimerCancelled { timer: key.resource(), by: recorder.actor() });
                });
            }
            drop(waker);
            self.state = State::Unset;
        }
    }
}
// ANCHOR_END: unset

// ANCHOR: poll
impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(budget::poll_proceed(cx));
        if self.is_waiting(cx.waker()) {
            budget::refund();
            assert!(
                current::is(|here| Rc::ptr_eq(here, &self.executor)),
                "a sleep was awaited outside of the runtime that it was made in, which alone can end it: await it \
                 inside that runtime's `block_on`, or in a task spawned there"
            );
            return Poll::Pending;
        }
        self.state = State::Returned;
        Poll::Ready(())
    }
}

/// So `futures::select!` takes a sleep as it is, and passes over one that has ended until it is [reset](Sleep::reset).
impl FusedFuture for Sleep {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Returned)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.unset();
    }
}
// ANCHOR_END: poll

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline)
            .field("is_elapsed", &self.is_elapsed())
            .finish()
    }
}
