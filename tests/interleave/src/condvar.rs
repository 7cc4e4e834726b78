//! What threads wait on: condition variables, and loom's `Notify`.

use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, LockResult, Mutex, PoisonError};

use crate::recorder::{self, Begun, Id, Op};
use crate::sync::MutexGuard;

/// `std::sync::Condvar` under loom, recorded. It never wakes for no reason, and has no time that could run out.
///
/// Loom's own does not say when a wait begins: threads may switch inside of it, before the thread is in the queue. So the
/// queue is kept here, and threads may switch in the same places.
pub struct Condvar {
    /// No thread waits on it: its operations are points at which threads may switch, and nothing more.
    point: loom::sync::Condvar,
    queue: Mutex<VecDeque<Arc<Waiter>>>,
    object: Id,
}

/// A thread in the queue.
struct Waiter {
    thread: loom::thread::Thread,
    lane: Option<u8>,
    notified: AtomicBool,
}

impl Condvar {
    /// A condition variable that no thread waits on.
    #[track_caller]
    pub fn new() -> Self {
        Condvar {
            point: loom::sync::Condvar::new(),
            queue: Mutex::default(),
            object: recorder::object("Condvar", Location::caller()),
        }
    }

    /// Unlocks the mutex, waits for a notification, and locks it again.
    ///
    /// # Errors
    /// If a thread has panicked while it held the mutex.
    #[track_caller]
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let begun = recorder::begin("wait", self.object, Location::caller());
        self.point.notify_all();
        // From here to `park` no other thread runs.
        let waiter = self.enqueue(&begun);
        begun.step(Op::WaitFrom(guard.object().number));
        guard.let_go();
        while !waiter.notified.load(Relaxed) {
            loom::thread::park();
        }
        begun.goes_on("lock", guard.object());
        let poisoned = guard.take_again();
        begun.done(Op::WaitOver(guard.object().number));
        if poisoned { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }

    /// Waits until `condition` returns false.
    ///
    /// # Errors
    /// If a thread has panicked while it held the mutex.
    #[track_caller]
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Wakes the thread that has waited longest, if one waits.
    #[track_caller]
    pub fn notify_one(&self) {
        self.notify("notify_one", 1);
    }

    /// Wakes all threads that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        self.notify("notify_all", usize::MAX);
    }

    fn enqueue(&self, begun: &Begun) -> Arc<Waiter> {
        let (thread, lane) = (loom::thread::current(), begun.lane());
        let waiter = Arc::new(Waiter { thread, lane, notified: AtomicBool::new(false) });
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(waiter.clone());
        waiter
    }

    #[track_caller]
    fn notify(&self, method: &'static str, most: usize) {
        let begun = recorder::begin(method, self.object, Location::caller());
        self.point.notify_all();
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let most = most.min(queue.len());
        let mut woke = Vec::new();
        for waiter in queue.drain(..most) {
            waiter.notified.store(true, Relaxed);
            waiter.thread.unpark();
            woke.extend(waiter.lane);
        }
        begun.done(Op::Notify { method, woke });
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condvar")
    }
}

/// Loom's stand-in for what a thread sleeps on (an eventfd, a parker): one permit, one thread that waits. A wait may end
/// once for no reason.
pub struct Notify {
    inner: loom::sync::Notify,
    object: Id,
    /// A permit was given that no wait has used: tells a spurious end. Not part of the model.
    given: AtomicBool,
    waiting: AtomicBool,
}

impl Notify {
    /// Without a permit.
    #[track_caller]
    pub fn new() -> Self {
        Notify {
            inner: loom::sync::Notify::new(),
            object: recorder::object("Notify", Location::caller()),
            given: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
        }
    }

    /// Gives the permit, and wakes the thread that waits for it.
    #[track_caller]
    pub fn notify(&self) {
        let begun = recorder::begin("notify", self.object, Location::caller());
        self.inner.notify();
        self.given.store(true, Relaxed);
        begun.done(Op::Permit);
    }

    /// Waits for the permit and takes it.
    ///
    /// # Panics
    /// If another thread is waiting already.
    #[track_caller]
    pub fn wait(&self) {
        let begun = recorder::begin("wait", self.object, Location::caller());
        assert!(!self.waiting.swap(true, Relaxed), "two threads wait on one `Notify`: its permit is for one");
        // Loom asks for the permit before it lets another thread run.
        if !self.given.load(Relaxed) {
            begun.step(Op::Sleeps);
        }
        self.inner.wait();
        self.waiting.store(false, Relaxed);
        let spurious = !self.given.swap(false, Relaxed);
        begun.done(Op::Notified { spurious });
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Self {
        Notify::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notify")
    }
}
