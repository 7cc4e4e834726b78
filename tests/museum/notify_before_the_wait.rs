//! # Notified before the wait
//!
//! **What happened.** A task looks at a condition, finds it false, and goes to wait to be notified. Another makes the
//! condition true and notifies the waiting task. If it does so after the look and before the wait, no task waits yet:
//! the notification is lost, and the task goes to wait for it.
//!
//! **Seen.** [tokio #7527](https://github.com/tokio-rs/tokio/issues/7527) reports just this race in the documentation's
//! example. The example is right, and the answer in the thread is the lesson: a `notify_one` that finds no waiter
//! stores a permit, which the next wait consumes.
//!
//! **Why it is hard to see.** It is the lost wake-up of the condition variable, but there the mutex closes the gap
//! between look and wait, and the compiler insists on it. A notification has no mutex.
//!
//! **Remember.** A notification must outlive the moment in which it is given: as a stored permit, or because the waiter
//! enlists before it looks.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use super::Tasks;
use super::shim::atomic::{AtomicBool, Ordering::Relaxed};
use super::shim::{Arc, Mutex, block_on, thread};
use crate::model::{Model, Mutant};

#[derive(Default)]
struct State {
    /// For the task that waits now, or the next one.
    permit: bool,
    waiting: Option<Waker>,
}

#[derive(Default)]
struct Notify(Mutex<State>);

impl Notify {
    fn poll_notified(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        if std::mem::take(&mut state.permit) {
            return Poll::Ready(());
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    // ANCHOR: broken
    fn notify_broken(&self) {
        let mut state = self.0.lock().unwrap();
        if let Some(waker) = state.waiting.take() {
            state.permit = true;
            drop(state);
            waker.wake();
        }
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn notify_fixed(&self) {
        let mut state = self.0.lock().unwrap();
        state.permit = true;
        let waiting = state.waiting.take();
        drop(state);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(notify: fn(&Notify)) {
    let shared = Arc::new((AtomicBool::new(false), Notify::default()));
    let theirs = shared.clone();
    let changing = thread::spawn(move || {
        theirs.0.store(true, Relaxed);
        notify(&theirs.1);
    });
    if !shared.0.load(Relaxed) {
        block_on(poll_fn(|cx| shared.1.poll_notified(cx)));
        assert!(shared.0.load(Relaxed), "notified, and nothing has changed");
    }
    changing.join().unwrap();
}
// ANCHOR_END: model

/// The same with tasks of one executor for threads: an await stands where the look ends and the wait begins.
async fn tasks(notify: fn(&Notify)) {
    let shared = Arc::new((AtomicBool::new(false), Notify::default()));
    let theirs = shared.clone();
    let changing = cotask::spawn(async move {
        theirs.0.store(true, Relaxed);
        notify(&theirs.1);
    });
    if !shared.0.load(Relaxed) {
        cotask::yield_now().await;
        poll_fn(|cx| shared.1.poll_notified(cx)).await;
    }
    changing.await.unwrap();
}

pub const TASKS: [Tasks; 2] =
    [|| Box::pin(tasks(Notify::notify_fixed)), || Box::pin(tasks(Notify::notify_broken))];

pub static MODEL: Model = Model {
    name: "museum_notify_before_the_wait",
    about: "a notification that finds no waiter is kept for the next",
    invariants: &[4],
    bound: None,
    body: || model(Notify::notify_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Notify::notify_broken) }],
};
