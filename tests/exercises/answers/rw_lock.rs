//! The answers to `rw_lock`: the version that you began with, one that keeps the promise, and a model that tells them apart.
//!
//! Each side looked at the other's variable and then changed its own: both may pass. What excludes each other
//! belongs in one word.

use crate::exercises::rw_lock::{Mine, ReadWrite, model};
use crate::model::{Exercise, Model, Mutant};
use crate::museum::shim::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{AcqRel, Acquire, Release},
};
use crate::museum::shim::atomic::{AtomicU32, Ordering::Relaxed};
use crate::museum::shim::{Arc, thread};

// ANCHOR: starter
pub struct Starter {
    writing: AtomicBool,
    readers: AtomicUsize,
}

impl ReadWrite for Starter {
    fn new() -> Self {
        Starter { writing: AtomicBool::new(false), readers: AtomicUsize::new(0) }
    }

    fn try_read(&self) -> bool {
        if self.writing.load(Acquire) {
            return false;
        }
        self.readers.fetch_add(1, AcqRel);
        true
    }

    fn end_read(&self) {
        self.readers.fetch_sub(1, Release);
    }

    fn try_write(&self) -> bool {
        self.readers.load(Acquire) == 0 && !self.writing.swap(true, AcqRel)
    }

    fn end_write(&self) {
        self.writing.store(false, Release);
    }
}
// ANCHOR_END: starter

// ANCHOR: solution
/// One word, so that one compare-exchange decides: the number of readers, or `WRITER`.
pub struct Solution {
    inside: AtomicUsize,
}

const WRITER: usize = usize::MAX;

impl ReadWrite for Solution {
    fn new() -> Self {
        Solution { inside: AtomicUsize::new(0) }
    }

    fn try_read(&self) -> bool {
        let mut inside = self.inside.load(Acquire);
        while inside != WRITER {
            match self.inside.compare_exchange(inside, inside + 1, AcqRel, Acquire) {
                Ok(_) => return true,
                Err(now) => inside = now,
            }
        }
        false
    }

    fn end_read(&self) {
        self.inside.fetch_sub(1, Release);
    }

    fn try_write(&self) -> bool {
        self.inside.compare_exchange(0, WRITER, AcqRel, Acquire).is_ok()
    }

    fn end_write(&self) {
        self.inside.store(0, Release);
    }
}
// ANCHOR_END: solution

// ANCHOR: model
pub fn check<L: ReadWrite>() {
    // A writer leaves both numbers equal.
    let shared = Arc::new((L::new(), AtomicU32::new(0), AtomicU32::new(0)));
    let theirs = shared.clone();
    let writing = thread::spawn(move || {
        let (lock, left, right) = &*theirs;
        let inside = lock.try_write();
        if inside {
            left.store(1, Relaxed);
            right.store(1, Relaxed);
            lock.end_write();
        }
        inside
    });
    let (lock, left, right) = &*shared;
    let read = lock.try_read();
    if read {
        assert_eq!(left.load(Relaxed), right.load(Relaxed), "a reader inside together with a writer");
        lock.end_read();
    }
    let wrote = writing.join().unwrap();
    assert!(read || wrote, "both were refused, and there was no third thread");
    assert!(lock.try_write() && !lock.try_read() && !lock.try_write(), "a writer is inside alone");
    lock.end_write();
    assert!(lock.try_read() && lock.try_read(), "two readers may be inside");
    assert!(!lock.try_write());
}
// ANCHOR_END: model

pub static EXERCISE: Exercise = Exercise {
    check: Model {
        name: "exercise_rw_lock",
        about: "many readers or one writer",
        invariants: &[],
        bound: None,
        body: check::<Solution>,
        mutants: &[Mutant::Body { name: "starter", body: check::<Starter> }],
    },
    hint: "A writer that changes two numbers, and a reader that compares them; each has both attempts and endings.",
    stages: [model::<Starter>, model::<Solution>, model::<Mine>, check::<Mine>],
};
