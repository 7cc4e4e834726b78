//! The clock: what "now" is, on a real machine and in a virtual run.

use std::cell::Cell;
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;

/// A moment on the monotonic clock of the runtime that runs this code, in nanoseconds.
///
/// `std::time::Instant` cannot be made to say anything but the machine's time; this one follows the runtime's
/// clock, which in a run with [virtual time](crate::Builder::virtual_time) jumps from deadline to deadline.
/// Instants of one clock compare and subtract; mixing those of two clocks is no error, but means nothing.
///
/// Arithmetic saturates: a deadline beyond the clock's range (584 years) is its end, and is never reached.
///
/// # Examples
/// ```
/// use cotask::time::Instant;
/// use std::time::Duration;
///
/// let start = Instant::now();
/// let later = start + Duration::from_secs(2);
/// assert_eq!(later - start, Duration::from_secs(2));
/// assert_eq!(start - later, Duration::ZERO);
/// assert_eq!(start + Duration::MAX, Instant::FAR_FUTURE);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    nanos: u64,
}

/// One tick of the timer wheel.
pub(crate) const TICK: Duration = Duration::from_millis(1);
const TICK_NANOS: u64 = TICK.as_nanos() as u64;

impl Instant {
    /// The end of the clock's range: what a deadline beyond it becomes.
    pub const FAR_FUTURE: Instant = Instant { nanos: u64::MAX };

    /// The machine's monotonic clock, counted from its first use in this process.
    pub(crate) fn real() -> Instant {
        static START: OnceLock<std::time::Instant> = OnceLock::new();
        Instant { nanos: START.get_or_init(std::time::Instant::now).elapsed().as_nanos() as u64 }
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        *self - earlier
    }

    /// The moment `duration` after this one, or `None` beyond the clock's range.
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        let nanos = u64::try_from(duration.as_nanos()).ok()?;
        self.nanos.checked_add(nanos).map(|nanos| Instant { nanos })
    }

    /// So long after the clock began.
    pub(crate) fn from_nanos(nanos: u64) -> Instant {
        Instant { nanos }
    }

    /// Nanoseconds since the clock began.
    pub(crate) fn nanos(self) -> u64 {
        self.nanos
    }

    // ANCHOR: ticks
    /// The last tick that has begun by this moment.
    pub(crate) fn tick_begun(self) -> u64 {
        self.nanos / TICK_NANOS
    }

    /// The first tick that begins at this moment or after it: a timer that waits for it never fires early
    /// (invariant 11). `None` when no such tick begins within the clock's range.
    pub(crate) fn tick_not_before(self) -> Option<u64> {
        let tick = self.nanos.div_ceil(TICK_NANOS);
        (tick <= Instant::FAR_FUTURE.tick_begun()).then_some(tick)
    }

    /// The moment at which a tick begins.
    pub(crate) fn of_tick(tick: u64) -> Instant {
        Instant { nanos: tick.saturating_mul(TICK_NANOS) }
    }
}
// ANCHOR_END: ticks

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        self.checked_add(duration).unwrap_or(Instant::FAR_FUTURE)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }
}

/// The time since the clock began.
impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Duration::from_nanos(self.nanos).fmt(f)
    }
}

// ANCHOR: clock
/// One of the four ambient inputs of a run.
#[derive(Clone)]
pub(crate) enum Clock {
    /// The machine's monotonic clock.
    Real,
    /// Stands still while anything can run, and jumps to the next deadline when nothing can. A simulation's
    /// network looks at it too.
    Virtual(Rc<Cell<Instant>>),
}

impl Clock {
    pub(crate) fn new_virtual() -> Clock {
        Clock::Virtual(Rc::new(Cell::new(Instant { nanos: 0 })))
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        match self {
            Clock::Real => Instant::real(),
            Clock::Virtual(now) => now.get(),
        }
    }
}
// ANCHOR_END: clock
