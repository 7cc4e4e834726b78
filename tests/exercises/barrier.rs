//! # A barrier that is used again
//!
//! **It promises:** Two threads meet: the one that calls `wait` first waits for the other. Then they may meet
//! again, as often as they like.
//!
//! It does not keep that. Write the model below, find the bug, repair `Mine`. After each step,
//! `cargo loom exercise barrier` says what comes next.

use crate::museum::shim::{Condvar, Mutex};

/// A meeting point for two threads.
pub trait Barrier: Send + Sync + 'static {
    fn new() -> Self;
    fn wait(&self);
}

pub struct Mine {
    here: Mutex<u32>,
    changed: Condvar,
}

impl Barrier for Mine {
    fn new() -> Self {
        Mine { here: Mutex::new(0), changed: Condvar::new() }
    }

    fn wait(&self) {
        let mut here = self.here.lock().unwrap();
        *here += 1;
        if *here == 2 {
            *here = 0;
            self.changed.notify_all();
            return;
        }
        while *here != 0 {
            here = self.changed.wait(here).unwrap();
        }
    }
}

/// Your model: threads that use `B`, and assertions of what it promises. It must fail for the version above as it
/// stands, and hold for every version that keeps the promise. `use crate::museum::shim::{Arc, thread};` brings what most
/// models need.
pub fn model<B: Barrier>() {}
