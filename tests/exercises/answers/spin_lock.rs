//! The answers to `spin_lock`: the version that you began with, one that keeps the promise, and a model that tells them apart.
//!
//! A loop that waits says so: with `yield_now`, loom (and a busy scheduler) lets the other thread run. Here
//! nothing else was wrong.

use crate::exercises::spin_lock::{Lock, Mine, model};
use crate::model::{Exercise, Model, Mutant};
use crate::museum::shim::Arc;
use crate::museum::shim::atomic::AtomicU32;
use crate::museum::shim::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::museum::shim::thread;

// ANCHOR: starter
pub struct Starter {
    locked: AtomicBool,
}

impl Lock for Starter {
    fn new() -> Self {
        Starter { locked: AtomicBool::new(false) }
    }

    fn lock(&self) {
        while self.locked.compare_exchange(false, true, Acquire, Relaxed).is_err() {}
    }

    fn unlock(&self) {
        self.locked.store(false, Release);
    }
}
// ANCHOR_END: starter

// ANCHOR: solution
pub struct Solution {
    locked: AtomicBool,
}

impl Lock for Solution {
    fn new() -> Self {
        Solution { locked: AtomicBool::new(false) }
    }

    fn lock(&self) {
        while self.locked.compare_exchange(false, true, Acquire, Relaxed).is_err() {
            thread::yield_now();
        }
    }

    fn unlock(&self) {
        self.locked.store(false, Release);
    }
}
// ANCHOR_END: solution

// ANCHOR: model
pub fn check<L: Lock>() {
    let shared = Arc::new((L::new(), AtomicU32::new(0)));
    let add = |(lock, count): &(L, AtomicU32)| {
        lock.lock();
        count.store(count.load(Relaxed) + 1, Relaxed);
        lock.unlock();
    };
    let theirs = shared.clone();
    let adding = thread::spawn(move || add(&theirs));
    add(&shared);
    adding.join().unwrap();
    assert_eq!(shared.1.load(Relaxed), 2);
}
// ANCHOR_END: model

pub static EXERCISE: Exercise = Exercise {
    check: Model {
        name: "exercise_spin_lock",
        about: "a spin lock",
        invariants: &[],
        bound: None,
        body: check::<Solution>,
        mutants: &[Mutant::Body { name: "starter", body: check::<Starter> }],
    },
    hint: "Two threads that lock once each are enough. What does loom do with a loop that can go round forever while the other thread never runs? `no end` is a finding too.",
    stages: [model::<Starter>, model::<Solution>, model::<Mine>, check::<Mine>],
};
