//! The event loop's heartbeat, and how late it comes.

use std::time::{Duration, Instant};

use crate::common::Latencies;

/// Sixty times a second, as a screen is drawn.
pub(crate) const PERIOD: Duration = Duration::from_millis(16);

/// How late each tick was, measured from the moment at which it was due and not from when the loop got round to it.
pub(crate) struct Ticks {
    next: Instant,
    pub(crate) lateness: Latencies,
    /// Those that came when the next was already due.
    pub(crate) missed: u64,
}

impl Ticks {
    /// The first is due one period from now.
    pub(crate) fn start() -> Ticks {
        Ticks { next: Instant::now() + PERIOD, lateness: Latencies::new(), missed: 0 }
    }

    /// A tick, now. Every one that is due must be given, also when it is late.
    pub(crate) fn tick(&mut self) {
        let late = self.next.elapsed();
        self.lateness.record(late);
        self.missed += u64::from(late > PERIOD);
        self.next += PERIOD;
    }

    /// Whether one is due.
    pub(crate) fn is_due(&self) -> bool {
        self.next <= Instant::now()
    }

    /// The loop ends. What was due before and never came still counts.
    pub(crate) fn end(mut self) -> Ticks {
        while self.is_due() {
            self.tick();
        }
        self
    }
}
