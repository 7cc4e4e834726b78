//! Loom, with a memory: run a model under every interleaving, and see the one that fails as **swim lanes**, one column
//! a thread, one row a step.
//!
//! ```text
//! interleave::model("lost update", || {
//!     let count = Arc::new(AtomicUsize::new(0));
//!     ...
//! });
//! ```
//!
//! The types have the names and methods of `std`'s ([`sync`], [`thread`], [`cell`], [`future`]); each wraps [loom's]
//! and notes what was done, by which thread, in which order, where in the source. The notes are kept outside of loom's
//! state: it explores the same executions in the same order with recording and without.
//!
//! - [`model`] for a test that must hold: it panics at a failure, and prints lanes, picture and how to replay.
//! - [`Model`] for bounds, and for a test that wants a failure ([`Model::explore`]).
//! - [`unpoisoned`] for a shim whose locks do not poison.
//! - [`note`] for a remark of your own among the steps.
//!
//! A model of your own: copy `tests/template.rs` of this package.
//!
//! # How to read the lanes
//!
//! ```text
//!        main                          | writing
//!      --------------------------------+--------------------------------
//!     1  spawn writing                 |
//!     2                                | data.store(7, Relaxed)
//! >   3                                | ready.store(true, Relaxed)
//! >   4  ready.load(Acquire) -> true   |
//!          by writing, step 3          |
//! >   5  data.load(Relaxed) -> 0       |
//!          as it was made (stale: 7 is |
//!          there, by writing, step 2)  |
//! !   6  panics                        |
//! ```
//! Steps marked `>` are the last before the failure, `!` is the failure. Below a load stands who wrote what it read;
//! *stale* means that a newer value was written before, and the memory orderings allowed the reader not to see it.
//! Rounds of a loop are shown once (`these 2 steps again, 47 times`); the page has a row for them too.
//! Loom gives only the value: where two writes of one value could have been read, both are named. What a thing is
//! called is read from the source line that made it. Handles of an `Arc` show only if one is left.
//!
//! # What loom does not do
//!
//! Loads and stores that are `SeqCst` are taken for `AcqRel` (a [`fence`](sync::atomic::fence) is not). At most five
//! threads, seven writes of one atomic remembered. Time does not pass.
//!
//! Loom's environment variables (`LOOM_MAX_PREEMPTIONS` and others) change nothing: a model explores what [`Model`] says.
//!
//! [loom's]: https://docs.rs/loom

mod arc;
mod atomic;
pub mod cell;
mod condvar;
mod environment;
mod explore;
mod failure;
pub mod future;
mod lock;
mod mpsc;
#[cfg(test)]
mod order;
mod picture;
mod recorder;
mod repeat;
mod replay;
mod source;
mod step;
pub mod sync;
pub mod thread;
pub mod unpoisoned;

/// Statics that are made anew in each execution: loom's, not recorded.
pub use loom::lazy_static;

pub use environment::check_environment;
pub use explore::{Explored, Model};
pub use failure::{Failure, Kind};

pub mod hint {
    //! What a loop that waits says.

    /// Lets others run first: [`yield_now`](crate::thread::yield_now).
    #[track_caller]
    pub fn spin_loop() {
        crate::thread::yield_now();
    }
}

/// Explores a model without bound: [`Model::check`].
///
/// # Panics
/// If an execution fails.
///
/// ```
/// use interleave::sync::{Arc, Mutex};
///
/// interleave::model("two add one each", || {
///     let count = Arc::new(Mutex::new(0));
///     let theirs = count.clone();
///     let adding = interleave::thread::spawn(move || *theirs.lock().unwrap() += 1);
///     *count.lock().unwrap() += 1;
///     adding.join().unwrap();
///     assert_eq!(*count.lock().unwrap(), 2);
/// });
/// ```
#[track_caller]
pub fn model(name: &str, body: impl Fn() + Send + Sync + 'static) -> Explored {
    Model::new(name).check(body)
}

/// A remark on the lane of the running thread. It is no point at which threads may switch.
///
/// ```
/// interleave::model("a remark", || interleave::note("nothing happens here"));
/// ```
#[track_caller]
pub fn note(remark: impl Into<String>) {
    recorder::record(recorder::NONE, std::panic::Location::caller(), recorder::Op::Note(remark.into()));
}
