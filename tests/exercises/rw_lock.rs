//! # Many readers or one writer
//!
//! **It promises:** As long as a writer is inside, no other thread is; readers may be inside together. No call
//! waits: an attempt that may not enter returns `false` and leaves no trace.
//!
//! It does not keep that. Write the model below, find the bug, repair `Mine`. After each step,
//! `cargo loom exercise rw_lock` says what comes next.

use crate::museum::shim::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{AcqRel, Acquire, Release},
};

/// A lock that refuses instead of waiting.
pub trait ReadWrite: Send + Sync + 'static {
    fn new() -> Self;
    /// Whether the caller is inside now, to read.
    fn try_read(&self) -> bool;
    fn end_read(&self);
    /// Whether the caller is inside now, to write.
    fn try_write(&self) -> bool;
    fn end_write(&self);
}

pub struct Mine {
    writing: AtomicBool,
    readers: AtomicUsize,
}

impl ReadWrite for Mine {
    fn new() -> Self {
        Mine { writing: AtomicBool::new(false), readers: AtomicUsize::new(0) }
    }

    fn try_read(&self) -> bool {
        if self.writing.load(Acquire) {
            return false;
        }
        self.readers.fetch_add(1, AcqRel);
        true
    }

    fn end_read(&self) {
        self.readers.fetch_sub(1, Release);
    }

    fn try_write(&self) -> bool {
        self.readers.load(Acquire) == 0 && !self.writing.swap(true, AcqRel)
    }

    fn end_write(&self) {
        self.writing.store(false, Release);
    }
}

/// Your model: threads that use `R`, and assertions of what it promises. It must fail for the version above as it
/// stands, and hold for every version that keeps the promise. `use crate::museum::shim::{Arc, thread};` brings what most
/// models need.
pub fn model<R: ReadWrite>() {}
