//! Atomic types and fences.

use std::fmt;
use std::panic::Location;

pub use std::sync::atomic::Ordering;

use crate::recorder::{self, Id, Op};

/// An atomic fence. Loom models `SeqCst` truly here, and not on loads and stores, where it takes it for `AcqRel`.
#[track_caller]
pub fn fence(order: Ordering) {
    let begun = recorder::begin("fence", recorder::NONE, Location::caller());
    loom::sync::atomic::fence(order);
    begun.done(Op::Fence(order));
}

macro_rules! atomic {
    ($name:ident, $value:ty, [$(($update:ident, $apply:expr)),*]) => {
        #[doc = concat!("`std::sync::atomic::", stringify!($name), "` under loom, recorded.")]
        pub struct $name {
            inner: loom::sync::atomic::$name,
            object: Id,
        }

        impl $name {
            /// An atomic with this value.
            #[track_caller]
            pub fn new(value: $value) -> Self {
                let at = Location::caller();
                let object = recorder::object(stringify!($name), at);
                recorder::record(object, at, Op::New(value.into()));
                Self { inner: loom::sync::atomic::$name::new(value), object }
            }

            /// Reads.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                let begun = recorder::begin("load", self.object, Location::caller());
                let value = self.inner.load(order);
                begun.done(Op::Load { order, value: value.into() });
                value
            }

            /// Writes.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                let begun = recorder::begin("store", self.object, Location::caller());
                self.inner.store(value, order);
                begun.done(Op::Store { order, value: value.into() });
            }

            /// Writes, and returns what was there.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                let begun = recorder::begin("swap", self.object, Location::caller());
                let old = self.inner.swap(value, order);
                begun.done(Op::Update {
                    method: "swap",
                    operand: Some(value.into()),
                    order,
                    old: old.into(),
                    new: value.into(),
                });
                old
            }

            /// Writes `new` if `current` is there.
            ///
            /// # Errors
            /// What is there instead.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let begun = recorder::begin("compare_exchange", self.object, Location::caller());
                let result = self.inner.compare_exchange(current, new, success, failure);
                let (Ok(found) | Err(found)) = result;
                begun.done(Op::Exchange {
                    method: "compare_exchange",
                    expected: current.into(),
                    new: new.into(),
                    order: if result.is_ok() { success } else { failure },
                    found: found.into(),
                });
                result
            }

            /// As `compare_exchange`: in loom it never fails for no reason.
            ///
            /// # Errors
            /// What is there instead.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            /// Reads, applies `update`, and writes that if nothing was written in between; else again.
            ///
            /// # Errors
            /// What was there when `update` gave nothing.
            #[track_caller]
            pub fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut update: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut present = self.load(fetch);
                while let Some(next) = update(present) {
                    match self.compare_exchange(present, next, set, fetch) {
                        Ok(old) => return Ok(old),
                        Err(found) => present = found,
                    }
                }
                Err(present)
            }

            $(
                #[doc = concat!("`", stringify!($update), "`: returns what was there before.")]
                #[track_caller]
                pub fn $update(&self, operand: $value, order: Ordering) -> $value {
                    let begun = recorder::begin(stringify!($update), self.object, Location::caller());
                    let old = self.inner.$update(operand, order);
                    let apply: fn($value, $value) -> $value = $apply;
                    begun.done(Op::Update {
                        method: stringify!($update),
                        operand: Some(operand.into()),
                        order,
                        old: old.into(),
                        new: apply(old, operand).into(),
                    });
                    old
                }
            )*

            /// The value, of an atomic that no other thread can reach.
            #[track_caller]
            pub fn into_inner(self) -> $value {
                self.inner.into_inner()
            }
        }

        impl Default for $name {
            #[track_caller]
            fn default() -> Self {
                Self::new(Default::default())
            }
        }

        impl From<$value> for $name {
            #[track_caller]
            fn from(value: $value) -> Self {
                Self::new(value)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Not the value: to read it would be a step of the model.
                f.write_str(stringify!($name))
            }
        }
    };
}

atomic!(
    AtomicBool,
    bool,
    [
        (fetch_and, |old, new| old & new),
        (fetch_nand, |old, new| !(old & new)),
        (fetch_or, |old, new| old | new),
        (fetch_xor, |old, new| old ^ new)
    ]
);

macro_rules! integer {
    ($($name:ident $value:ty),*) => {
        $(atomic!(
            $name,
            $value,
            [
                (fetch_add, <$value>::wrapping_add),
                (fetch_sub, <$value>::wrapping_sub),
                (fetch_and, |old, new| old & new),
                (fetch_nand, |old, new| !(old & new)),
                (fetch_or, |old, new| old | new),
                (fetch_xor, |old, new| old ^ new),
                (fetch_max, |old, new| old.max(new)),
                (fetch_min, |old, new| old.min(new))
            ]
        );)*
    };
}

integer!(
    AtomicU8 u8, AtomicU16 u16, AtomicU32 u32, AtomicU64 u64, AtomicUsize usize,
    AtomicI8 i8, AtomicI16 i16, AtomicI32 i32, AtomicI64 i64, AtomicIsize isize
);
