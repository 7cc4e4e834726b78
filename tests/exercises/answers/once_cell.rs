//! The answers to `once_cell`: the version that you began with, one that keeps the promise, and a model that tells them apart.
//!
//! Looking at the state and then claiming it is two steps. A compare-exchange is one, and only one caller wins
//! it.

use crate::exercises::once_cell::{Mine, Once, model};
use crate::model::{Exercise, Model, Mutant};
use crate::museum::shim::Arc;
use crate::museum::shim::atomic::{
    AtomicBool, AtomicU8, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::museum::shim::thread;

// ANCHOR: starter
pub struct Starter {
    full: AtomicBool,
    value: AtomicU32,
}

impl Once for Starter {
    fn new() -> Self {
        Starter { full: AtomicBool::new(false), value: AtomicU32::new(0) }
    }

    fn get(&self, value: u32) -> u32 {
        if !self.full.load(Acquire) {
            self.value.store(value, Relaxed);
            self.full.store(true, Release);
        }
        self.value.load(Relaxed)
    }
}
// ANCHOR_END: starter

// ANCHOR: solution
pub struct Solution {
    /// 0: empty, 1: a caller is filling it, 2: full.
    state: AtomicU8,
    value: AtomicU32,
}

impl Once for Solution {
    fn new() -> Self {
        Solution { state: AtomicU8::new(0), value: AtomicU32::new(0) }
    }

    fn get(&self, value: u32) -> u32 {
        if self.state.compare_exchange(0, 1, Acquire, Acquire).is_ok() {
            self.value.store(value, Relaxed);
            self.state.store(2, Release);
        }
        while self.state.load(Acquire) != 2 {
            thread::yield_now();
        }
        self.value.load(Relaxed)
    }
}
// ANCHOR_END: solution

// ANCHOR: model
pub fn check<O: Once>() {
    let cell = Arc::new(O::new());
    let theirs = cell.clone();
    let other = thread::spawn(move || theirs.get(1));
    let mine = cell.get(2);
    let other = other.join().unwrap();
    assert_eq!(mine, other, "two callers, two values");
    assert_eq!(cell.get(3), mine, "the value has changed");
}
// ANCHOR_END: model

pub static EXERCISE: Exercise = Exercise {
    check: Model {
        name: "exercise_once_cell",
        about: "a cell that is filled once",
        invariants: &[],
        bound: None,
        body: check::<Solution>,
        mutants: &[Mutant::Body { name: "starter", body: check::<Starter> }],
    },
    hint: "Let two threads bring a different value each, and compare what they get; then ask once more.",
    stages: [model::<Starter>, model::<Solution>, model::<Mine>, check::<Mine>],
};
