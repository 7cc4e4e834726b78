//! # A semaphore that never waits
//!
//! **It promises:** Never more permits are taken than there are, and no attempt is refused while a permit is
//! free.
//!
//! It does not keep that. Write the model below, find the bug, repair `Mine`. After each step,
//! `cargo loom exercise semaphore` says what comes next.

use crate::museum::shim::atomic::{
    AtomicIsize,
    Ordering::{AcqRel, Release},
};

/// Permits, none at first.
pub trait Permits: Send + Sync + 'static {
    fn new() -> Self;
    fn release(&self);
    /// Whether there was one.
    fn try_acquire(&self) -> bool;
}

pub struct Mine {
    permits: AtomicIsize,
}

impl Permits for Mine {
    fn new() -> Self {
        Mine { permits: AtomicIsize::new(0) }
    }

    fn release(&self) {
        self.permits.fetch_add(1, Release);
    }

    fn try_acquire(&self) -> bool {
        if self.permits.fetch_sub(1, AcqRel) > 0 {
            return true;
        }
        // There was none: undo it.
        self.permits.fetch_add(1, Release);
        false
    }
}

/// Your model: threads that use `P`, and assertions of what it promises. It must fail for the version above as it
/// stands, and hold for every version that keeps the promise. `use crate::museum::shim::{Arc, thread};` brings what most
/// models need.
pub fn model<P: Permits>() {}
