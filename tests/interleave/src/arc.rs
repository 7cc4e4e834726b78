//! Shared ownership.

use std::borrow::Borrow;
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::panic::Location;

use crate::recorder::{self, At, Id, Op};

/// `std::sync::Arc` under loom, recorded. Loom fails an execution after which one is left; the picture then names
/// the handle and the line that cloned it.
pub struct Arc<T: ?Sized> {
    /// Counts the handles, and knows what each has seen. Empty only while the handle is dropped.
    count: Option<loom::sync::Arc<()>>,
    /// Apart, so that a value's destructor runs when it has been recorded that its last handle went.
    value: std::sync::Arc<T>,
    object: Id,
    handle: u32,
    at: At,
}

impl<T> Arc<T> {
    /// The first handle of a new value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Arc::first(std::sync::Arc::new(value), Location::caller())
    }

    /// The value, if this is the only handle.
    ///
    /// # Errors
    /// The handle, if it is not.
    #[track_caller]
    pub fn try_unwrap(mut this: Self) -> Result<T, Self> {
        let begun = recorder::begin("try_unwrap", this.object, Location::caller());
        let count = this.count.take().expect(IN_USE);
        if let Err(count) = loom::sync::Arc::try_unwrap(count) {
            begun.done(Op::Shared { method: "try_unwrap" });
            this.count = Some(count);
            return Err(this);
        }
        begun.done(Op::Drop(this.handle));
        // The destructor of a handle that does not count any more does nothing.
        let value = this.value.clone();
        drop(this);
        Ok(std::sync::Arc::into_inner(value).expect("the only handle"))
    }
}

/// What `count` is for.
const IN_USE: &str = "a handle in use is counted";

impl<T: ?Sized> Arc<T> {
    fn first(value: std::sync::Arc<T>, at: At) -> Self {
        let (object, handle) = (recorder::object_with::<T>("Arc", at), recorder::handle());
        recorder::record(object, at, Op::Handle(handle));
        Arc { count: Some(loom::sync::Arc::new(())), value, object, handle, at }
    }

    fn count(&self) -> &loom::sync::Arc<()> {
        self.count.as_ref().expect(IN_USE)
    }

    /// The handle that a `std::sync::Arc` was, of which there is no other. Needed for types without a size, which
    /// only the standard library's can be coerced to.
    ///
    /// # Panics
    /// If it is not the only one.
    #[track_caller]
    pub fn from_std(mut only: std::sync::Arc<T>) -> Self {
        assert!(std::sync::Arc::get_mut(&mut only).is_some(), "`from_std` takes the only handle of a value");
        Arc::first(only, Location::caller())
    }

    /// How many handles there are.
    #[track_caller]
    pub fn strong_count(this: &Self) -> usize {
        let begun = recorder::begin("strong_count", this.object, Location::caller());
        if std::sync::Arc::strong_count(&this.value) > 1 {
            // Loom goes back from a count to the clones and drops before it, but never from one of those to a count.
            crate::thread::begin_both_orders();
        }
        let count = loom::sync::Arc::strong_count(this.count());
        begun.done(Op::StrongCount(count));
        count
    }

    /// The value, if this is the only handle.
    #[track_caller]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        let begun = recorder::begin("get_mut", this.object, Location::caller());
        let only = loom::sync::Arc::get_mut(this.count.as_mut().expect(IN_USE)).is_some();
        begun.done(if only { Op::Only { method: "get_mut" } } else { Op::Shared { method: "get_mut" } });
        only.then(|| std::sync::Arc::get_mut(&mut this.value).expect("the only handle"))
    }

    /// Whether both are handles of one value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&this.value, &other.value)
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let at = Location::caller();
        let begun = recorder::begin("clone", self.object, at);
        let count = self.count().clone();
        let handle = recorder::handle();
        begun.done(Op::Clone(handle));
        Arc { count: Some(count), value: self.value.clone(), object: self.object, handle, at }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    fn drop(&mut self) {
        if let Some(count) = self.count.take() {
            if recorder::is_lost(self.object) {
                return mem::forget((count, self.value.clone()));
            }
            let begun = recorder::begin("drop", self.object, self.at);
            drop(count);
            begun.done(Op::Drop(self.handle));
        }
    }
}

impl<T: Default> Default for Arc<T> {
    #[track_caller]
    fn default() -> Self {
        Arc::new(T::default())
    }
}

impl<T> From<T> for Arc<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Arc::new(value)
    }
}

impl<T: ?Sized> AsRef<T> for Arc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ?Sized> Borrow<T> for Arc<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
