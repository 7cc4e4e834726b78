//! Locks without poisoning, as many crates wrap `std`'s for themselves: the other side of such a shim. A lock whose holder
//! panicked is free again when the panic has been caught, and holds what it held then.
//!
//! ```
//! use interleave::sync::Arc;
//! use interleave::unpoisoned::Mutex;
//!
//! interleave::model("no unwrap", || {
//!     let count = Arc::new(Mutex::new(0));
//!     let theirs = count.clone();
//!     let adding = interleave::thread::spawn(move || *theirs.lock() += 1);
//!     *count.lock() += 1;
//!     adding.join().unwrap();
//!     assert_eq!(*count.lock(), 2);
//! });
//! ```

use std::sync::PoisonError;
use std::time::Duration;

use crate::sync;
pub use crate::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

/// A mutex without poisoning.
#[derive(Debug)]
pub struct Mutex<T>(sync::Mutex<T>);

impl<T> Mutex<T> {
    /// A free mutex around a value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Mutex(sync::Mutex::new(value))
    }

    /// Waits until it is free, and takes it.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, through an exclusive reference.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

/// A reader-writer lock without poisoning.
#[derive(Debug)]
pub struct RwLock<T>(sync::RwLock<T>);

impl<T> RwLock<T> {
    /// A free lock around a value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        RwLock(sync::RwLock::new(value))
    }

    /// Waits until no thread writes, and reads.
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no thread reads or writes, and writes.
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

/// A condition variable for this [`Mutex`].
#[derive(Debug)]
pub struct Condvar(sync::Condvar);

impl Condvar {
    /// A condition variable that no thread waits on.
    #[track_caller]
    pub fn new() -> Self {
        Condvar(sync::Condvar::new())
    }

    /// Wakes one thread that waits.
    #[track_caller]
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all threads that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Waits until notified.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until notified or until the time has passed, and returns whether it has. `guard` is of `mutex`. A model
    /// has no clock: here a limit of zero has always passed, as late as another thread can make it; no other does.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        mutex: &'a Mutex<T>,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        if limit.is_zero() {
            drop(guard);
            return (mutex.lock(), true);
        }
        (self.wait(guard), false)
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}
