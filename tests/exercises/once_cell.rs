//! # A cell that is filled once
//!
//! **It promises:** The first call of `get` fills the cell with its value; every caller, then and later, gets
//! that same value.
//!
//! It does not keep that. Write the model below, find the bug, repair `Mine`. After each step,
//! `cargo loom exercise once_cell` says what comes next.

use crate::museum::shim::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

/// A cell for one number.
pub trait Once: Send + Sync + 'static {
    fn new() -> Self;
    /// What is in the cell, or else `value`, which is then in the cell.
    fn get(&self, value: u32) -> u32;
}

pub struct Mine {
    full: AtomicBool,
    value: AtomicU32,
}

impl Once for Mine {
    fn new() -> Self {
        Mine { full: AtomicBool::new(false), value: AtomicU32::new(0) }
    }

    fn get(&self, value: u32) -> u32 {
        if !self.full.load(Acquire) {
            self.value.store(value, Relaxed);
            self.full.store(true, Release);
        }
        self.value.load(Relaxed)
    }
}

/// Your model: threads that use `O`, and assertions of what it promises. It must fail for the version above as it
/// stands, and hold for every version that keeps the promise. `use crate::museum::shim::{Arc, thread};` brings what most
/// models need.
pub fn model<O: Once>() {}
