//! The answers to `ref_count`: the version that you began with, one that keeps the promise, and a model that tells them apart.
//!
//! `Release` publishes what an owner did, and another must acquire it: the last owner needs `Acquire`, as a fence or
//! as `AcqRel`. std's `Arc` has that fence.

use crate::exercises::ref_count::{Counted, Mine, model};
use crate::model::{Exercise, Model, Mutant};
use crate::museum::shim::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{Relaxed, Release},
};
use crate::museum::shim::atomic::{Ordering::Acquire, fence};
use crate::museum::shim::{Arc, thread};

// ANCHOR: starter
pub struct Starter {
    gone: AtomicUsize,
    /// Plain memory, as it were: always `Relaxed`, leave it so.
    marks: [AtomicU32; 2],
}

impl Counted for Starter {
    fn new() -> Self {
        Starter { gone: AtomicUsize::new(0), marks: [AtomicU32::new(0), AtomicU32::new(0)] }
    }

    fn mark(&self, owner: usize) {
        self.marks[owner].store(1, Relaxed);
    }

    fn release(&self) -> Option<u32> {
        if self.gone.fetch_add(1, Release) + 1 < self.marks.len() {
            return None;
        }
        Some(self.marks.iter().map(|mark| mark.load(Relaxed)).sum())
    }
}
// ANCHOR_END: starter

// ANCHOR: solution
pub struct Solution {
    gone: AtomicUsize,
    /// Plain memory, as it were: always `Relaxed`, leave it so.
    marks: [AtomicU32; 2],
}

impl Counted for Solution {
    fn new() -> Self {
        Solution { gone: AtomicUsize::new(0), marks: [AtomicU32::new(0), AtomicU32::new(0)] }
    }

    fn mark(&self, owner: usize) {
        self.marks[owner].store(1, Relaxed);
    }

    fn release(&self) -> Option<u32> {
        if self.gone.fetch_add(1, Release) + 1 < self.marks.len() {
            return None;
        }
        fence(Acquire);
        Some(self.marks.iter().map(|mark| mark.load(Relaxed)).sum())
    }
}
// ANCHOR_END: solution

// ANCHOR: model
pub fn check<C: Counted>() {
    let counted = Arc::new(C::new());
    let theirs = counted.clone();
    let other = thread::spawn(move || {
        theirs.mark(1);
        theirs.release()
    });
    counted.mark(0);
    let last = [counted.release(), other.join().unwrap()];
    assert_eq!(last.into_iter().flatten().collect::<Vec<u32>>(), [2], "one is last, and sees both marks");
}
// ANCHOR_END: model

pub static EXERCISE: Exercise = Exercise {
    check: Model {
        name: "exercise_ref_count",
        about: "the last one turns off the light",
        invariants: &[],
        bound: None,
        body: check::<Solution>,
        mutants: &[Mutant::Body { name: "starter", body: check::<Starter> }],
    },
    hint: "Each owner marks and releases in its own thread; look at what the two releases say together.",
    stages: [model::<Starter>, model::<Solution>, model::<Mine>, check::<Mine>],
};
