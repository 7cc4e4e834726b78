//! Channels and locks between tasks: [`oneshot`], [`mpsc`], [`Mutex`], [`Semaphore`], [`Notify`].
//!
//! They wait without blocking the thread, and they are `Send + Sync`: the two ends may live in tasks of one
//! runtime, of two, or in plain threads (the `blocking_*` methods). The names and meanings are tokio's.
//!
//! Three promises hold for all of them:
//!
//! - **Fair.** Who waits is served in the order of arrival. A late-comer never overtakes a waiter, not even
//!   one that has been granted its turn and not been polled since.
//! - **Cancel safe.** Each future may be dropped whenever it is pending. What it had been granted goes to
//!   the next in the queue, and its place is freed. Where something of the caller's is lost with the
//!   future, its documentation says so.
//! - **No foreign code under a lock.** Wakers and values are woken, cloned and dropped only when the lock
//!   is free, so a waker or a destructor may use the very channel that it was called from.
//!
//! From the bottom up: `wait_list` is the queue, `critical` the lock, `permits` counted permits with a
//! queue, and the five primitives are thin layers over these. The folder uses `trace` and `base`.

mod critical;
pub mod mpsc;
mod mutex;
mod notify;
pub mod oneshot;
mod permits;
mod semaphore;
mod sleeper;
mod wait_list;

pub use mutex::{Mutex, MutexGuard, TryLockError};
pub use notify::{Notified, Notify};
pub use semaphore::{
    AcquireError, OwnedSemaphorePermit, Permit, Semaphore, SemaphorePermit, TryAcquireError,
};
pub(crate) use sleeper::block_thread_on;
