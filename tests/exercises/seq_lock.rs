//! # A pair that is read without a lock
//!
//! **It promises:** One thread writes a pair of numbers, others read it. A read returns a pair that was written
//! together, or says that it could not: never half of one pair and half of the next.
//!
//! It does not keep that. Write the model below, find the bug, repair `Mine`. After each step,
//! `cargo loom exercise seq_lock` says what comes next.

use crate::museum::shim::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// A pair with one writer.
pub trait Pair: Send + Sync + 'static {
    fn new() -> Self;
    fn write(&self, left: u32, right: u32);
    /// `None` if a write came in between.
    fn try_read(&self) -> Option<(u32, u32)>;
}

pub struct Mine {
    /// Odd while a write is under way.
    version: AtomicUsize,
    /// Plain memory, as it were: always `Relaxed`, leave it so.
    pair: [AtomicU32; 2],
}

impl Pair for Mine {
    fn new() -> Self {
        Mine { version: AtomicUsize::new(0), pair: [AtomicU32::new(0), AtomicU32::new(0)] }
    }

    fn write(&self, left: u32, right: u32) {
        let version = self.version.load(Relaxed);
        self.version.store(version + 1, Relaxed);
        fence(Release);
        self.pair[0].store(left, Relaxed);
        self.pair[1].store(right, Relaxed);
        self.version.store(version + 2, Release);
    }

    fn try_read(&self) -> Option<(u32, u32)> {
        let before = self.version.load(Acquire);
        let pair = (self.pair[0].load(Relaxed), self.pair[1].load(Relaxed));
        let after = self.version.load(Acquire);
        (before == after && before.is_multiple_of(2)).then_some(pair)
    }
}

/// Your model: threads that use `P`, and assertions of what it promises. It must fail for the version above as it
/// stands, and hold for every version that keeps the promise. `use crate::museum::shim::{Arc, thread};` brings what most
/// models need.
pub fn model<P: Pair>() {}
