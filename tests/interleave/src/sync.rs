//! Locks, condition variables, notifications, shared ownership.

pub use crate::arc::Arc;
pub use crate::condvar::{Condvar, Notify};
pub use crate::lock::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Channels of loom, not recorded.
pub use loom::sync::mpsc;

pub mod atomic {
    //! Atomic types and fences: `std::sync::atomic` under loom, recorded.
    pub use crate::atomic::*;
}
