//! Waiting on a plain thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::base::budget;
use crate::base::shim::{self, Condvar};

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
