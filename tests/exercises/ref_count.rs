//! # The last one turns off the light
//!
//! **It promises:** Each of two owners leaves a mark, and lets go. The last one to let go learns that it is the
//! last, and sees both marks.
//!
//! It does not keep that. Write the model below, find the bug, repair `Mine`. After each step,
//! `cargo loom exercise ref_count` says what comes next.

use crate::museum::shim::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{Relaxed, Release},
};

/// Something with two owners, 0 and 1.
pub trait Counted: Send + Sync + 'static {
    fn new() -> Self;
    fn mark(&self, owner: usize);
    /// Lets go. The last one gets the sum of the marks, which is 2.
    fn release(&self) -> Option<u32>;
}

pub struct Mine {
    gone: AtomicUsize,
    /// Plain memory, as it were: always `Relaxed`, leave it so.
    marks: [AtomicU32; 2],
}

impl Counted for Mine {
    fn new() -> Self {
        Mine { gone: AtomicUsize::new(0), marks: [AtomicU32::new(0), AtomicU32::new(0)] }
    }

    fn mark(&self, owner: usize) {
        self.marks[owner].store(1, Relaxed);
    }

    fn release(&self) -> Option<u32> {
        if self.gone.fetch_add(1, Release) + 1 < self.marks.len() {
            return None;
        }
        Some(self.marks.iter().map(|mark| mark.load(Relaxed)).sum())
    }
}

/// Your model: threads that use `C`, and assertions of what it promises. It must fail for the version above as it
/// stands, and hold for every version that keeps the promise. `use crate::museum::shim::{Arc, thread};` brings what most
/// models need.
pub fn model<C: Counted>() {}
