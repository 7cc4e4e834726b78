//! Locks.

use std::fmt;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::ptr;
use std::sync::{self, LockResult, PoisonError, TryLockError, TryLockResult};
use std::thread::panicking;

use loom::thread::ThreadId;

use crate::failure::Kind;
use crate::kept;
use crate::recorder::{self, At, Id, Op};

// Of each lock there are two. Loom's says whose turn it is; the standard library's holds the value, is never waited for,
// and is poisoned as the real one is. Loom's may not be: after a panic under it every operation on it panics.
// That is why its guards live as long as they like: one that a panic would drop is kept until the panic is caught. The
// price is that loom's lock, 16 bytes, is never freed.

macro_rules! guard {
    ($guard:ident, $lock:ident, $about:literal, $left:expr) => {
        #[doc = $about]
        pub struct $guard<'a, T: ?Sized> {
            // Both are empty only while it is dropped, or waits on a condition variable.
            value: Option<sync::$guard<'a, T>>,
            turn: Option<loom::sync::$guard<'static, ()>>,
            lock: &'a $lock<T>,
            at: At,
            /// Loom's guard was made while its thread unwound: it poisons nothing.
            unwinds: bool,
        }

        impl<'a, T: ?Sized> $guard<'a, T> {
            fn new(
                value: sync::$guard<'a, T>,
                turn: loom::sync::$guard<'static, ()>,
                lock: &'a $lock<T>,
                at: At,
                unwinds: bool,
            ) -> Self {
                $guard { value: Some(value), turn: Some(turn), lock, at, unwinds }
            }
        }

        impl<T: ?Sized> Deref for $guard<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                self.value.as_ref().expect("a guard in use has its lock")
            }
        }

        impl<T: ?Sized> Drop for $guard<'_, T> {
            fn drop(&mut self) {
                self.value = None;
                let Some(turn) = self.turn.take() else { return };
                let left: fn(&$lock<T>) = $left;
                left(self.lock);
                if recorder::is_lost(self.lock.object) {
                    return mem::forget(turn);
                }
                if panicking() && !self.unwinds {
                    let lock = ptr::from_ref(self.lock.turn).addr();
                    return kept::keep(lock, turn, self.lock.object, self.at);
                }
                let begun = recorder::begin("unlock", self.lock.object, self.at);
                drop(turn);
                begun.done(Op::Unlock);
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
    ($lock:ident, $guard:ident, $method:ident, $try_method:ident, $entered:expr, $left:expr) => {
        /// Waits until the lock is free, and takes it.
        ///
        /// # Errors
        /// If a thread has panicked while it held the lock for writing. The lock is taken all the same.
        #[track_caller]
        pub fn $method(&self) -> LockResult<$guard<'_, T>> {
            let at = Location::caller();
            let entered: fn(&Self, At) = $entered;
            entered(self, at);
            let begun = recorder::begin(stringify!($method), self.object, at);
            let kept = kept::take(ptr::from_ref(self.turn).addr());
            let unwinds = panicking() && kept.is_none();
            let turn = kept.unwrap_or_else(|| self.turn.$method().expect(TURN));
            begun.done(Op::Lock { method: stringify!($method) });
            let guard = |value| $guard::new(value, turn, self, at, unwinds);
            match self.value.$try_method() {
                Ok(value) => Ok(guard(value)),
                Err(TryLockError::Poisoned(poisoned)) => Err(PoisonError::new(guard(poisoned.into_inner()))),
                Err(TryLockError::WouldBlock) => unreachable!("{TURN}"),
            }
        }

        /// Takes the lock if it is free.
        ///
        /// # Errors
        /// `WouldBlock` if it is not. `Poisoned` if a thread has panicked while it held the lock for writing; the lock is
        /// taken all the same.
        #[track_caller]
        pub fn $try_method(&self) -> TryLockResult<$guard<'_, T>> {
            let at = Location::caller();
            let (entered, left): (fn(&Self, At), fn(&Self)) = ($entered, $left);
            entered(self, at);
            let begun = recorder::begin(stringify!($try_method), self.object, at);
            let kept = kept::take(ptr::from_ref(self.turn).addr());
            let unwinds = panicking() && kept.is_none();
            let Some(turn) = kept.or_else(|| self.turn.$try_method().ok()) else {
                begun.done(Op::Refused { method: stringify!($try_method) });
                left(self);
                return Err(TryLockError::WouldBlock);
            };
            begun.done(Op::Lock { method: stringify!($try_method) });
            let guard = |value| $guard::new(value, turn, self, at, unwinds);
            match self.value.$try_method() {
                Ok(value) => Ok(guard(value)),
                Err(TryLockError::Poisoned(poisoned)) => {
                    Err(TryLockError::Poisoned(PoisonError::new(guard(poisoned.into_inner()))))
                }
                Err(TryLockError::WouldBlock) => unreachable!("{TURN}"),
            }
        }
    };
}

