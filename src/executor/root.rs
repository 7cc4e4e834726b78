//! `block_on`, and the end: what makes an executor the thread's current one.

// ANCHOR: block_on
use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use crate::base::key::TaskKey;

use super::Executor;
use super::current::Entered;

/// Runs `future` to its end, and the executor's tasks while that lasts.
///
/// # Panics
/// When the future panics, and when this thread already runs an executor.
#[track_caller]
pub(crate) fn block_on<F: Future>(
    executor: &Rc<Executor>,
    future: F,
    source: &'static Location<'static>,
) -> F::Output {
    let _entered = Entered::new(executor);
    let root = Root { executor, key: executor.insert(None, Some("block_on"), source) };
    // Declared last and so dropped first: also the future's drop finds its runtime.
    let mut future = pin!(future);
    loop {
        executor.drive();
        if let Poll::Ready(output) = executor.poll_root(root.key, |cx| future.as_mut().poll(cx)) {
            // Before the future's drop, which may wake what it waited with.
            drop(root);
            return output;
        }
    }
}
// ANCHOR_END: block_on

// ANCHOR: root
/// The key of the future of `block_on`, given back however `block_on` ends.
struct Root<'a> {
    executor: &'a Executor,
    key: TaskKey,
}

impl Drop for Root<'_> {
    fn drop(&mut self) {
        self.executor.scheduler.free(self.key);
        self.executor.give_back();
    }
}
// ANCHOR_END: root

// ANCHOR: shutdown
/// Ends an executor. Returns whether all its blocking jobs have ended, for which it waits no longer than `limit`. A
/// second call does nothing.
pub(crate) fn shutdown(executor: &Rc<Executor>, limit: Option<Duration>) -> bool {
    if !executor.close() {
        return true;
    }
    let _entered = Entered::within(executor);
    executor.shutdown(limit)
}
// ANCHOR_END: shutdown
