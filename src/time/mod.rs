//! Time: to sleep, to give up, to tick.
//!
//! Timers are kept in a [wheel](https://doi.org/10.1145/41457.37504) of ticks of one millisecond. A timer fires
//! at the first tick that begins at or after its deadline: never early, late by at most a tick plus the time
//! that the tasks before it take. Deadlines of the same tick fire in the order in which they were set.
//!
//! It uses the executor, whose timer wheel holds the deadlines, and `base`.

mod interval;
mod sleep;
mod timeout;

pub use crate::base::clock::Instant;
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Elapsed, Timeout, timeout, timeout_at};
