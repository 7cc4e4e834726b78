//! Shared ownership.

use std::borrow::Borrow;
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::panic::Location;

use crate::recorder::{self, At, Op};

/// `std::sync::Arc` under loom, recorded. Loom fails an execution after which one is left; the picture then tells
/// which handle it was, and where it was cloned.
pub struct Arc<T: ?Sized> {
    // Empty only while it is dropped.
    inner: Option<loom::sync::Arc<T>>,
    object: u32,
    handle: u32,
    at: At,
}

impl<T> Arc<T> {
    /// The first handle of a new value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Arc::first(loom::sync::Arc::new(value), Location::caller())
    }

    /// The value, if this is the only handle.
    ///
    /// # Errors
    /// The handle, if it is not.
    #[track_caller]
    pub fn try_unwrap(mut this: Self) -> Result<T, Self> {
        let inner = this.inner.take().expect("a handle in use is there");
        match loom::sync::Arc::try_unwrap(inner) {
            Ok(value) => {
                recorder::record(this.object, Location::caller(), Op::Drop(this.handle));
                Ok(value)
            }
            Err(inner) => {
                this.inner = Some(inner);
                Err(this)
            }
        }
    }
}

impl<T: ?Sized> Arc<T> {
    fn inner(&self) -> &loom::sync::Arc<T> {
        self.inner.as_ref().expect("a handle in use is there")
    }

    fn first(inner: loom::sync::Arc<T>, at: At) -> Self {
        let (object, handle) = (recorder::object_with::<T>("Arc", at), recorder::handle());
        recorder::record(object, at, Op::Handle(handle));
        Arc { inner: Some(inner), object, handle, at }
    }

    /// The handle that a `std::sync::Arc` was, of which there is no other. Needed for types without a size, which
    /// only the standard library's can be coerced to.
    ///
    /// # Panics
    /// If it is not the only one.
    #[track_caller]
    pub fn from_std(only: std::sync::Arc<T>) -> Self {
        Arc::first(loom::sync::Arc::from_std(only), Location::caller())
    }

    /// How many handles there are.
    #[track_caller]
    pub fn strong_count(this: &Self) -> usize {
        loom::sync::Arc::strong_count(this.inner())
    }

    /// The value, if this is the only handle.
    #[track_caller]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        loom::sync::Arc::get_mut(this.inner.as_mut()?)
    }

    /// Whether both are handles of one value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        loom::sync::Arc::ptr_eq(this.inner(), other.inner())
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.inner()
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let at = Location::caller();
        let begun = recorder::begin("clone", self.object, at);
        let inner = self.inner().clone();
        let handle = recorder::handle();
        begun.done(Op::Clone(handle));
        Arc { inner: Some(inner), object: self.object, handle, at }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            if recorder::is_given_up() {
                return mem::forget(inner);
            }
            let begun = recorder::begin("drop", self.object, self.at);
            drop(inner);
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
