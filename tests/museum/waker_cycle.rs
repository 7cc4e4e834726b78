//! # A task that keeps its own waker
//!
//! **What happened.** A waker keeps its task alive; that is what it is for. A task's future owns a channel, and in the
//! channel lies the waker of the last task that waited for it: this one. The task keeps the future, the future the
//! waker, the waker the task. When the task completes, all others let go, and the three hold each other forever.
//!
//! **Seen.** [tokio #6505](https://github.com/tokio-rs/tokio/issues/6505): a join handle's waker was kept until the
//! task was freed, so two tasks that awaited each other's handles were never freed.
//! [unicycle #31](https://github.com/udoprog/unicycle/pull/31) is a leak of tasks that contain wakers;
//! [tokio #1648](https://github.com/tokio-rs/tokio/pull/1648) another, caught by loom when it had just learned to look
//! for leaks.
//!
//! **Why it is hard to see.** Everything works. The process grows by one task at a time.
//!
//! **Remember.** A finished task drops its future and every waker that it holds at once, not when the last waker
//! is dropped. loom fails a model whose `Arc`s are not all gone at its end: that is the whole assertion.

use std::task::{Wake, Waker};

use super::shim::{Arc, Mutex, thread};
use crate::model::{Model, Mutant};

/// What the future owns: somewhere in it, the waker of the last poll.
struct Future {
    last_waker: Option<Waker>,
}

struct Task {
    future: Mutex<Option<Future>>,
}

struct WakeTask(Arc<Task>);

impl Wake for WakeTask {
    fn wake(self: std::sync::Arc<Self>) {
        // It would push the task; here it is enough that it holds it.
        drop(self.0.future.lock().unwrap());
    }
}

fn waker(task: &Arc<Task>) -> Waker {
    Waker::from(std::sync::Arc::new(WakeTask(task.clone())))
}

fn poll_pending(task: &Arc<Task>) {
    if let Some(future) = &mut *task.future.lock().unwrap() {
        future.last_waker = Some(waker(task));
    }
}

// ANCHOR: broken
/// Ends the task. Its memory goes with its last reference.
fn complete_broken(task: Arc<Task>) {
    drop(task);
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Ends the task and drops its future, even if others still refer to the task.
fn complete_fixed(task: Arc<Task>) {
    let future = task.future.lock().unwrap().take();
    // Outside of the lock: it drops wakers, and with them perhaps this task.
    drop(future);
}
// ANCHOR_END: fixed

// ANCHOR: model
fn model(complete: fn(Arc<Task>)) {
    let task = Arc::new(Task { future: Mutex::new(Some(Future { last_waker: None })) });
    let waker = waker(&task);
    let waking = thread::spawn(move || waker.wake());
    poll_pending(&task);
    complete(task);
    waking.join().unwrap();
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_waker_cycle",
    about: "a finished task drops its future, no matter who holds the task",
    invariants: &[3],
    bound: None,
    body: || model(complete_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(complete_broken) }],
};
