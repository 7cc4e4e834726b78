//! The one place that chooses between `std`'s threads, locks and atomics and loom's.
//!
//! What has a model takes its primitives from here: the inbox, the channels and locks, the blocking pool, the cores and
//! the remote tasks. In a normal build they are `std`'s. With `--cfg cotask_loom` (set by `cargo loom`) they are
//! [loom's], whose every operation is a point where the model checker may switch threads; a model then runs under all
//! the interleavings that matter. They come by way of `interleave` (in `tests/`), which notes each step, so that a
//! failure can be shown.
//!
//! What stays on one thread (cells, the run queue, the timer wheel) does not pass through here: loom cannot
//! see it and need not. Nor do four things that cross threads and have no model: the recorder's ring and a panic's payload,
//! each behind a lock of its own; the reactor's waker, which sleeps in the system; and the counter of an `Arc` where a
//! trait of `std` or a public method asks for that very type.
//!
//! [loom's]: https://docs.rs/loom

// ANCHOR: choose
#[cfg(cotask_loom)]
pub(crate) use interleave::{
    sync::{Arc, atomic},
    thread,
    unpoisoned::{Condvar, Mutex, RwLock},
};

#[cfg(not(cotask_loom))]
pub(crate) use std::{
    sync::{Arc, atomic},
    thread,
};

#[cfg(not(cotask_loom))]
pub(crate) use unpoisoned::{Condvar, Mutex, RwLock};
// ANCHOR_END: choose

#[cfg(not(cotask_loom))]
mod unpoisoned {
    use std::sync::{self, MutexGuard, RwLockReadGuard, RwLockWriteGuard};
    use std::time::Duration;

    /// A mutex without poisoning: a panic under the lock leaves the data as it was at that moment.
    ///
    /// Every critical section of this crate is short, runs no foreign code, and is written so that it cannot
    /// panic between two writes that belong together; poisoning would only turn one panic into many.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Mutex(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
        }

        pub(crate) fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner())
        }

        pub(crate) fn into_inner(self) -> T {
            self.0.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
        }
    }

    /// A reader-writer lock, without poisoning for the same reason.
    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
            self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner())
        }

        pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
            self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner())
        }
    }

    /// A condition variable for a [`Mutex`] of ours.
    #[derive(Debug, Default)]
    pub(crate) struct Condvar(sync::Condvar);

    impl Condvar {
        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        /// Waits until notified, or for no reason.
        pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
            self.0.wait(guard).unwrap_or_else(|poisoned| poisoned.into_inner())
        }

        /// Waits until notified, or for `limit` and then returns true. May return early. `guard` is of `mutex`.
        pub(crate) fn wait_timeout<'a, T>(
            &self,
            _mutex: &'a Mutex<T>,
            guard: MutexGuard<'a, T>,
            limit: Duration,
        ) -> (MutexGuard<'a, T>, bool) {
            let (guard, result) =
                self.0.wait_timeout(guard, limit).unwrap_or_else(|poisoned| poisoned.into_inner());
            (guard, result.timed_out())
        }
    }
}
