//! How long to wait before the next attempt.
//!
//! Each pause is drawn from the whole span between nothing and a bound that doubles: attempts that failed together do not
//! come back together. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 ("full jitter").

use std::time::Duration;

/// The pauses between attempts.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    bound: Duration,
    most: Duration,
}

impl Backoff {
    /// The first pause is at most `first`, and no later one is longer than `most`.
    pub(crate) fn new(first: Duration, most: Duration) -> Backoff {
        Backoff { bound: first.min(most), most }
    }

    /// The next pause, where `random` is any number: all of them, taken evenly, give all pauses evenly.
    pub(crate) fn pause(&mut self, random: u64) -> Duration {
        let span = self.bound.as_nanos();
        self.bound = (self.bound * 2).min(self.most);
        // Fits: it is no longer than a span that was a `Duration` of less than 584 years.
        Duration::from_nanos(((span * u128::from(random)) >> 64) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_drawn_from_a_span_that_doubles_up_to_its_bound() {
        let (first, most) = (Duration::from_millis(100), Duration::from_millis(350));
        let longest = |random| {
            let mut backoff = Backoff::new(first, most);
            [(); 4].map(|()| backoff.pause(random))
        };
        assert_eq!(longest(0), [Duration::ZERO; 4]);
        let spans = [100, 200, 350, 350].map(Duration::from_millis);
        assert_eq!(longest(u64::MAX).map(|pause| pause + Duration::from_nanos(1)), spans);
        assert_eq!(longest(1 << 63), spans.map(|span| span / 2));
    }
}
