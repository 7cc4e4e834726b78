//! Locks, condition variables, notifications, shared ownership.

pub use crate::arc::Arc;
pub use crate::condvar::{Condvar, Notify};
pub use crate::lock::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub mod mpsc {
    //! Channels: `std::sync::mpsc` under loom, recorded.
    pub use crate::mpsc::*;
    pub use std::sync::mpsc::{RecvError, SendError, TryRecvError};
}

pub mod atomic {
    //! Atomic types and fences: `std::sync::atomic` under loom, recorded.
    pub use crate::atomic::*;
}
