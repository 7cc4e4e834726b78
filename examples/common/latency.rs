//! Latencies, in microseconds, in an HDR histogram.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// A histogram of latencies from 1 µs to 10 minutes, exact to three digits.
///
/// Record from the moment at which the work was *meant* to start, not from when it did: a stalled server delays
/// the requests behind the one it stalls on, and they must not be counted as quick ones (coordinated omission).
#[derive(Clone)]
pub(crate) struct Latencies {
    histogram: Histogram<u64>,
}

/// The longest latency that is kept apart; longer ones count as this.
const LONGEST_US: u64 = 600_000_000;

impl Latencies {
    pub(crate) fn new() -> Latencies {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds are constants");
        Latencies { histogram }
    }

    /// Adds one latency; below a microsecond counts as one.
    pub(crate) fn record(&mut self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US).max(1);
        self.histogram.saturating_record(us);
    }

    /// Adds all that `other` holds: a thread records for itself and is merged at the end.
    pub(crate) fn merge(&mut self, other: &Latencies) {
        self.histogram.add(&other.histogram).expect("both have the same bounds");
    }

    /// How many were recorded.
    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The percentiles that tables show; `None` where nothing was recorded.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        let at = |quantile| self.histogram.value_at_quantile(quantile);
        (self.count() > 0).then(|| Percentiles {
            p50_us: at(0.50),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: self.histogram.max(),
            count: self.count(),
        })
    }
}

/// What is told of a histogram, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Percentiles {
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) p999_us: u64,
    pub(crate) max_us: u64,
    pub(crate) count: u64,
}
