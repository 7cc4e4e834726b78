//! Locks, condition variables, notifications, shared ownership.

use std::fmt;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

pub use crate::arc::Arc;
use crate::recorder::{self, At, Op};

/// Channels of loom, not recorded.
pub use loom::sync::mpsc;

pub mod atomic {
    //! Atomic types and fences: `std::sync::atomic` under loom, recorded.
    pub use crate::atomic::*;
}

macro_rules! guard {
    ($guard:ident, $loom:ident, $about:literal) => {
        #[doc = $about]
        pub struct $guard<'a, T: ?Sized> {
            // Empty only while it is dropped, or waits on a condition variable.
            inner: Option<loom::sync::$loom<'a, T>>,
            object: u32,
            at: At,
        }

        impl<T: ?Sized> Deref for $guard<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                self.inner.as_ref().expect("a guard in use has its lock")
            }
        }

        impl<T: ?Sized> Drop for $guard<'_, T> {
            fn drop(&mut self) {
                if let Some(inner) = self.inner.take() {
                    if recorder::is_given_up() {
                        return mem::forget(inner);
                    }
                    let begun = recorder::begin("unlock", self.object, self.at);
                    drop(inner);
                    begun.done(Op::Unlock);
                }
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

macro_rules! lock {
    ($lock:ident, $guard:ident, $method:ident, $try_method:ident) => {
        /// Waits until the lock is free, and takes it.
        ///
        /// # Errors
        /// None: a panic ends the execution, so that a poisoned lock is never met.
        #[track_caller]
        pub fn $method(&self) -> LockResult<$guard<'_, T>> {
            let at = Location::caller();
            let begun = recorder::begin(stringify!($method), self.object, at);
            let inner = self.inner.$method();
            begun.done(Op::Lock { method: stringify!($method) });
            let guard = |inner| $guard { inner: Some(inner), object: self.object, at };
            inner.map(guard).map_err(|poisoned| PoisonError::new(guard(poisoned.into_inner())))
        }

        /// Takes the lock if it is free.
        ///
        /// # Errors
        /// `WouldBlock`, if it is not.
        #[track_caller]
        pub fn $try_method(&self) -> TryLockResult<$guard<'_, T>> {
            let at = Location::caller();
            let begun = recorder::begin(stringify!($try_method), self.object, at);
            match self.inner.$try_method() {
                Ok(inner) => {
                    begun.done(Op::Lock { method: stringify!($try_method) });
                    Ok($guard { inner: Some(inner), object: self.object, at })
                }
                Err(_) => {
                    begun.done(Op::Refused { method: stringify!($try_method) });
                    Err(TryLockError::WouldBlock)
                }
            }
        }
    };
}

macro_rules! common {
    ($lock:ident) => {
        impl<T> $lock<T> {
            /// A free lock around a value.
            #[track_caller]
            pub fn new(value: T) -> Self {
                let object = recorder::object_with::<T>(stringify!($lock), Location::caller());
                $lock { inner: loom::sync::$lock::new(value), object }
            }

            /// The value.
            ///
            /// # Errors
            /// None: see `lock`.
            pub fn into_inner(self) -> LockResult<T> {
                self.inner.into_inner()
            }
        }

        impl<T: ?Sized> $lock<T> {
            /// The value, through an exclusive reference: no lock is needed.
            ///
            /// # Errors
            /// None: see `lock`.
            pub fn get_mut(&mut self) -> LockResult<&mut T> {
                self.inner.get_mut()
            }
        }

        impl<T: Default> Default for $lock<T> {
            #[track_caller]
            fn default() -> Self {
                Self::new(T::default())
            }
        }

        impl<T> From<T> for $lock<T> {
            #[track_caller]
            fn from(value: T) -> Self {
                Self::new(value)
            }
        }

        impl<T: ?Sized> fmt::Debug for $lock<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($lock))
            }
        }
    };
}

/// `std::sync::Mutex` under loom, recorded.
pub struct Mutex<T: ?Sized> {
    object: u32,
    inner: loom::sync::Mutex<T>,
}

