//! Plain memory that threads share without any synchronization of its own.

use std::fmt;
use std::panic::Location;

use crate::recorder::{self, Id, Op};

/// Plain data, as behind a raw pointer or in an `UnsafeCell`: the code that shares it must keep two threads from being at
/// it at once, one of them writing. A model in which that can happen fails (a data race). Unlike `std`'s it may be
/// shared, because loom's threads take turns on one real thread.
pub struct Cell<T> {
    inner: loom::cell::Cell<T>,
    object: Id,
}

impl<T> Cell<T> {
    /// A cell with this value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Cell {
            inner: loom::cell::Cell::new(value),
            object: recorder::object_with::<T>("Cell", Location::caller()),
        }
    }

    /// Reads.
    #[track_caller]
    pub fn get(&self) -> T
    where
        T: Copy + fmt::Debug,
    {
        let begun = recorder::begin("get", self.object, Location::caller());
        let value = self.inner.get();
        let shown = shown(&begun, &value);
        begun.done(Op::Cell { method: "get", value: shown });
        value
    }

    /// Writes.
    #[track_caller]
    pub fn set(&self, value: T)
    where
        T: fmt::Debug,
    {
        let begun = recorder::begin("set", self.object, Location::caller());
        let shown = shown(&begun, &value);
        let old = self.inner.replace(value);
        begun.done(Op::Cell { method: "set", value: shown });
        drop(old);
    }

    /// Writes, and returns what was there.
    #[track_caller]
    pub fn replace(&self, value: T) -> T
    where
        T: fmt::Debug,
    {
        let begun = recorder::begin("replace", self.object, Location::caller());
        let shown = shown(&begun, &value);
        let old = self.inner.replace(value);
        begun.done(Op::Cell { method: "replace", value: shown });
        old
    }

    /// Takes the value, and leaves the default.
    #[track_caller]
    pub fn take(&self) -> T
    where
        T: Default + fmt::Debug,
    {
        let begun = recorder::begin("take", self.object, Location::caller());
        let old = self.inner.take();
        let shown = shown(&begun, &old);
        begun.done(Op::Cell { method: "take", value: shown });
        old
    }

    /// The value, of a cell that no other thread can reach.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

/// Only what is recorded is put into words.
fn shown(begun: &recorder::Begun, value: &impl fmt::Debug) -> String {
    if begun.lane().is_some() { format!("{value:?}") } else { String::new() }
}

impl<T: Default> Default for Cell<T> {
    #[track_caller]
    fn default() -> Self {
        Cell::new(T::default())
    }
}

impl<T> fmt::Debug for Cell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cell")
    }
}

/// Memory that unsafe code reaches through a raw pointer. A model in which two threads are at it at once, one of them
/// writing, fails (a data race). Take the type from the one place that chooses between `std` and this package; there,
/// `std`'s needs a wrapper with the same two methods, each a line: `f(self.0.get())`.
///
/// ```
/// use interleave::{cell::UnsafeCell, sync::Arc, thread};
///
/// let failure = interleave::Model::new("no lock").explore(|| {
///     let value = Arc::new(UnsafeCell::new(0));
///     let theirs = value.clone();
///     // SAFETY: there is none, and that is what the model finds.
///     let writing = thread::spawn(move || theirs.with_mut(|value| unsafe { *value += 1 }));
///     value.with(|value| unsafe { *value });
///     writing.join().unwrap();
/// });
/// assert_eq!(failure.unwrap_err().kind, interleave::Kind::Race);
/// ```
pub struct UnsafeCell<T> {
    inner: loom::cell::UnsafeCell<T>,
    object: Id,
}

impl<T> UnsafeCell<T> {
    /// A cell with this value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        UnsafeCell {
            inner: loom::cell::UnsafeCell::new(value),
            object: recorder::object_with::<T>("UnsafeCell", Location::caller()),
        }
    }

    /// Reads: `f` gets the pointer, and must not keep it.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        let begun = recorder::begin("with", self.object, Location::caller());
        self.inner.with(|value| {
            begun.done(Op::Cell { method: "with", value: String::new() });
            f(value)
        })
    }

    /// Writes: `f` gets the pointer, and must not keep it.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        let begun = recorder::begin("with_mut", self.object, Location::caller());
        self.inner.with_mut(|value| {
            begun.done(Op::Cell { method: "with_mut", value: String::new() });
            f(value)
        })
    }

    /// The value, of a cell that no other thread has any more.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<T> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsafeCell")
    }
}
