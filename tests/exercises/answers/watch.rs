//! The answers to `watch`: the version that you began with, one that keeps the promise, and a model that tells them apart.
//!
//! A version is a promise about the value read with it. Read the version first, and the promise can only be too
//! modest.

use crate::exercises::watch::{Mine, Watch, model};
use crate::model::{Exercise, Model, Mutant};
use crate::museum::shim::atomic::{
    AtomicU32,
    Ordering::{Acquire, Release},
};
use crate::museum::shim::{Arc, thread};

// ANCHOR: starter
pub struct Starter {
    value: AtomicU32,
    version: AtomicU32,
}

impl Watch for Starter {
    fn new() -> Self {
        Starter { value: AtomicU32::new(0), version: AtomicU32::new(0) }
    }

    fn set(&self, value: u32) {
        self.value.store(value, Release);
        self.version.fetch_add(1, Release);
    }

    fn changed(&self, seen: &mut u32) -> Option<u32> {
        let value = self.value.load(Acquire);
        let version = self.version.load(Acquire);
        if version == *seen {
            return None;
        }
        *seen = version;
        Some(value)
    }
}
// ANCHOR_END: starter

// ANCHOR: solution
pub struct Solution {
    value: AtomicU32,
    version: AtomicU32,
}

impl Watch for Solution {
    fn new() -> Self {
        Solution { value: AtomicU32::new(0), version: AtomicU32::new(0) }
    }

    fn set(&self, value: u32) {
        self.value.store(value, Release);
        self.version.fetch_add(1, Release);
    }

    fn changed(&self, seen: &mut u32) -> Option<u32> {
        // The version first: the value may then be newer than it, but never older.
        let version = self.version.load(Acquire);
        let value = self.value.load(Acquire);
        if version == *seen {
            return None;
        }
        *seen = version;
        Some(value)
    }
}
// ANCHOR_END: solution

// ANCHOR: model
pub fn check<W: Watch>() {
    let watch = Arc::new(W::new());
    let theirs = watch.clone();
    let setting = thread::spawn(move || theirs.set(7));
    let (mut seen, mut last) = (0, None);
    last = watch.changed(&mut seen).or(last);
    setting.join().unwrap();
    last = watch.changed(&mut seen).or(last);
    assert_eq!(last, Some(7), "the last value was never seen");
    assert_eq!(watch.changed(&mut seen), None, "nothing has changed since");
}
// ANCHOR_END: model

pub static EXERCISE: Exercise = Exercise {
    check: Model {
        name: "exercise_watch",
        about: "the newest value, for all who watch",
        invariants: &[],
        bound: None,
        body: check::<Solution>,
        mutants: &[Mutant::Body { name: "starter", body: check::<Starter> }],
    },
    hint: "Look once while the value changes, and once after: the later look may say that nothing is new only if the earlier one had it.",
    stages: [model::<Starter>, model::<Solution>, model::<Mine>, check::<Mine>],
};
