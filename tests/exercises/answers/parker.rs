//! The answers to `parker`: the version that you began with, one that keeps the promise, and a model that tells them apart.
//!
//! A condition variable loses a notification that comes between the check and the wait, unless the notifying thread
//! passes through the lock in between.

use crate::exercises::parker::{Mine, Parker, model};
use crate::model::{Exercise, Model, Mutant};
use crate::museum::shim::atomic::{AtomicBool, Ordering::AcqRel};
use crate::museum::shim::{Arc, thread};
use crate::museum::shim::{Condvar, Mutex};

// ANCHOR: starter
pub struct Starter {
    token: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Parker for Starter {
    fn new() -> Self {
        Starter { token: AtomicBool::new(false), lock: Mutex::new(()), changed: Condvar::new() }
    }

    fn park(&self) {
        let mut guard = self.lock.lock().unwrap();
        while !self.token.swap(false, AcqRel) {
            guard = self.changed.wait(guard).unwrap();
        }
    }

    fn unpark(&self) {
        self.token.swap(true, AcqRel);
        self.changed.notify_one();
    }
}
// ANCHOR_END: starter

// ANCHOR: solution
pub struct Solution {
    token: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Parker for Solution {
    fn new() -> Self {
        Solution { token: AtomicBool::new(false), lock: Mutex::new(()), changed: Condvar::new() }
    }

    fn park(&self) {
        let mut guard = self.lock.lock().unwrap();
        while !self.token.swap(false, AcqRel) {
            guard = self.changed.wait(guard).unwrap();
        }
    }

    fn unpark(&self) {
        self.token.swap(true, AcqRel);
        // A thread that has checked the token and does not sleep yet holds the lock.
        drop(self.lock.lock().unwrap());
        self.changed.notify_one();
    }
}
// ANCHOR_END: solution

// ANCHOR: model
pub fn check<P: Parker>() {
    let parker = Arc::new(P::new());
    let theirs = parker.clone();
    let unparking = thread::spawn(move || theirs.unpark());
    parker.park();
    unparking.join().unwrap();
    // Both before: one token.
    parker.unpark();
    parker.park();
}
// ANCHOR_END: model

pub static EXERCISE: Exercise = Exercise {
    check: Model {
        name: "exercise_parker",
        about: "park and unpark",
        invariants: &[],
        bound: None,
        body: check::<Solution>,
        mutants: &[Mutant::Body { name: "starter", body: check::<Starter> }],
    },
    hint: "One thread parks, one unparks; loom says `deadlock` when no thread can go on.",
    stages: [model::<Starter>, model::<Solution>, model::<Mine>, check::<Mine>],
};
