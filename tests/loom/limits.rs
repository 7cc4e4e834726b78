//! What loom itself does not model, or models too strictly, in the version that this crate pins. Each is written down
//! as a model, so that a newer loom that has changed its mind makes one of these fail, and the advice in `main.rs` can
//! be changed with it.
//!
//! Four are **false alarms**: the exploration fails a program that the language guarantees to be right (there, the mutant
//! is that program). Four are **blind spots**: it never shows an execution that may happen (there, the body asserts that
//! it does not happen, and the mutant shows that it would be noticed).
//!
//! What `interleave` makes up for is not here but in its own `tests/limits.rs`: the token of `unpark`, locks whose holder
//! panicked, the count of an `Arc`'s handles.

use interleave::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Relaxed, Release, SeqCst},
};
use interleave::sync::mpsc::channel;
use interleave::sync::{Arc, Condvar, Mutex, RwLock};
use interleave::thread;

use crate::model::{Model, Mutant};
use crate::orderings::store_buffering;

pub const MODELS: &[&Model] = &[
    &SEQ_CST,
    &STORE_BESIDE_SWAP,
    &TWO_READ_GUARDS,
    &CLOSED_CHANNEL,
    &LOAD_BUFFERING,
    &TRY_LOCK,
    &CONDVAR_FOR_NO_REASON,
    &WEAK_EXCHANGE,
];

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

static TWO_READ_GUARDS: Model = Model {
    name: "limits_two_read_guards",
    about: "false alarm: a thread with a read guard takes another; refused before loom miscounts the readers",
    invariants: &[],
    bound: None,
    body: || two_read_guards(false),
    mutants: &[Mutant::Body { name: "both_at_once", body: || two_read_guards(true) }],
};

fn two_read_guards(at_once: bool) {
    let number = Arc::new(RwLock::new(7));
    let theirs = number.clone();
    let reading = thread::spawn(move || *theirs.read().unwrap());
    let first = number.read().unwrap();
    let seen = *first;
    if !at_once {
        drop(first);
    }
    assert_eq!(*number.read().unwrap(), seen);
    assert_eq!(reading.join().unwrap(), seen);
}

static CLOSED_CHANNEL: Model = Model {
    name: "limits_closed_channel",
    about: "false alarm: recv on a channel without senders never returns in loom, and returns an error in std",
    invariants: &[],
    bound: None,
    body: || closed_channel(1),
    mutants: &[Mutant::Body { name: "until_closed", body: || closed_channel(2) }],
};

fn closed_channel(receives: usize) {
    let (sender, receiver) = channel();
    let sending = thread::spawn(move || sender.send(7).unwrap());
    for _ in 0..receives {
        let _ = receiver.recv();
    }
    sending.join().unwrap();
}

static CONDVAR_FOR_NO_REASON: Model = Model {
    name: "limits_condvar_for_no_reason",
    about: "blind spot: a wait on a condition variable never ends without a notification",
    invariants: &[],
    bound: None,
    body: || wait_without_a_loop(false),
    mutants: &[Mutant::Body { name: "notified_too_early", body: || wait_without_a_loop(true) }],
};

/// Asks once instead of in a loop. Wrong in std, where a wait may end for no reason.
fn wait_without_a_loop(too_early: bool) {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let theirs = shared.clone();
    let setting = thread::spawn(move || {
        if too_early {
            theirs.1.notify_one();
        }
        *theirs.0.lock().unwrap() = true;
        theirs.1.notify_one();
    });
    let mut ready = shared.0.lock().unwrap();
    if !*ready {
        ready = shared.1.wait(ready).unwrap();
    }
    assert!(*ready, "woken for no reason");
    drop(ready);
    setting.join().unwrap();
}

static WEAK_EXCHANGE: Model = Model {
    name: "limits_weak_exchange",
    about: "blind spot: compare_exchange_weak never fails while the expected value is there",
    invariants: &[],
    bound: None,
    body: || weak_exchange(0),
    mutants: &[Mutant::Body { name: "fails", body: || weak_exchange(1) }],
};

/// Tries once instead of in a loop. Wrong on processors whose exchange is a pair of load and store.
fn weak_exchange(expected: usize) {
    let number = AtomicUsize::new(0);
    assert!(number.compare_exchange_weak(expected, 2, AcqRel, Relaxed).is_ok(), "failed for no reason");
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

/// loom switches before an operation, and an unlock is none; and a thread that stands before an operation on a mutex that
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
