//! # Park and unpark
//!
//! **It promises:** `park` returns once `unpark` was called, even if that was before. It uses the call up.
//!
//! It does not keep that. Write the model below, find the bug, repair `Mine`. After each step,
//! `cargo loom exercise parker` says what comes next.

use crate::museum::shim::atomic::{AtomicBool, Ordering::AcqRel};
use crate::museum::shim::{Condvar, Mutex};

/// One thread parks, others unpark it.
pub trait Parker: Send + Sync + 'static {
    fn new() -> Self;
    fn park(&self);
    fn unpark(&self);
}

pub struct Mine {
    token: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Parker for Mine {
    fn new() -> Self {
        Mine { token: AtomicBool::new(false), lock: Mutex::new(()), changed: Condvar::new() }
    }

    fn park(&self) {
        let mut guard = self.lock.lock().unwrap();
        while !self.token.swap(false, AcqRel) {
            guard = self.changed.wait(guard).unwrap();
        }
    }

    fn unpark(&self) {
        self.token.swap(true, AcqRel);
        self.changed.notify_one();
    }
}

/// Your model: threads that use `P`, and assertions of what it promises. It must fail for the version above as it
/// stands, and hold for every version that keeps the promise. `use crate::museum::shim::{Arc, thread};` brings what most
/// models need.
pub fn model<P: Parker>() {}
