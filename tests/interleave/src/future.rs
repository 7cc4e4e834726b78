//! Futures in a model.

use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use crate::recorder::{self, NONE, Op};

/// A sleeping thread as a waker.
struct Sleeper {
    permit: loom::sync::Notify,
    /// Whether a call of the waker has not been answered by a poll yet. Not part of the model.
    woken: AtomicBool,
    lane: Option<u8>,
    /// Loom checks that none of its own `Arc`s is left after an execution: this one is left if a waker is.
    _leak_check: crate::sync::Arc<()>,
}

impl Wake for Sleeper {
    #[track_caller]
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    #[track_caller]
    fn wake_by_ref(self: &Arc<Self>) {
        let begun = recorder::begin("wake", NONE, Location::caller());
        self.permit.notify();
        self.woken.store(true, Relaxed);
        if let Some(lane) = self.lane {
            begun.done(Op::Wake(lane));
        }
    }
}

/// Polls the future on this thread until it is ready, and sleeps in between. A sleep may end once for no reason.
///
/// Loom's own does the same, with one difference: to clone and to drop a waker is no point at which threads may
/// switch here. Nothing can be seen at such a point that cannot be seen at the ones beside it, so this only makes
/// fewer executions.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let at = Location::caller();
    let first = recorder::begin("poll", NONE, at);
    let sleeper = Arc::new(Sleeper {
        permit: loom::sync::Notify::new(),
        woken: AtomicBool::new(false),
        lane: first.lane(),
        _leak_check: crate::sync::Arc::new(()),
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
            Poll::Pending => begun.step(Op::Pending),
        }
        sleeper.permit.wait();
        let spurious = !sleeper.woken.swap(false, Relaxed);
        begun.done(Op::Awake { spurious });
    }
}
