//! # The last look before sleep
//!
//! **What happened.** A worker finds its queue empty, announces that it sleeps, and sleeps. A thread with work pushes
//! it, and rings only if a worker has announced a sleep. If the push falls between the worker's look and its
//! announcement, no thread rings. So the worker looks once more after announcing. That is still not enough: each side
//! writes one variable and then reads the other's, and a processor may read before its own write is visible. Both see
//! the old value, work lies in the queue, and the worker sleeps.
//!
//! **Seen.** [affinitypool #22](https://github.com/surrealdb/affinitypool/pull/22): release and acquire on two
//! different variables, repaired with a fence on both sides. [tokio #525](https://github.com/tokio-rs/tokio/issues/525)
//! is a long hunt for lost wake-ups in a pool, on whose way
//! [tokio #528](https://github.com/tokio-rs/tokio/pull/528) rewrote park and unpark to be those of `std`, line by line.
//!
//! **Why it is hard to see.** It is the pattern of Dekker's mutual exclusion, and where a push ends in a locked
//! instruction, as it mostly does on x86, that is a fence by accident. On another machine, or with a lighter queue, the
//! bug is there.
//!
//! **Remember.** Announce, `fence(SeqCst)`, look again; the other side: push, `fence(SeqCst)`, look for sleepers. Of
//! two threads that do this, one sees the other. Release and acquire never promise that.

use super::shim::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{self, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use super::shim::{Arc, Bell, thread};
use crate::model::{Model, Mutant};

struct Worker {
    queued: AtomicUsize,
    sleeps: AtomicBool,
    bell: Bell,
}

impl Worker {
    fn new() -> Worker {
        Worker { queued: AtomicUsize::new(0), sleeps: AtomicBool::new(false), bell: Bell::new() }
    }

    fn push(&self, with_fence: bool) {
        self.queued.fetch_add(1, Release);
        if with_fence {
            fence(SeqCst);
        }
        if self.sleeps.load(Acquire) {
            self.bell.ring();
        }
    }

    // ANCHOR: broken
    fn sleep_without_look(&self) {
        if self.queued.load(Acquire) == 0 {
            self.sleeps.store(true, Release);
            self.bell.wait();
        }
    }

    fn sleep_without_fence(&self) {
        self.sleeps.store(true, Release);
        if self.queued.load(Acquire) == 0 {
            self.bell.wait();
        }
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn sleep_fixed(&self) {
        self.sleeps.store(true, Relaxed);
        fence(SeqCst);
        if self.queued.load(Relaxed) == 0 {
            self.bell.wait();
        }
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(sleep: fn(&Worker), with_fence: bool) {
    let worker = Arc::new(Worker::new());
    let theirs = worker.clone();
    let pushing = thread::spawn(move || theirs.push(with_fence));
    sleep(&worker);
    assert_eq!(worker.queued.load(Ordering::Acquire), 1, "awake, and nothing to do");
    pushing.join().unwrap();
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_sleep_without_recheck",
    about: "announce, fence, look again: only then sleep",
    invariants: &[6],
    bound: None,
    body: || model(Worker::sleep_fixed, true),
    mutants: &[
        Mutant::Body { name: "no_second_look", body: || model(Worker::sleep_without_look, true) },
        Mutant::Body { name: "no_fence", body: || model(Worker::sleep_without_fence, false) },
        Mutant::Body { name: "fence_on_one_side_only", body: || model(Worker::sleep_fixed, false) },
    ],
};
