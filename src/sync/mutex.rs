//! A lock that may be held across an await.
//!
//! `std::sync::Mutex` blocks the thread that waits, and with it every task of that thread, among them
//! perhaps the one which holds the lock. This one makes the *task* wait. Where no await happens under the
//! lock, std's is faster.
//!
//! # Why the guard carries the value
//!
//! The holder of the lock needs a `&mut T` that lives as long as the guard, and a guard that may move to
//! another thread between two awaits. Safe Rust has no reference that does that: std's guard is not
//! `Send`, and an `UnsafeCell` needs a proof. So the value changes hands by *moving*:
//!
//! ```text
//!   unlocked: Mutex { permits: 1 free, value: Some(T) }
//!                │ lock                       ▲ drop of the guard
//!                ▼                            │
//!   locked:   Mutex { permits: 0 free, value: None }     MutexGuard { value: Some(T) }
//! ```
//! It costs a copy of `T` each way, so put a large `T` in a `Box`. A guard that is leaked
//! (`std::mem::forget`) takes the value with it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::task::{Poll, ready};

use crate::base::shim;

use super::critical::{Turn, locked, wait};
use super::permits::Permits;

// ANCHOR: state
#[derive(Debug)]
struct State<T> {
    /// One permit: the lock.
    permits: Permits,
    /// Here while the lock is free, or has been granted and not been taken up yet.
    value: Option<T>,
}
// ANCHOR_END: state

/// A lock around a value, for tasks.
///
/// Fair: tasks get it in the order in which they asked. Without poisoning: a panic under the lock leaves
/// the value as it was at that moment.
///
/// ```
/// use cotask::sync::Mutex;
/// # use cotask::block_on;
///
/// let counter = Mutex::new(0);
/// block_on(async {
///     let mut guard = counter.lock().await;
///     *guard += 1; // an await may stand here
/// });
/// assert_eq!(counter.into_inner(), 1);
/// ```
pub struct Mutex<T> {
    state: shim::Mutex<State<T>>,
}

const LEAKED: &str = "the guard of this sync::Mutex was leaked, and the value with it";

impl<T> Mutex<T> {
    /// A free lock around `value`.
    ///
    /// # Examples
    /// ```
    /// let counter = cotask::sync::Mutex::new(0);
    /// *counter.try_lock().unwrap() += 1;
    /// assert_eq!(counter.into_inner(), 1);
    /// ```
    pub fn new(value: T) -> Self {
        Mutex { state: shim::Mutex::new(State { permits: Permits::new(1), value: Some(value) }) }
    }

    // ANCHOR: lock
    /// Waits for the lock.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: dropping the future gives up its place in the queue, and a lock that it had been
    /// granted goes to the next.
    ///
    /// ```
    /// # use cotask::sync::Mutex;
    /// # use cotask::block_on;
    /// let words = Mutex::new(vec!["one"]);
    /// block_on(words.lock()).push("two");
    /// assert_eq!(*block_on(words.lock()), ["one", "two"]);
    /// ```
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        let take = |state: &mut State<T>, place: &mut _, turn: &mut Turn<'_>| {
            // Never closed, so ready means granted.
            let _granted = ready!(state.permits.poll_take(1, place, turn));
            Poll::Ready(MutexGuard { mutex: self, value: state.value.take() })
        };
        wait(&self.state, take, |state, key, after| state.permits.leave(key, after)).await
    }
    // ANCHOR_END: lock

    /// Takes the lock if it is free now and no task waits.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] if not.
    ///
    /// ```
    /// let mutex = cotask::sync::Mutex::new(());
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_err());
    /// drop(guard);
    /// assert!(mutex.try_lock().is_ok());
    /// ```
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        locked(&self.state, |state, _| {
            state.permits.try_take(1).map_err(|_busy| TryLockError)?;
            Ok(MutexGuard { mutex: self, value: state.value.take() })
        })
    }

    /// Borrows the value without locking: `&mut` guarantees that no other code uses the mutex.
    ///
    /// # Panics
    ///
    /// If a guard was leaked.
    ///
    /// # Examples
    /// ```
    /// let mut counter = cotask::sync::Mutex::new(0);
    /// *counter.get_mut() += 1;
    /// assert_eq!(*counter.try_lock().unwrap(), 1);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.state.get_mut().value.as_mut().expect(LEAKED)
    }

    /// Takes the value out of the mutex.
    ///
    /// # Panics
    ///
    /// If a guard was leaked.
    ///
    /// # Examples
    /// ```
    /// let words = cotask::sync::Mutex::new(vec!["one"]);
    /// assert_eq!(words.into_inner(), ["one"]);
    /// ```
    pub fn into_inner(self) -> T {
        self.state.into_inner().value.expect(LEAKED)
    }

    // ANCHOR: unlock
    fn unlock(&self, value: Option<T>) {
        locked(&self.state, |state, after| {
            state.value = value;
            state.permits.give(1, after);
        });
    }
    // ANCHOR_END: unlock
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Under a guard of our own: to format the value runs its code.
        match self.try_lock() {
            Ok(guard) => f.debug_struct("Mutex").field("value", &*guard).finish(),
            Err(TryLockError) => f.debug_struct("Mutex").field("value", &format_args!("<locked>")).finish(),
        }
    }
}

/// The lock of a [`Mutex`], and its value. Dropping it puts the value back and hands the lock to the next.
///
/// `Send`, if the value is: it may be held across an await whose task moves to another thread.
#[must_use = "a guard that is dropped unlocks at once"]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// `None` only while it is dropped.
    value: Option<T>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("a guard has the value until it is dropped")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a guard has the value until it is dropped")
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.mutex.unlock(self.value.take());
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The lock is held, or others wait for it and come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryLockError;

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the mutex is locked")
    }
}

impl std::error::Error for TryLockError {}
