//! The answers to `seq_lock`: the version that you began with, one that keeps the promise, and a model that tells them apart.
//!
//! An `Acquire` load keeps what comes *after* it from moving up. The second look at the version must keep the
//! reads *before* it from moving down: that is a fence.

use crate::exercises::seq_lock::{Mine, Pair, model};
use crate::model::{Exercise, Model, Mutant};
use crate::museum::shim::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use crate::museum::shim::{Arc, thread};

// ANCHOR: starter
pub struct Starter {
    /// Odd while a write is under way.
    version: AtomicUsize,
    /// Plain memory, as it were: always `Relaxed`, leave it so.
    pair: [AtomicU32; 2],
}

impl Pair for Starter {
    fn new() -> Self {
        Starter { version: AtomicUsize::new(0), pair: [AtomicU32::new(0), AtomicU32::new(0)] }
    }

    fn write(&self, left: u32, right: u32) {
        let version = self.version.load(Relaxed);
        self.version.store(version + 1, Relaxed);
        fence(Release);
        self.pair[0].store(left, Relaxed);
        self.pair[1].store(right, Relaxed);
        self.version.store(version + 2, Release);
    }

    fn try_read(&self) -> Option<(u32, u32)> {
        let before = self.version.load(Acquire);
        let pair = (self.pair[0].load(Relaxed), self.pair[1].load(Relaxed));
        let after = self.version.load(Acquire);
        (before == after && before.is_multiple_of(2)).then_some(pair)
    }
}
// ANCHOR_END: starter

// ANCHOR: solution
pub struct Solution {
    /// Odd while a write is under way.
    version: AtomicUsize,
    /// Plain memory, as it were: always `Relaxed`, leave it so.
    pair: [AtomicU32; 2],
}

impl Pair for Solution {
    fn new() -> Self {
        Solution { version: AtomicUsize::new(0), pair: [AtomicU32::new(0), AtomicU32::new(0)] }
    }

    fn write(&self, left: u32, right: u32) {
        let version = self.version.load(Relaxed);
        self.version.store(version + 1, Relaxed);
        fence(Release);
        self.pair[0].store(left, Relaxed);
        self.pair[1].store(right, Relaxed);
        self.version.store(version + 2, Release);
    }

    fn try_read(&self) -> Option<(u32, u32)> {
        let before = self.version.load(Acquire);
        let pair = (self.pair[0].load(Relaxed), self.pair[1].load(Relaxed));
        fence(Acquire);
        let after = self.version.load(Relaxed);
        (before == after && before.is_multiple_of(2)).then_some(pair)
    }
}
// ANCHOR_END: solution

// ANCHOR: model
pub fn check<P: Pair>() {
    let pair = Arc::new(P::new());
    let theirs = pair.clone();
    let writing = thread::spawn(move || theirs.write(1, 1));
    if let Some((left, right)) = pair.try_read() {
        assert_eq!(left, right, "half of one pair and half of the next");
    }
    writing.join().unwrap();
    assert_eq!(pair.try_read(), Some((1, 1)), "no thread writes, so a read succeeds");
}
// ANCHOR_END: model

pub static EXERCISE: Exercise = Exercise {
    check: Model {
        name: "exercise_seq_lock",
        about: "a pair that is read without a lock",
        invariants: &[],
        bound: None,
        body: check::<Solution>,
        mutants: &[Mutant::Body { name: "starter", body: check::<Starter> }],
    },
    hint: "One write, one read, and a pair whose halves are equal; do not forget a read when all is quiet.",
    stages: [model::<Starter>, model::<Solution>, model::<Mine>, check::<Mine>],
};