common!(Mutex);
guard!(MutexGuard, MutexGuard, "A locked [`Mutex`].");

impl<T: ?Sized> Mutex<T> {
    lock!(Mutex, MutexGuard, lock, try_lock);
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("a guard in use has its lock")
    }
}

/// `std::sync::RwLock` under loom, recorded.
pub struct RwLock<T: ?Sized> {
    object: u32,
    inner: loom::sync::RwLock<T>,
}

common!(RwLock);
guard!(RwLockReadGuard, RwLockReadGuard, "A [`RwLock`] locked for reading.");
guard!(RwLockWriteGuard, RwLockWriteGuard, "A [`RwLock`] locked for writing.");

impl<T: ?Sized> RwLock<T> {
    lock!(RwLock, RwLockReadGuard, read, try_read);
    lock!(RwLock, RwLockWriteGuard, write, try_write);
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("a guard in use has its lock")
    }
}

/// `std::sync::Condvar` under loom, recorded. Loom's never wakes for no reason, and has no time that could be over.
#[derive(Debug)]
pub struct Condvar {
    inner: loom::sync::Condvar,
    object: u32,
}

impl Condvar {
    /// A condition variable that nobody waits for.
    #[track_caller]
    pub fn new() -> Self {
        Condvar { inner: loom::sync::Condvar::new(), object: recorder::object("Condvar", Location::caller()) }
    }

    /// Unlocks the mutex, waits for a notification, and locks it again.
    ///
    /// # Errors
    /// None: see [`Mutex::lock`].
    #[track_caller]
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let inner = guard.inner.take().expect("a guard in use has its lock");
        let begun = recorder::begin("wait", self.object, Location::caller());
        begun.step(Op::WaitFrom(guard.object));
        let inner = self.inner.wait(inner).unwrap_or_else(PoisonError::into_inner);
        begun.done(Op::WaitOver(guard.object));
        guard.inner = Some(inner);
        Ok(guard)
    }

    /// Waits until `condition` gives false.
    ///
    /// # Errors
    /// None: see [`Mutex::lock`].
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

    /// Wakes one who waits, if anybody does.
    #[track_caller]
    pub fn notify_one(&self) {
        let begun = recorder::begin("notify_one", self.object, Location::caller());
        self.inner.notify_one();
        begun.done(Op::Notify("notify_one"));
    }

    /// Wakes all who wait.
    #[track_caller]
    pub fn notify_all(&self) {
        let begun = recorder::begin("notify_all", self.object, Location::caller());
        self.inner.notify_all();
        begun.done(Op::Notify("notify_all"));
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

/// Loom's stand-in for what a thread sleeps on (an eventfd, a parker): one permit, one who waits. A wait may end once
/// for no reason.
#[derive(Debug)]
pub struct Notify {
    inner: loom::sync::Notify,
    object: u32,
    // Whether a permit was given that no wait has used: tells a spurious end. Not part of the model.
    given: std::sync::atomic::AtomicBool,
}

impl Notify {
    /// Without a permit.
    #[track_caller]
    pub fn new() -> Self {
        Notify {
            inner: loom::sync::Notify::new(),
            object: recorder::object("Notify", Location::caller()),
            given: Default::default(),
        }
    }

    /// Gives the permit, or wakes who waits for it.
    #[track_caller]
    pub fn notify(&self) {
        let begun = recorder::begin("notify", self.object, Location::caller());
        self.inner.notify();
        self.given.store(true, atomic::Ordering::Relaxed);
        begun.done(Op::Notify("notify"));
    }

    /// Waits for the permit and takes it.
    ///
    /// # Panics
    /// If another thread is waiting already.
    #[track_caller]
    pub fn wait(&self) {
        let begun = recorder::begin("wait", self.object, Location::caller());
        self.inner.wait();
        let spurious = !self.given.swap(false, atomic::Ordering::Relaxed);
        begun.done(Op::Notified { spurious });
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Self {
        Notify::new()
    }
}
