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
//! Steps marked `>` are the last before the failure, `!` is the failure. Below a load stands which thread wrote what it
//! read; *stale* means that a newer value was written before, and the memory orderings allowed the reader not to see it.
//! Rounds of a loop are shown once (`these 2 steps again, 47 times`); the page has a row for them too.
//! Loom returns only the value: where two writes of one value could have been read, both are named. A thing has the
//! name that stands in the source line that made it. Clones and drops of an `Arc` show only if a handle is left.
//!
//! A step stands where loom performs it, not where its call begins: a thread that waits on a condition variable is asleep
//! from the row on that says so, and a `notify_one` above that row says that no thread is waiting. The tests in
//! `src/order.rs` compare every kind of step with loom's own log.
//!
//! # A model must do the same each time
//!
//! To try another choice, loom runs the model from its start and lets it make all earlier choices again. So each execution
//! begins like the one before it. If a thread begins something else although loom has chosen nothing else yet, the failure
//! is [`Kind::Outlives`]: a static, the order of a hash map, a counter outside of the model, or a type that is not this
//! package's. After the last execution the first is run once more, for models that have only one. A lock, an atomic or a
//! thread that was made in an earlier execution is refused before loom is asked for it. Values may differ, such as
//! addresses, as long as the threads take the same steps.
//!
//! # What loom does not do
//!
//! Loads and stores that are `SeqCst` are taken for `AcqRel` (a [`fence`](sync::atomic::fence) is not). Seven writes of one
//! atomic are remembered. Time does not pass. A condition variable never wakes for no reason, `compare_exchange_weak`
//! never fails for no reason, and `recv` on a channel whose senders are gone never returns.
//!
//! Where a program that is right does what loom cannot explore, the failure is [`Kind::Limit`], and its message says what
//! it is: a sixth thread, or a second read guard of one lock in one thread. These work here, and in loom alone do not:
//!
//! - `unpark` of a thread that waits for a lock, a condition variable, a join. Each thread has its token here.
//! - A lock whose holder panicked, if the panic is caught. It is poisoned as `std`'s is, and [`unpoisoned`] ignores that.
//!   For this, 16 bytes for each lock of each execution are freed only when the process ends.
//! - [`Arc::strong_count`](sync::Arc::strong_count) beside another thread's drop, and
//!   [`try_recv`](sync::mpsc::Receiver::try_recv) beside another thread's send: both orders are explored.
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
mod kept;
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
