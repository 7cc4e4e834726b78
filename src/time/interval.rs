//! A clock that ticks.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::base::clock::Instant;

use super::sleep::{Sleep, sleep_until};

/// Ticks at `period`, the first time at once.
///
/// # Panics
/// When the period is zero; outside of a runtime.
///
/// # Examples
/// ```
/// use cotask::time::{Instant, interval};
/// use std::time::Duration;
///
/// cotask::block_on(async {
///     let start = Instant::now();
///     let mut ticks = interval(Duration::from_millis(2));
///     for _ in 0..3 {
///         ticks.tick().await;
///     }
///     assert!(start.elapsed() >= Duration::from_millis(4));
/// });
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks at `period`, the first time at `start`.
///
/// # Panics
/// When the period is zero; outside of a runtime.
///
/// # Examples
/// ```
/// use cotask::time::{Instant, interval_at};
/// use std::time::Duration;
///
/// cotask::block_on(async {
///     let start = Instant::now() + Duration::from_millis(1);
///     assert_eq!(interval_at(start, Duration::from_secs(1)).tick().await, start);
/// });
/// ```
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval's period must not be zero");
    Interval { sleep: sleep_until(start), period, missed: MissedTickBehavior::default() }
}

/// A clock that ticks: [`interval`] and [`interval_at`].
#[derive(Debug)]
pub struct Interval {
    sleep: Sleep,
    period: Duration,
    missed: MissedTickBehavior,
}

/// What an [`Interval`] does when it was not asked in time for one or more ticks. One that is late by less than a
/// period has missed none, and keeps its pace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MissedTickBehavior {
    /// Gives the missed ticks one after the other without a wait, until it has caught up. The default: no tick
    /// is lost.
    #[default]
    Burst,
    /// Leaves the missed ticks out, and counts the period anew from the moment at which the late one was given.
    Delay,
    /// Leaves the missed ticks out, and goes on at the next multiple of the period from the start.
    Skip,
}

impl Interval {
    /// Sets what happens to missed ticks.
    ///
    /// # Examples
    /// ```
    /// use cotask::time::{MissedTickBehavior, interval};
    /// use std::time::Duration;
    ///
    /// cotask::block_on(async {
    ///     let mut heartbeat = interval(Duration::from_secs(1));
    ///     heartbeat.set_missed_tick_behavior(MissedTickBehavior::Skip);
    /// });
    /// ```
    pub fn set_missed_tick_behavior(&mut self, missed: MissedTickBehavior) {
        self.missed = missed;
    }

    /// The time between two ticks.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let second = std::time::Duration::from_secs(1);
    ///     assert_eq!(cotask::time::interval(second).period(), second);
    /// });
    /// ```
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Waits for the next tick and returns the moment for which it was set.
    ///
    /// Cancel safety: dropping this future loses no tick.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let mut ticks = cotask::time::interval(std::time::Duration::from_millis(1));
    ///     let first = ticks.tick().await; // at once
    ///     assert_eq!(ticks.tick().await - first, ticks.period());
    /// });
    /// ```
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// [`tick`](Interval::tick), to be polled by hand.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let mut ticks = cotask::time::interval(std::time::Duration::from_millis(1));
    ///     std::future::poll_fn(|cx| ticks.poll_tick(cx)).await;
    /// });
    /// ```
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(Pin::new(&mut self.sleep).poll(cx));
        let due = self.sleep.deadline();
        let now = self.sleep.now();
        let next = due + self.period;
        self.sleep.reset(match self.missed {
            _ if next > now => next,
            MissedTickBehavior::Burst => next,
            MissedTickBehavior::Delay => now + self.period,
            MissedTickBehavior::Skip => {
                let late = (now - due).as_nanos() % self.period.as_nanos();
                now + (self.period - Duration::from_nanos(late as u64))
            }
        });
        Poll::Ready(due)
    }
}
