//! # Published with Relaxed
//!
//! **What happened.** A task stores its result and then sets a flag; its joiner sees the flag and takes the
//! result. All of it atomic, all of it `Relaxed`: there is no torn value anywhere, so what could go wrong? The flag can
//! arrive before the result. The joiner reads what lay there before.
//!
//! **Seen.** [bus-queue #3](https://github.com/filipdulic/bus-queue/issues/3): every ordering in a published queue was
//! `Relaxed`. [spmc #11](https://github.com/seanmonstar/spmc/pull/11) repairs orderings of a channel that loom had
//! found to be wrong.
//!
//! **Why it is hard to see.** An x86 processor keeps the order of its stores, and of its loads, so no test there fails
//! unless the compiler moves them. On an ARM it is another matter, and there it is rare.
//!
//! **Remember.** A flag that says "it is there" is written with `Release` and read with `Acquire`, both. One alone is
//! as good as none: two of the three broken versions below have one.

use super::shim::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use super::shim::{Arc, thread};
use crate::model::{Model, Mutant};

/// The result is an atomic only because this crate has no unsafe code. It is always relaxed, so that nothing but the
/// flag can order it.
struct Slot {
    result: AtomicU32,
    complete: AtomicBool,
}

impl Slot {
    fn new() -> Slot {
        Slot { result: AtomicU32::new(0), complete: AtomicBool::new(false) }
    }

    // ANCHOR: broken
    fn put_broken(&self, result: u32) {
        self.result.store(result, Relaxed);
        self.complete.store(true, Relaxed);
    }

    fn take_broken(&self) -> Option<u32> {
        self.complete.load(Relaxed).then(|| self.result.load(Relaxed))
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn put_fixed(&self, result: u32) {
        self.result.store(result, Relaxed);
        self.complete.store(true, Release);
    }

    fn take_fixed(&self) -> Option<u32> {
        self.complete.load(Acquire).then(|| self.result.load(Relaxed))
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(put: fn(&Slot, u32), take: fn(&Slot) -> Option<u32>) {
    let slot = Arc::new(Slot::new());
    let theirs = slot.clone();
    let working = thread::spawn(move || put(&theirs, 7));
    if let Some(result) = take(&slot) {
        assert_eq!(result, 7, "complete, and the result is not there");
    }
    working.join().unwrap();
    assert_eq!(take(&slot), Some(7));
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_relaxed_publish",
    about: "Release where it is written, Acquire where it is read",
    invariants: &[4],
    bound: None,
    body: || model(Slot::put_fixed, Slot::take_fixed),
    mutants: &[
        Mutant::Body { name: "broken", body: || model(Slot::put_broken, Slot::take_broken) },
        Mutant::Body { name: "release_alone", body: || model(Slot::put_fixed, Slot::take_broken) },
        Mutant::Body { name: "acquire_alone", body: || model(Slot::put_broken, Slot::take_fixed) },
    ],
};
