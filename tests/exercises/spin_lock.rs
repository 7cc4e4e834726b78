//! # A spin lock
//!
//! **It promises:** Between `lock` and `unlock` there is one thread, and it sees what the one before it did.
//! While a thread waits, the others go on.
//!
//! It does not keep that. Write the model below, find the bug, repair `Mine`. After each step,
//! `cargo loom exercise spin_lock` says what comes next.

use crate::museum::shim::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};

/// A lock without data.
pub trait Lock: Send + Sync + 'static {
    fn new() -> Self;
    fn lock(&self);
    fn unlock(&self);
}

pub struct Mine {
    locked: AtomicBool,
}

impl Lock for Mine {
    fn new() -> Self {
        Mine { locked: AtomicBool::new(false) }
    }

    fn lock(&self) {
        while self.locked.compare_exchange(false, true, Acquire, Relaxed).is_err() {}
    }

    fn unlock(&self) {
        self.locked.store(false, Release);
    }
}

/// Your model: threads that use `L`, and assertions of what it promises. It must fail for the version above as it
/// stands, and hold for every version that keeps the promise. `use crate::museum::shim::{Arc, thread};` brings what most
/// models need.
pub fn model<L: Lock>() {}
