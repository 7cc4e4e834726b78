//! Futures in a model.

use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use crate::recorder::{self, NONE, Op};
use crate::sync;

/// A sleeping thread as a waker.
struct Sleeper {
    permit: loom::sync::Notify,
    /// Whether a call of the waker has not been answered by a poll yet. Not part of the model.
    woken: AtomicBool,
    lane: Option<u8>,
    /// A handle in the name of all wakers. Loom checks that none is left after an execution.
    handle: sync::Arc<()>,
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let begun = recorder::begin("wake", NONE, Location::caller());
        self.permit.notify();
        self.woken.store(true, Relaxed);
        if let Some(lane) = self.lane {
            begun.done(Op::Wake(lane));
        }
        // A wake by value then drops the waker, and in loom this is a point at which threads may switch: the woken
        // thread may run before the waking one has released a lock. So it must be such a point here.
        drop(self.handle.clone());
    }
}

/// Polls the future on this thread until it is ready, and sleeps in between. A sleep may end once for no reason.
///
/// Loom's own does the same, with two differences. Here a deadlock does not abort the process. And where a waker is
/// cloned or dropped without a wake, threads do not switch: that makes fewer executions. What it can hide is another
/// thread's `try_lock` that fails because a lock is held around nothing but such a clone or drop.
///
/// ```
/// interleave::model("nothing to wait for", || {
///     assert_eq!(interleave::future::block_on(async { 7 }), 7);
/// });
/// ```
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let at = Location::caller();
    let first = recorder::begin("poll", NONE, at);
    let handle = sync::Arc::new(());
    let sleeper = Arc::new(Sleeper {
        permit: loom::sync::Notify::new(),
        woken: AtomicBool::new(false),
        lane: first.lane(),
        handle: handle.clone(),
    });
    let waker = Waker::from(Arc::clone(&sleeper));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    first.done(Op::Poll);
    loop {
        let poll = future.as_mut().poll(&mut cx);
        let begun = recorder::begin("sleep until woken", NONE, at);
        match poll {
            Poll::Ready(output) => {
                begun.done(Op::Ready);
                return output;
            }
            Poll::Pending => begun.step(Op::Pending { woken: sleeper.woken.load(Relaxed) }),
        }
        sleeper.permit.wait();
        let spurious = !sleeper.woken.swap(false, Relaxed);
        begun.done(Op::Awake { spurious });
    }
}
