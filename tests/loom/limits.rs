//! What loom itself does not model, or models too strictly, in the version that this crate pins. Each is written down
//! as a model, so that a newer loom that has changed its mind makes one of these fail, and the advice in `main.rs` can
//! be changed with it.
//!
//! Two are **false alarms**: loom fails a program that the language guarantees to be right (there, the mutant is that
//! program). Two are **blind spots**: loom never shows an execution that may happen (there, the body asserts that it
//! does not happen, and the mutant shows that it would be noticed).

use interleave::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Relaxed, Release, SeqCst},
};
use interleave::sync::{Arc, Mutex};
use interleave::thread;

use crate::model::{Model, Mutant};
use crate::orderings::store_buffering;

pub const MODELS: &[&Model] = &[&SEQ_CST, &STORE_BESIDE_SWAP, &LOAD_BUFFERING, &TRY_LOCK];

static SEQ_CST: Model = Model {
    name: "limits_seq_cst",
    about: "false alarm: SeqCst loads and stores are taken for acquire and release; a SeqCst fence is a fence",
    invariants: &[],
    bound: None,
    body: || store_buffering(Relaxed, Relaxed, true),
    mutants: &[Mutant::Body {
        name: "seq_cst_without_fence",
        body: || store_buffering(SeqCst, SeqCst, false),
    }],
};

// ANCHOR: store_beside_swap
static STORE_BESIDE_SWAP: Model = Model {
    name: "limits_store_beside_swap",
    about: "false alarm: a store that a concurrent swap did not read may be lost behind it; another swap is not",
    invariants: &[],
    bound: None,
    body: || token(|token| _ = token.swap(1, AcqRel)),
    mutants: &[Mutant::Body { name: "plain_store", body: || token(|token| token.store(1, Release)) }],
};
// ANCHOR_END: store_beside_swap

/// A swap reads what comes right before it. If it read the beginning, the token comes after it, and stays.
fn token(put: fn(&AtomicUsize)) {
    let token = Arc::new(AtomicUsize::new(0));
    let theirs = token.clone();
    let putting = thread::spawn(move || put(&theirs));
    let early = token.swap(0, AcqRel);
    putting.join().unwrap();
    assert_eq!(early + token.swap(0, AcqRel), 1, "the token is taken once");
}

static LOAD_BUFFERING: Model = Model {
    name: "limits_load_buffering",
    about: "blind spot: a store is never seen before the relaxed loads that stand before it",
    invariants: &[],
    bound: None,
    body: || load_buffering(false),
    mutants: &[Mutant::Body { name: "stores_first", body: || load_buffering(true) }],
};

/// Each reads what the other writes. That both read a 1 is allowed, and on some processors it happens.
fn load_buffering(stores_first: bool) {
    let shared = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let meet = move |shared: &[AtomicUsize; 2], me: usize| {
        if stores_first {
            shared[me].store(1, Relaxed);
        }
        let seen = shared[1 - me].load(Relaxed);
        shared[me].store(1, Relaxed);
        seen
    };
    let theirs = shared.clone();
    let other = thread::spawn(move || meet(&theirs, 1));
    let seen = meet(&shared, 0) + other.join().unwrap();
    assert!(seen < 2, "both have seen a store that comes after the other's load");
}

static TRY_LOCK: Model = Model {
    name: "limits_try_lock",
    about: "blind spot: try_lock is refused only if threads may switch under the lock and right before the try",
    invariants: &[],
    bound: None,
    body: || try_lock(|| {}),
    mutants: &[Mutant::Body { name: "switches_in_both_places", body: || try_lock(thread::yield_now) }],
};

/// loom switches before an operation, and an unlock is none; and whoever stands before an operation on a mutex that
/// another thread locks is taken to wait for it, even if that operation is a try.
fn try_lock(switch: fn()) {
    let number = Arc::new(Mutex::new(0));
    let theirs = number.clone();
    let holding = thread::spawn(move || {
        let mut number = theirs.lock().unwrap();
        *number += 1;
        switch();
    });
    switch();
    let refused = number.try_lock().is_err();
    holding.join().unwrap();
    assert!(!refused, "the lock was held");
}
