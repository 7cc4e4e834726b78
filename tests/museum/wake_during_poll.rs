//! # The wake during the poll
//!
//! **What happened.** An executor marks a task as running, polls it, and when the poll says "pending" marks it as
//! idle. While the poll was still running, another thread woke the task: it saw "running", noted the wake in the same
//! state, and left, since the task was already being polled. The executor's "idle" then wrote over the note.
//!
//! **Seen.** [futures-rs #2706](https://github.com/rust-lang/futures-rs/issues/2706): `Shared` missed a wake that came
//! while another clone was polling. [shuttle #54](https://github.com/awslabs/shuttle/pull/54): even a tool that tests
//! for such bugs had to learn that a waker can escape to another thread before the poll ends.
//!
//! **Why it is hard to see.** In a test the waker is called after the poll, because the test calls it. And a future
//! that wakes itself inside of its own poll is often handled as a special case, which hides the general one.
//!
//! **Remember.** "Still running" to "idle" is a question, not an assignment: a compare-exchange, whose failure means
//! that the task was woken meanwhile and must be polled again.

use super::shim::atomic::{
    AtomicBool, AtomicU8,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use super::shim::{Arc, Bell, thread};
use crate::model::{Model, Mutant};

const IDLE: u8 = 0;
const WOKEN: u8 = 1;
const RUNNING: u8 = 2;

/// A task, and the executor's queue, which with one task is no more than a bell.
struct Task {
    state: AtomicU8,
    queue: Bell,
    /// What the future waits for. It is relaxed: only the wake can have ordered it.
    event: AtomicBool,
}

impl Task {
    fn new() -> Task {
        Task { state: AtomicU8::new(0), queue: Bell::new(), event: AtomicBool::new(false) }
    }

    fn wake(&self) {
        // The wake of a running task leaves a note; the thread that polls it will see it.
        if self.state.swap(WOKEN, AcqRel) == IDLE {
            self.queue.ring();
        }
    }

    /// Runs the future to its end.
    fn run(&self, after_pending: fn(&Task)) {
        self.wake();
        loop {
            self.queue.wait();
            self.state.swap(RUNNING, AcqRel);
            // The poll. Its waker is already with the other thread.
            if self.event.load(Relaxed) {
                return;
            }
            after_pending(self);
        }
    }

    // ANCHOR: broken
    fn now_idle_broken(&self) {
        self.state.store(IDLE, Release);
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn now_idle_fixed(&self) {
        if self.state.compare_exchange(RUNNING, IDLE, AcqRel, Acquire).is_err() {
            self.queue.ring();
        }
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(after_pending: fn(&Task)) {
    let task = Arc::new(Task::new());
    let theirs = task.clone();
    let waking = thread::spawn(move || {
        theirs.event.store(true, Relaxed);
        theirs.wake();
    });
    task.run(after_pending);
    waking.join().unwrap();
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_wake_during_poll",
    about: "from running to idle only if no wake came meanwhile",
    invariants: &[2],
    bound: None,
    body: || model(Task::now_idle_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Task::now_idle_broken) }],
};
