//! # Abort against completion
//!
//! **What happened.** A task completes on its thread while another thread aborts it. Each looks at the state, finds
//! "running", and writes its own ending over it. Both endings happen: the future is dropped twice or its result after
//! it was handed out, and the join handle receives two different results.
//!
//! **Seen.** What an abort meets when it does not come from the task's own scheduler was found out late:
//! [tokio #3157](https://github.com/tokio-rs/tokio/issues/3157) and
//! [tokio #3662](https://github.com/tokio-rs/tokio/issues/3662) are aborts from elsewhere that panicked, the first on
//! the multi-threaded scheduler, the second on the other one.
//!
//! **Why it is hard to see.** Tests abort a task that sleeps for a long time, so that completion never comes near. In
//! use, abort is what one calls on a task that is about to be done: on a timeout, on shutdown.
//!
//! **Remember.** A task ends once. One compare-exchange out of "running" chooses the ending, and the thread that
//! loses it has nothing more to do with the task.

use super::shim::atomic::{
    AtomicU8,
    Ordering::{AcqRel, Acquire, Release},
};
use super::shim::{Arc, Mutex, thread};
use crate::model::{Model, Mutant};

const RUNNING: u8 = 0;
const COMPLETE: u8 = 1;
const ABORTED: u8 = 2;

struct Task {
    state: AtomicU8,
    /// What the join handle has received.
    told: Mutex<Vec<u8>>,
}

impl Task {
    fn new() -> Task {
        Task { state: AtomicU8::new(0), told: Mutex::new(Vec::new()) }
    }

    // ANCHOR: broken
    fn end_broken(&self, ending: u8) {
        if self.state.load(Acquire) == RUNNING {
            self.state.store(ending, Release);
            self.told.lock().unwrap().push(ending);
        }
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn end_fixed(&self, ending: u8) {
        if self.state.compare_exchange(RUNNING, ending, AcqRel, Acquire).is_ok() {
            self.told.lock().unwrap().push(ending);
        }
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(end: fn(&Task, u8)) {
    let task = Arc::new(Task::new());
    let theirs = task.clone();
    let aborting = thread::spawn(move || end(&theirs, ABORTED));
    end(&task, COMPLETE);
    aborting.join().unwrap();
    let told = task.told.lock().unwrap();
    assert_eq!(told.len(), 1, "the join handle receives one result");
    assert_eq!(told[0], task.state.load(Acquire), "and it is the true one");
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_abort_against_completion",
    about: "one compare-exchange chooses how a task ends",
    invariants: &[3],
    bound: None,
    body: || model(Task::end_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Task::end_broken) }],
};
