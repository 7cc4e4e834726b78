//! # One task, pushed twice
//!
//! **What happened.** A task is woken from two threads at once. Each looks at the flag "queued", finds it unset, sets
//! it, and pushes. The queue now holds the task twice. The first poll finishes it; the second polls a future that is
//! complete, which is a panic at best.
//!
//! **Seen.** [compio #856](https://github.com/compio-rs/compio/issues/856): woken once more on its way to completion,
//! a task could be run again after it was complete, reported as a possible double free.
//! [ros2_rust #669](https://github.com/ros2-rust/ros2_rust/pull/669) coalesces the entries that every single wake had
//! pushed.
//!
//! **Why it is hard to see.** Too many polls are harmless nearly always: a future that is polled once too often says
//! "pending" again. Only the pair of "woken twice" with "the first of the two polls completes" shows it.
//!
//! **Remember.** Looking and then setting is two steps. `swap` is one, and shows which thread was first: only that
//! one pushes.

use super::shim::atomic::{
    AtomicBool,
    Ordering::{AcqRel, Acquire, Release},
};
use super::shim::{Arc, Mutex, thread};
use crate::model::{Model, Mutant};

struct Task {
    queued: AtomicBool,
    complete: AtomicBool,
    /// How often the run queue holds this task.
    entries: Mutex<usize>,
}

impl Task {
    fn new() -> Task {
        Task { queued: AtomicBool::new(false), complete: AtomicBool::new(false), entries: Mutex::new(0) }
    }

    fn push(&self) {
        *self.entries.lock().unwrap() += 1;
    }

    // ANCHOR: broken
    fn wake_broken(&self) {
        if !self.queued.load(Acquire) {
            self.queued.store(true, Release);
            self.push();
        }
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn wake_fixed(&self) {
        if !self.queued.swap(true, AcqRel) {
            self.push();
        }
    }
    // ANCHOR_END: fixed

    /// Takes the task from the queue and polls it, as often as it is there. It completes at once.
    fn run(&self) {
        for _ in 0..*self.entries.lock().unwrap() {
            self.queued.store(false, Release);
            assert!(!self.complete.swap(true, AcqRel), "polled after it was complete");
        }
    }
}

// ANCHOR: model
fn model(wake: fn(&Task)) {
    let task = Arc::new(Task::new());
    let theirs = task.clone();
    let waking = thread::spawn(move || wake(&theirs));
    wake(&task);
    waking.join().unwrap();
    task.run();
    assert!(task.complete.load(Acquire), "woken, and never polled");
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_queued_twice",
    about: "one swap decides who pushes",
    invariants: &[1, 3],
    bound: None,
    body: || model(Task::wake_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Task::wake_broken) }],
};
