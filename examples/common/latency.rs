//! Latencies, in microseconds, in an HDR histogram.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// A histogram of latencies from 1 µs to 10 minutes, exact to three digits.
///
/// The crate's own limit is none: for the sake of its buckets a histogram up to 600,000,000 also keeps 1,073,741,823. So
/// this clamps what goes in, and, since a bucket is known by its upper end, what comes out.
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
        let us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US).clamp(1, LONGEST_US);
        self.histogram.record(us).expect("it is within the bounds");
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
        let at = |quantile| self.histogram.value_at_quantile(quantile).min(LONGEST_US);
        (self.count() > 0).then(|| Percentiles {
            p50_us: at(0.50),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: at(1.0),
            count: self.count(),
        })
    }
}

/// What a histogram reports, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Percentiles {
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) p999_us: u64,
    pub(crate) max_us: u64,
    pub(crate) count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the documentation says; hdrhistogram itself keeps 1,073,741,823.
    #[test]
    fn a_latency_above_ten_minutes_counts_as_ten_minutes() {
        for seconds in [600, 601, 1_073, 1_074, u64::MAX] {
            let mut latencies = Latencies::new();
            latencies.record(Duration::from_secs(seconds));
            let Percentiles { p50_us, p99_us, p999_us, max_us, count } = latencies.percentiles().unwrap();
            assert_eq!([p50_us, p99_us, p999_us, max_us], [600_000_000; 4], "{seconds} s");
            assert_eq!(count, 1);
        }
    }

    #[test]
    fn a_latency_below_a_microsecond_counts_as_one() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.percentiles(), None);
        latencies.record(Duration::ZERO);
        assert_eq!(latencies.percentiles().map(|all| (all.p50_us, all.max_us)), Some((1, 1)));
    }
}
