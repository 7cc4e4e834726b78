//! # A ring for one producer and one consumer
//!
//! **It promises:** What one thread pushes the other pops: all of it, in order, unchanged. The ring holds two
//! numbers; a third is refused.
//!
//! It does not keep that. Write the model below, find the bug, repair `Mine`. After each step,
//! `cargo loom exercise ring` says what comes next.

use crate::museum::shim::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

/// One thread pushes, one other pops.
pub trait Ring: Send + Sync + 'static {
    fn new() -> Self;
    /// Whether there was room.
    fn push(&self, number: u32) -> bool;
    fn pop(&self) -> Option<u32>;
}

pub struct Mine {
    slots: [AtomicU32; 2],
    /// How many were popped, and how many pushed, since the beginning.
    popped: AtomicUsize,
    pushed: AtomicUsize,
}

impl Ring for Mine {
    fn new() -> Self {
        Mine {
            slots: [AtomicU32::new(0), AtomicU32::new(0)],
            popped: AtomicUsize::new(0),
            pushed: AtomicUsize::new(0),
        }
    }

    fn push(&self, number: u32) -> bool {
        let pushed = self.pushed.load(Relaxed);
        if pushed - self.popped.load(Acquire) == self.slots.len() {
            return false;
        }
        self.slots[pushed % 2].store(number, Relaxed);
        self.pushed.store(pushed + 1, Release);
        true
    }

    fn pop(&self) -> Option<u32> {
        let popped = self.popped.load(Relaxed);
        if popped == self.pushed.load(Acquire) {
            return None;
        }
        self.popped.store(popped + 1, Release);
        Some(self.slots[popped % 2].load(Relaxed))
    }
}

/// Your model: threads that use `R`, and assertions of what it promises. It must fail for the version above as it
/// stands, and hold for every version that keeps the promise. `use crate::museum::shim::{Arc, thread};` brings what most
/// models need.
pub fn model<R: Ring>() {}
