//! The cooperative budget: how much a task may do in one poll before it gives way.
//!
//! `async` is cooperative: nothing takes the thread away from a task. A task that reads from a socket which
//! is never empty would never return `Pending`, and every other task would starve, though the task awaits at
//! every step. So each future that can be ready at once (I/O, channel, lock, timer, join, an error) asks
//! [`poll_proceed`] first. After [`OPERATIONS`] of them in one poll it wakes the task and returns `Pending`, so
//! the task goes to the back of the run queue.
//!
//! The idea is tokio's (`tokio::task::coop`).

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Context, Poll};

// ANCHOR: budget
/// Operations on leaf futures that one poll of a task may complete.
pub(crate) const OPERATIONS: u32 = 128;

/// No executor of ours has the thread (another one has it, or a test polls by hand), so nothing is counted: only
/// an executor that refills the budget may hold a task to it.
const OUTSIDE: u32 = u32::MAX;
/// An executor of ours has the thread, and what runs is not counted: a drop at the runtime's end has no next turn.
const UNCOUNTED: u32 = u32::MAX - 1;
/// The budget was used up, and then more was asked for: the task gives way.
const REFUSED: u32 = u32::MAX - 2;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(OUTSIDE) };
}

/// Gives the task that is about to be polled a full budget.
pub(crate) fn refill() {
    LEFT.set(OPERATIONS);
}

/// An executor takes the thread, and counts from the next [`refill`] on. When it leaves, it drops what this returns.
pub(crate) fn lift() -> Restore {
    Restore(LEFT.replace(UNCOUNTED))
}

/// Dropped, it goes on counting from what was left before.
pub(crate) struct Restore(u32);

impl Drop for Restore {
    fn drop(&mut self) {
        LEFT.set(self.0);
    }
}

/// Whether the last poll had to give way for want of budget.
pub(crate) fn spent() -> bool {
    LEFT.get() == REFUSED
}
// ANCHOR_END: budget

// ANCHOR: proceed
/// Ready while the task may go on; otherwise wakes the task and is pending, so that the others get a turn.
///
/// A leaf future calls this before it takes anything, so that nothing is taken and then not handed out.
#[inline]
pub(crate) fn poll_proceed(cx: &mut Context<'_>) -> Poll<()> {
    match LEFT.get() {
        OUTSIDE | UNCOUNTED => Poll::Ready(()),
        0 | REFUSED => {
            LEFT.set(REFUSED);
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        left => {
            LEFT.set(left - 1);
            Poll::Ready(())
        }
    }
}

/// Takes back what [`poll_proceed`] charged for an operation which then had to wait.
///
/// Only progress counts. Otherwise a task that polls more idle channels than [`OPERATIONS`] at once (a large
/// `select`) would never get to the last ones, and would wake itself without end.
#[inline]
pub(crate) fn refund() {
    match LEFT.get() {
        OUTSIDE | UNCOUNTED | REFUSED => {}
        left => LEFT.set(left + 1),
    }
}

/// [`poll_proceed`], awaited: for an `async fn` that may not have to wait for anything.
pub(crate) async fn proceed() {
    poll_fn(poll_proceed).await;
}
// ANCHOR_END: proceed

// ANCHOR: around
/// Counts an operation that has been completed already, by what could not know before.
pub(crate) fn charge() {
    match LEFT.get() {
        OUTSIDE | UNCOUNTED | REFUSED | 0 => {}
        left => LEFT.set(left - 1),
    }
}

/// Whether a runtime has this thread, for a poll or for a drop at its end, so that a call that blocks would stop
/// every task of it.
pub(crate) fn in_task() -> bool {
    LEFT.get() != OUTSIDE
}

/// Calls `f` without counting: for a leaf that must have its say even if another has spent the budget.
pub(crate) fn unspent<T>(f: impl FnOnce() -> T) -> T {
    with_left(UNCOUNTED, f)
}

/// Calls `f` with room for one operation, although the budget is spent: for a future that must be able to say
/// whether its output is there.
pub(crate) fn with_one<T>(f: impl FnOnce() -> T) -> T {
    with_left(1, f)
}

/// Calls `f` with so much of the budget left, and then has what was left before, also if `f` panics.
fn with_left<T>(left: u32, f: impl FnOnce() -> T) -> T {
    let _before = Restore(LEFT.replace(left));
    f()
}
// ANCHOR_END: around
