//! # The newest value, for all who watch
//!
//! **It promises:** A watcher that looks after the last change has seen the last value, now or in an earlier
//! look. Values in between may be missed.
//!
//! It does not keep that. Write the model below, find the bug, repair `Mine`. After each step,
//! `cargo loom exercise watch` says what comes next.

use crate::museum::shim::atomic::{
    AtomicU32,
    Ordering::{Acquire, Release},
};

/// A value with one writer, and watchers that remember which version they have seen.
pub trait Watch: Send + Sync + 'static {
    fn new() -> Self;
    fn set(&self, value: u32);
    /// The value, if it is newer than the version `seen`, which is moved on.
    fn changed(&self, seen: &mut u32) -> Option<u32>;
}

pub struct Mine {
    value: AtomicU32,
    version: AtomicU32,
}

impl Watch for Mine {
    fn new() -> Self {
        Mine { value: AtomicU32::new(0), version: AtomicU32::new(0) }
    }

    fn set(&self, value: u32) {
        self.value.store(value, Release);
        self.version.fetch_add(1, Release);
    }

    fn changed(&self, seen: &mut u32) -> Option<u32> {
        let value = self.value.load(Acquire);
        let version = self.version.load(Acquire);
        if version == *seen {
            return None;
        }
        *seen = version;
        Some(value)
    }
}

/// Your model: threads that use `W`, and assertions of what it promises. It must fail for the version above as it
/// stands, and hold for every version that keeps the promise. `use crate::museum::shim::{Arc, thread};` brings what most
/// models need.
pub fn model<W: Watch>() {}
