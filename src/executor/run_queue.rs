//! The run queue: which of the runnable tasks comes next. One of the four ambient inputs of a run.

use std::collections::VecDeque;

use crate::base::key::TaskKey;
use crate::base::memory::{GiveBack, OF_ALL};
use crate::base::rng::Rng;

// ANCHOR: queue
/// The tasks that are runnable. The slab's `scheduled` flag keeps each in here at most once (invariant 1).
pub(crate) struct RunQueue {
    keys: VecDeque<TaskKey>,
    order: Order,
}

/// Which runnable task goes next.
pub(crate) enum Order {
    /// First come, first served: no task waits for more than one turn of each other one (invariant 7).
    Fifo,
    /// Any of them, drawn from a seed: to find out which orders a program can bear. Fair in probability.
    Seeded(Rng),
}

impl RunQueue {
    pub(crate) fn new(order: Order) -> RunQueue {
        RunQueue { keys: VecDeque::new(), order }
    }

    pub(crate) fn push(&mut self, key: TaskKey) {
        self.keys.push_back(key);
    }

    /// After a peak: gives memory back.
    pub(crate) fn give_back(&mut self) {
        self.keys.give_back(OF_ALL);
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<TaskKey> {
        match &mut self.order {
            Order::Fifo => self.keys.pop_front(),
            Order::Seeded(_) if self.keys.is_empty() => None,
            Order::Seeded(rng) => self.keys.swap_remove_front(rng.below(self.keys.len())),
        }
    }
}
// ANCHOR_END: queue

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_returns_each_key_once_in_its_order() {
        let keys: Vec<_> = (0..50).map(|slot| TaskKey::new(0, 0, slot)).collect();
        let drain = |order| {
            let mut queue = RunQueue::new(order);
            keys.iter().for_each(|&key| queue.push(key));
            let drained: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
            assert_eq!(queue.len(), 0);
            drained
        };
        assert_eq!(drain(Order::Fifo), keys);
        let seeded = |seed| drain(Order::Seeded(Rng::new(seed)));
        assert_eq!(seeded(3), seeded(3));
        assert_ne!(seeded(3), seeded(4));
        let mut sorted = seeded(3);
        assert_ne!(sorted, keys);
        sorted.sort();
        assert_eq!(sorted, keys);
    }
}
