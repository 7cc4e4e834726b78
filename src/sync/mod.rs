//! Channels and locks between tasks: [`oneshot`], [`mpsc`], [`Mutex`], [`Semaphore`], [`Notify`].
//!
//! They wait without blocking the thread, and they are `Send + Sync`: the two ends may live in tasks of one
//! runtime, of two, or in plain threads (the `blocking_*` methods). The names and meanings are tokio's.
//!
//! Three promises hold for all of them:
//!
//! - **Fair.** Who waits is served in the order of arrival. A late-comer never overtakes a waiter, not even
//!   one that has been granted its turn and not been polled since.
//! - **Cancel safe.** Each future may be dropped whenever it is pending. What it had been granted goes to
//!   the next in the queue, and its place is freed. Where something of the caller's is lost with the
//!   future, its documentation says so.
//! - **No foreign code under a lock.** Wakers and values are woken, cloned and dropped only when the lock
//!   is free, so a waker or a destructor may use the very channel that it was called from.
//!
//! From the bottom up: `wait_list` is the queue, `critical` the lock, `permits` counted permits with a
//! queue, and the five primitives are thin layers over these.

mod critical;
pub mod mpsc;
mod mutex;
mod notify;
pub mod oneshot;
mod permits;
mod semaphore;
mod wait_list;

pub use mutex::{Mutex, MutexGuard, TryLockError};
pub use notify::{Notified, Notify};
pub use semaphore::{
    AcquireError, OwnedSemaphorePermit, Permit, Semaphore, SemaphorePermit, TryAcquireError,
};

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::budget;
use crate::shim::{self, Condvar};

/// A sleeping thread as a waker.
///
/// A flag and a condition variable of its own, not `thread::park`: a thread has but one park token, and the
/// code that is polled here may use it for reasons of its own.
#[derive(Default)]
struct Sleeper {
    woken: shim::Mutex<bool>,
    bell: Condvar,
}

impl Sleeper {
    fn sleep(&self) {
        let mut woken = self.woken.lock();
        while !std::mem::take(&mut *woken) {
            woken = self.bell.wait(woken);
        }
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.woken.lock() = true;
        self.bell.notify_one();
    }
}

/// Runs a future to its end on a plain thread, which sleeps while there is nothing to do.
///
/// # Panics
///
/// In a task, and in a drop at the end of a runtime: the thread would sleep, and no other task of it could run to
/// end the wait. `method` is named in the message.
pub(crate) fn block_thread_on<F: Future>(method: &str, future: F) -> F::Output {
    assert!(!budget::in_task(), "{method} inside a task would stop every task of this thread: await instead");
    let mut future = pin!(future);
    let sleeper = Arc::new(Sleeper::default());
    let waker = Waker::from(sleeper.clone());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        sleeper.sleep();
    }
}
