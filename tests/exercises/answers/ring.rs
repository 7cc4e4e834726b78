//! The answers to `ring`: the version that you began with, one that keeps the promise, and a model that tells them apart.
//!
//! The store that says "this slot is free" must come after the last read of it. It is a publication too, in the
//! other direction.

use crate::exercises::ring::{Mine, Ring, model};
use crate::model::{Exercise, Model, Mutant};
use crate::museum::shim::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::museum::shim::{Arc, thread};

// ANCHOR: starter
pub struct Starter {
    slots: [AtomicU32; 2],
    /// How many were popped, and how many pushed, since the beginning.
    popped: AtomicUsize,
    pushed: AtomicUsize,
}

impl Ring for Starter {
    fn new() -> Self {
        Starter {
            slots: [AtomicU32::new(0), AtomicU32::new(0)],
            popped: AtomicUsize::new(0),
            pushed: AtomicUsize::new(0),
        }
    }

    fn push(&self, number: u32) -> bool {
        let pushed = self.pushed.load(Relaxed);
        if pushed - self.popped.load(Acquire) == self.slots.len() {
            return false;
        }
        self.slots[pushed % 2].store(number, Relaxed);
        self.pushed.store(pushed + 1, Release);
        true
    }

    fn pop(&self) -> Option<u32> {
        let popped = self.popped.load(Relaxed);
        if popped == self.pushed.load(Acquire) {
            return None;
        }
        self.popped.store(popped + 1, Release);
        Some(self.slots[popped % 2].load(Relaxed))
    }
}
// ANCHOR_END: starter

// ANCHOR: solution
pub struct Solution {
    slots: [AtomicU32; 2],
    /// How many were popped, and how many pushed, since the beginning.
    popped: AtomicUsize,
    pushed: AtomicUsize,
}

impl Ring for Solution {
    fn new() -> Self {
        Solution {
            slots: [AtomicU32::new(0), AtomicU32::new(0)],
            popped: AtomicUsize::new(0),
            pushed: AtomicUsize::new(0),
        }
    }

    fn push(&self, number: u32) -> bool {
        let pushed = self.pushed.load(Relaxed);
        if pushed - self.popped.load(Acquire) == self.slots.len() {
            return false;
        }
        self.slots[pushed % 2].store(number, Relaxed);
        self.pushed.store(pushed + 1, Release);
        true
    }

    fn pop(&self) -> Option<u32> {
        let popped = self.popped.load(Relaxed);
        if popped == self.pushed.load(Acquire) {
            return None;
        }
        let number = self.slots[popped % 2].load(Relaxed);
        self.popped.store(popped + 1, Release);
        Some(number)
    }
}
// ANCHOR_END: solution

// ANCHOR: model
pub fn check<R: Ring>() {
    let ring = Arc::new(R::new());
    assert!(ring.push(1) && ring.push(2));
    let theirs = ring.clone();
    let pushing = thread::spawn(move || theirs.push(3));
    let mut popped: Vec<u32> = [ring.pop(), ring.pop()].into_iter().flatten().collect();
    let accepted = pushing.join().unwrap();
    popped.extend(std::iter::from_fn(|| ring.pop()));
    let expected: &[u32] = if accepted { &[1, 2, 3] } else { &[1, 2] };
    assert_eq!(popped, expected, "all of it, in order, unchanged");
}
// ANCHOR_END: model

pub static EXERCISE: Exercise = Exercise {
    check: Model {
        name: "exercise_ring",
        about: "a ring for one producer and one consumer",
        invariants: &[],
        bound: None,
        body: check::<Solution>,
        mutants: &[Mutant::Body { name: "starter", body: check::<Starter> }],
    },
    hint: "Let the ring be full before the threads meet: what is special about a push that comes just as room is made?",
    stages: [model::<Starter>, model::<Solution>, model::<Mine>, check::<Mine>],
};
