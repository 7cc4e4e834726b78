//! # Scheduled, and in no queue
//!
//! **What happened.** A waker set two bits: "scheduled", which the executor clears before it polls, and "scheduling",
//! which the waker itself clears when its push is done. A wake that found either set assumed a push under way, and
//! left. But a waker that is interrupted after its push and before it clears "scheduling" leaves that bit to lie: the
//! executor polls and the task parks again, and then a second waker sets "scheduled", believes the stale bit, and
//! pushes nothing. From then on every wake finds "scheduled" and leaves.
//!
//! **Seen.** [compio #948](https://github.com/compio-rs/compio/issues/948), found in a server's test runs that hung
//! now and then: the process alive and idle, one request never answered. Repaired in
//! [compio #949](https://github.com/compio-rs/compio/pull/949) by not asking the second bit any more.
//!
//! **Why it is hard to see.** It takes three parties and a thread stopped for as long as a poll takes. And the task
//! looks busy: its state says "scheduled" forever, which no sanity check would call wrong.
//!
//! **Remember.** Skip your own work only for a bit whose clearing happens before the work it stands for is looked for.
//! "Scheduled" is such a bit, since it is cleared before the poll. A bit that another waker clears when it gets round
//! to it promises nothing.

use super::shim::atomic::{
    AtomicU8, AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};
use super::shim::{Arc, Bell, thread};
use crate::model::{Model, Mutant};

const SCHEDULED: u8 = 1;
const SCHEDULING: u8 = 2;

/// A task that waits for two events. With one task the executor's queue is no more than a bell.
struct Task {
    state: AtomicU8,
    queue: Bell,
    events: AtomicUsize,
}

impl Task {
    fn new() -> Task {
        Task { state: AtomicU8::new(0), queue: Bell::new(), events: AtomicUsize::new(0) }
    }

    // ANCHOR: broken
    fn wake_broken(&self) {
        let before = self.state.fetch_or(SCHEDULED | SCHEDULING, AcqRel);
        if before & (SCHEDULED | SCHEDULING) == 0 {
            self.queue.ring();
        }
        // A waker that is interrupted here has pushed, and still seems to be about to.
        self.state.fetch_and(!SCHEDULING, AcqRel);
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn wake_fixed(&self) {
        let before = self.state.fetch_or(SCHEDULED | SCHEDULING, AcqRel);
        if before & SCHEDULED == 0 {
            self.queue.ring();
        }
        self.state.fetch_and(!SCHEDULING, AcqRel);
    }
    // ANCHOR_END: fixed

    fn run(&self) {
        while self.events.load(Relaxed) < 2 {
            self.queue.wait();
            self.state.fetch_and(!SCHEDULED, AcqRel);
        }
    }
}

// ANCHOR: model
fn model(wake: fn(&Task)) {
    let task = Arc::new(Task::new());
    let wakers = [(); 2].map(|()| {
        let task = task.clone();
        thread::spawn(move || {
            task.events.fetch_add(1, Relaxed);
            wake(&task);
        })
    });
    task.run();
    for waker in wakers {
        waker.join().unwrap();
    }
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_scheduled_but_not_queued",
    about: "skip a wake only for a bit that is cleared before the poll",
    invariants: &[2],
    bound: Some(3),
    body: || model(Task::wake_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Task::wake_broken) }],
};
