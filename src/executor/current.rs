//! The current executor: how code that holds none finds the one of its thread.
//!
//! `spawn`, `sleep` and every socket need the executor, and none is handed to them: it stands in a thread-local while
//! its `block_on` runs, and while it ends. So do its scheduler, for wakes, and its recorder.

// ANCHOR: current
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::base::budget;
use crate::base::clock::Instant;
use crate::trace;

use super::Executor;
use super::scheduler;

thread_local! {
    /// The executor whose `block_on` runs on this thread, or which is being dropped there.
    static CURRENT: RefCell<Option<Rc<Executor>>> = const { RefCell::new(None) };
}

/// The executor of this thread. `None` outside of a runtime, and while the thread's locals are torn down.
#[inline]
pub(crate) fn get() -> Option<Rc<Executor>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// The same, where there must be one.
///
/// # Panics
/// Outside of a runtime, naming what was attempted.
#[track_caller]
pub(crate) fn executor(what: &str) -> Rc<Executor> {
    match get() {
        Some(executor) => executor,
        None => panic!(
            "{what} needs a cotask runtime on this thread: call it inside `cotask::block_on` or \
             `Runtime::block_on`, or in a task spawned there"
        ),
    }
}

/// Whether the executor whose tasks run on this thread is the one that is `meant`.
pub(crate) fn is(meant: impl FnOnce(&Rc<Executor>) -> bool) -> bool {
    CURRENT.try_with(|current| current.borrow().as_ref().is_some_and(meant)).unwrap_or(false)
}

/// # Panics
/// Outside of that runtime, whose tasks do not run while another executor has the thread. (A model has no executor.)
pub(crate) fn assert_inside(runtime: u16) {
    assert!(
        cfg!(cotask_loom) || is(|here| here.scheduler.number == runtime),
        "a task was awaited outside of the runtime that it was spawned on, which alone runs it: await its handle inside \
         that runtime's `block_on`, or in a task spawned there; the handle that `Handle::spawn` returns may be awaited \
         on any thread"
    );
}
// ANCHOR_END: current

// ANCHOR: now
impl Instant {
    /// This moment, on the clock of the runtime that runs this code; outside of one, on the machine's.
    pub fn now() -> Instant {
        get().map_or_else(Instant::real, |executor| executor.now())
    }

    /// The time since this moment; zero if it lies ahead.
    pub fn elapsed(&self) -> Duration {
        Instant::now() - *self
    }
}
// ANCHOR_END: now

// ANCHOR: entered
/// Makes an executor the thread's current one while it lives.
pub(crate) struct Entered {
    before: Option<Rc<Executor>>,
    /// The budget of the task that is being polled there: a runtime can end inside a task of another.
    _budget: budget::Restore,
}

impl Entered {
    /// # Panics
    /// When this thread already runs one.
    #[track_caller]
    pub(crate) fn new(executor: &Rc<Executor>) -> Entered {
        let inside = CURRENT.with(|current| current.borrow().is_some());
        assert!(
            !inside,
            "`block_on` was called inside a runtime: it would put to sleep the very thread whose tasks it waits \
             for. Await the future instead; from a blocking call, use `cotask::spawn_blocking`, or another thread"
        );
        Entered::within(executor)
    }

    /// The same, also where this thread already runs one: a runtime can end inside another one's task. And also
    /// where the thread's locals are torn down, a runtime among them: then none is current.
    pub(crate) fn within(executor: &Rc<Executor>) -> Entered {
        let before = switch(Some(Rc::clone(executor)));
        Entered { before, _budget: budget::lift() }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(switch(self.before.take()));
    }
}

/// What code on this thread finds from now on. Returns the executor that it found before.
fn switch(to: Option<Rc<Executor>>) -> Option<Rc<Executor>> {
    trace::switch(to.as_ref().and_then(|executor| executor.recorder().cloned()));
    drop(scheduler::switch(to.as_ref().map(|executor| Rc::clone(&executor.scheduler))));
    CURRENT.try_with(|current| current.replace(to)).ok().flatten()
}
// ANCHOR_END: entered
