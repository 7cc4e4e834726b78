//! # A permit overwritten by a neighbour
//!
//! **What happened.** One word holds two things: whether a permit is stored, and how many rounds of "wake everybody"
//! there have been. To begin a round, a thread loads the word, adds one to the count, and stores it. Between load and
//! store another thread stores a permit. The permit is gone: it is not in the word that was computed before it came.
//!
//! **Seen.** [tokio #3660](https://github.com/tokio-rs/tokio/pull/3660): `notify_waiters` beside `notify_one`, found by
//! reading. Had the author tried loom, a reviewer asked; it "manages to reproduce the bug".
//!
//! **Why it is hard to see.** The code held a lock, and under it the count could indeed not change. The other half of
//! the word could: it is set without the lock.
//!
//! **Remember.** A load and a store are no update if another thread writes the word. Change your own part with one
//! operation (`fetch_add`, `fetch_or`, a compare-exchange), whatever lock you hold.

use super::shim::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Release},
};
use super::shim::{Arc, thread};
use crate::model::{Model, Mutant};

const PERMIT: usize = 1;
/// The rounds are counted in the bits above.
const ROUND: usize = 2;

struct Notify {
    word: AtomicUsize,
}

impl Notify {
    fn new() -> Notify {
        Notify { word: AtomicUsize::new(0) }
    }

    /// No task waits, so the permit is stored.
    fn notify_one(&self) {
        self.word.fetch_or(PERMIT, AcqRel);
    }

    // ANCHOR: broken
    fn notify_waiters_broken(&self) {
        let word = self.word.load(Acquire);
        self.word.store(word + ROUND, Release);
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn notify_waiters_fixed(&self) {
        self.word.fetch_add(ROUND, AcqRel);
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(notify_waiters: fn(&Notify)) {
    let notify = Arc::new(Notify::new());
    let theirs = notify.clone();
    let one = thread::spawn(move || theirs.notify_one());
    notify_waiters(&notify);
    one.join().unwrap();
    assert_eq!(notify.word.load(Acquire), ROUND + PERMIT, "one round, and one permit");
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_overwritten_permit",
    about: "change your part of a word in one operation",
    invariants: &[9],
    bound: None,
    body: || model(Notify::notify_waiters_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Notify::notify_waiters_broken) }],
};