/// What holds of the two locks.
const TURN: &str = "the value is free when it is a thread's turn";

macro_rules! common {
    ($lock:ident $(, $field:ident)?) => {
        impl<T> $lock<T> {
            /// A free lock around a value.
            #[track_caller]
            pub fn new(value: T) -> Self {
                $lock {
                    object: recorder::object_with::<T>(stringify!($lock), Location::caller()),
                    turn: Box::leak(Box::new(loom::sync::$lock::new(()))),
                    $($field: Default::default(),)?
                    value: sync::$lock::new(value),
                }
            }

            /// The value.
            ///
            /// # Errors
            /// If a thread has panicked while it held the lock for writing.
            pub fn into_inner(self) -> LockResult<T> {
                self.value.into_inner()
            }
        }

        impl<T: ?Sized> $lock<T> {
            /// The value, through an exclusive reference: no lock is needed.
            ///
            /// # Errors
            /// If a thread has panicked while it held the lock for writing.
            pub fn get_mut(&mut self) -> LockResult<&mut T> {
                self.value.get_mut()
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
    object: Id,
    turn: &'static loom::sync::Mutex<()>,
    value: sync::Mutex<T>,
}

common!(Mutex);
guard!(MutexGuard, Mutex, "A locked [`Mutex`].", |_| {});

impl<T: ?Sized> Mutex<T> {
    lock!(Mutex, MutexGuard, lock, try_lock, |_, _| {}, |_| {});
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a guard in use has its lock")
    }
}

/// For condition variables.
impl<T: ?Sized> MutexGuard<'_, T> {
    pub(crate) fn object(&self) -> Id {
        self.lock.object
    }

    /// Unlocks. This is no point at which threads may switch.
    pub(crate) fn let_go(&mut self) {
        (self.value, self.turn) = (None, None);
    }

    /// Waits until the mutex is free, and locks it. Returns whether it is poisoned.
    #[track_caller]
    pub(crate) fn take_again(&mut self) -> bool {
        self.turn = Some(self.lock.turn.lock().expect(TURN));
        let value = self.lock.value.lock();
        let poisoned = value.is_err();
        self.value = Some(value.unwrap_or_else(PoisonError::into_inner));
        poisoned
    }
}

/// `std::sync::RwLock` under loom, recorded.
pub struct RwLock<T: ?Sized> {
    object: Id,
    turn: &'static loom::sync::RwLock<()>,
    /// The threads that hold a read guard, or wait for one.
    readers: sync::Mutex<Vec<ThreadId>>,
    value: sync::RwLock<T>,
}

common!(RwLock, readers);
guard!(RwLockReadGuard, RwLock, "A [`RwLock`] locked for reading.", RwLock::reads_no_more);
guard!(RwLockWriteGuard, RwLock, "A [`RwLock`] locked for writing.", |_| {});

impl<T: ?Sized> RwLock<T> {
    lock!(RwLock, RwLockReadGuard, read, try_read, Self::reads, Self::reads_no_more);
    lock!(RwLock, RwLockWriteGuard, write, try_write, |_, _| {}, |_| {});

    fn reads(&self, at: At) {
        let id = loom::thread::current().id();
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.contains(&id) {
            drop(readers);
            let message = "a thread that holds a read guard of a lock takes another: loom counts each thread once, and std's lock \
                 may wait forever if a writer waits in between";
            recorder::complain(Kind::Limit, message.into(), at);
        }
        readers.push(id);
    }

    fn reads_no_more(&self) {
        let id = loom::thread::current().id();
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).retain(|reader| *reader != id);
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a guard in use has its lock")
    }
}
