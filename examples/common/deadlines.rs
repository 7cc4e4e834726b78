//! Deadlines for a server of callbacks, all of which come equally long after they are set.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What happens to each `T` unless something else comes first. A deadline that was met in time stays until it comes, and the
/// server then finds that there is nothing to do.
pub(crate) struct Deadlines<T> {
    after: Duration,
    /// In order, because each is set after the one before and waits as long.
    set: VecDeque<(Instant, T)>,
}

impl<T> Deadlines<T> {
    /// Each comes `after` it was set.
    pub(crate) fn new(after: Duration) -> Deadlines<T> {
        Deadlines { after, set: VecDeque::new() }
    }

    /// Sets a deadline, and returns when it comes.
    pub(crate) fn set(&mut self, what: T) -> Instant {
        let at = Instant::now() + self.after;
        self.set.push_back((at, what));
        at
    }

    /// How long it is until the first one comes.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.set.front().map(|(at, _)| at.saturating_duration_since(Instant::now()))
    }

    /// Takes the first one, if it has come.
    pub(crate) fn next_due(&mut self) -> Option<(Instant, T)> {
        let (at, _) = self.set.front()?;
        if *at <= Instant::now() { self.set.pop_front() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_and_none_before_its_time() {
        let mut at_once = Deadlines::new(Duration::ZERO);
        assert_eq!(at_once.wait(), None);
        let set = ["first", "second"].map(|what| (at_once.set(what), what));
        assert_eq!(at_once.wait(), Some(Duration::ZERO));
        assert_eq!(std::array::from_fn(|_| at_once.next_due().unwrap()), set);
        assert_eq!(at_once.next_due(), None);

        let day = Duration::from_secs(86_400);
        let mut late = Deadlines::new(day);
        late.set("tomorrow");
        assert_eq!(late.next_due(), None);
        assert!(late.wait().is_some_and(|wait| wait > day / 2 && wait <= day));
    }
}
