//! The answers to `semaphore`: the version that you began with, one that keeps the promise, and a model that tells them apart.
//!
//! An attempt that takes a permit first and returns it later is visible in between. Check, and take only what is
//! there, with a compare-exchange.

use crate::exercises::semaphore::{Mine, Permits, model};
use crate::model::{Exercise, Model, Mutant};
use crate::museum::shim::atomic::Ordering::Acquire;
use crate::museum::shim::atomic::{
    AtomicIsize,
    Ordering::{AcqRel, Release},
};
use crate::museum::shim::{Arc, thread};

// ANCHOR: starter
pub struct Starter {
    permits: AtomicIsize,
}

impl Permits for Starter {
    fn new() -> Self {
        Starter { permits: AtomicIsize::new(0) }
    }

    fn release(&self) {
        self.permits.fetch_add(1, Release);
    }

    fn try_acquire(&self) -> bool {
        if self.permits.fetch_sub(1, AcqRel) > 0 {
            return true;
        }
        // There was none: undo it.
        self.permits.fetch_add(1, Release);
        false
    }
}
// ANCHOR_END: starter

// ANCHOR: solution
pub struct Solution {
    permits: AtomicIsize,
}

impl Permits for Solution {
    fn new() -> Self {
        Solution { permits: AtomicIsize::new(0) }
    }

    fn release(&self) {
        self.permits.fetch_add(1, Release);
    }

    fn try_acquire(&self) -> bool {
        let mut permits = self.permits.load(Acquire);
        while permits > 0 {
            match self.permits.compare_exchange(permits, permits - 1, AcqRel, Acquire) {
                Ok(_) => return true,
                Err(now) => permits = now,
            }
        }
        false
    }
}
// ANCHOR_END: solution

// ANCHOR: model
pub fn check<P: Permits>() {
    let permits = Arc::new(P::new());
    let theirs = permits.clone();
    let trying = thread::spawn(move || theirs.try_acquire());
    permits.release();
    let mine = permits.try_acquire();
    let theirs = trying.join().unwrap();
    assert!(mine || theirs, "both were refused, and a permit was there");
    assert!(!(mine && theirs), "one permit, taken twice");
    assert!(!permits.try_acquire(), "it has been taken");
}
// ANCHOR_END: model

pub static EXERCISE: Exercise = Exercise {
    check: Model {
        name: "exercise_semaphore",
        about: "a semaphore that never waits",
        invariants: &[],
        bound: None,
        body: check::<Solution>,
        mutants: &[Mutant::Body { name: "starter", body: check::<Starter> }],
    },
    hint: "One permit comes while another thread tries in vain; then try yourself. Who must get it in the end?",
    stages: [model::<Starter>, model::<Solution>, model::<Mine>, check::<Mine>],
};
