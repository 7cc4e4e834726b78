//! Models without the kit: what the memory orderings promise, which everything else here stands on. The
//! broken versions are bodies of their own, as in an exhibit: whether the harness notices is part of the test.

use interleave::sync::Arc;
use interleave::sync::atomic::{
    AtomicUsize,
    Ordering::{self, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use interleave::thread;

use crate::model::{Model, Mutant};

pub const MODELS: &[&Model] = &[&MESSAGE_PASSING, &STORE_BUFFERING];

static MESSAGE_PASSING: Model = Model {
    name: "ordering_message_passing",
    about: "a thread that reads with Acquire a flag written with Release sees what was written before it",
    invariants: &[4],
    bound: None,
    body: || message_passing(Release, Acquire),
    mutants: &[
        Mutant::Body { name: "relaxed_store", body: || message_passing(Relaxed, Acquire) },
        Mutant::Body { name: "relaxed_load", body: || message_passing(Release, Relaxed) },
    ],
};

fn message_passing(write_flag: Ordering, read_flag: Ordering) {
    let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let theirs = shared.clone();
    let writing = thread::spawn(move || {
        let (data, flag) = &*theirs;
        data.store(7, Relaxed);
        flag.store(1, write_flag);
    });
    let (data, flag) = &*shared;
    if flag.load(read_flag) == 1 {
        assert_eq!(data.load(Relaxed), 7, "the flag is there, the data is not");
    }
    writing.join().unwrap();
}

static STORE_BUFFERING: Model = Model {
    name: "ordering_store_buffering",
    about: "of two threads that each announce themselves and then look for the other, one sees the other",
    invariants: &[6],
    bound: None,
    body: || store_buffering(Relaxed, Relaxed, true),
    mutants: &[
        Mutant::Body { name: "no_fence", body: || store_buffering(Relaxed, Relaxed, false) },
        Mutant::Body {
            name: "release_and_acquire_are_not_enough",
            body: || store_buffering(Release, Acquire, false),
        },
    ],
};

/// Each of two threads announces itself, and then looks for the other.
pub fn store_buffering(announce: Ordering, look: Ordering, with_fence: bool) {
    let shared = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let meet = move |shared: Arc<[AtomicUsize; 2]>, me: usize| {
        shared[me].store(1, announce);
        if with_fence {
            fence(SeqCst);
        }
        shared[1 - me].load(look)
    };
    let theirs = shared.clone();
    let other = thread::spawn(move || meet(theirs, 1));
    let seen = meet(shared, 0) + other.join().unwrap();
    assert!(seen > 0, "both looked, and neither saw the other");
}
