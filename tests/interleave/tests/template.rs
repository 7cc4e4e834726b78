//! A model to begin with. Copy this file under a new name beside it, say `mine.rs`, put your own code into it, and run
//!
//! ```text
//! cargo test -p interleave --test mine
//! ```
//!
//! Cargo finds the file by itself. To see what a failure looks like, run this file's broken version:
//! `cargo test -p interleave --test template -- --ignored`.
//!
//! What helps: two or three threads of one or two operations each, for the executions multiply; everything made anew
//! inside of the model; `future::block_on` instead of loops that wait; and a broken version beside the right one,
//! because a model that nothing breaks proves nothing.
//!
//! **Code with an `UnsafeCell` of its own.** Loom sees only what goes through its types, so the cell comes from the place
//! that the atomics come from, and unsafe code reaches it by two methods. In a model that is `interleave::cell::UnsafeCell`,
//! which fails the model if two threads are at the value at once, one of them writing; otherwise it is a wrapper:
//!
//! ```text
//! pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);
//!
//! impl<T> UnsafeCell<T> {
//!     pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R { f(self.0.get()) }
//!     pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R { f(self.0.get()) }
//! }
//! ```
//!
//! `self.value.with_mut(|value| unsafe { *value = 7 })` is then the same line in both. Plain data that safe code guards by
//! an atomic needs no unsafe code in a model: `interleave::cell::Cell`.

use interleave::sync::Arc;
use interleave::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use interleave::{Kind, Model, thread};

// ANCHOR: subject
/// What is to be checked: a flag that says that the data is there. In code of your own it takes its atomics from one
/// place, which chooses between `std`'s and these (`src/base/shim.rs` of cotask is such a place).
struct Published {
    data: AtomicUsize,
    ready: AtomicBool,
}

impl Published {
    /// Written out, not derived: the picture calls each atomic what the line calls it that made it.
    fn new() -> Published {
        Published { data: AtomicUsize::new(0), ready: AtomicBool::new(false) }
    }

    fn publish(&self, data: usize) {
        self.data.store(data, Relaxed);
        self.ready.store(true, Release);
    }

    /// The mistake: nothing orders the data before the flag.
    fn publish_wrongly(&self, data: usize) {
        self.data.store(data, Relaxed);
        self.ready.store(true, Relaxed);
    }

    fn get(&self) -> Option<usize> {
        self.ready.load(Acquire).then(|| self.data.load(Relaxed))
    }
}
// ANCHOR_END: subject

// ANCHOR: model
/// What must hold in every interleaving: what is seen is what was published.
fn who_sees_the_flag_sees_the_data(publish: fn(&Published, usize)) {
    let published = Arc::new(Published::new());
    let theirs = published.clone();
    let publishing = thread::spawn(move || publish(&theirs, 7));
    if let Some(data) = published.get() {
        assert_eq!(data, 7, "the flag is there, the data is not");
    }
    publishing.join().unwrap();
}

#[test]
fn the_right_version_holds() {
    interleave::model("template", || who_sees_the_flag_sees_the_data(Published::publish));
}

#[test]
fn the_broken_version_is_caught() {
    let broken = Model::new("template, broken");
    let failure = broken.explore(|| who_sees_the_flag_sees_the_data(Published::publish_wrongly)).unwrap_err();
    assert_eq!(failure.kind, Kind::Panic);
}
// ANCHOR_END: model

#[test]
#[ignore = "fails on purpose: shows what a failure looks like"]
fn see_it_fail() {
    interleave::model("template, broken", || who_sees_the_flag_sees_the_data(Published::publish_wrongly));
}
