//! An async coroutine runtime made to be read.

pub mod blocking;
mod budget;
mod clock;
pub mod cores;
pub mod coroutine;
mod executor;
mod handle;
mod inbox;
mod join;
mod join_set;
mod loom;
pub mod net;
mod order;
mod reactor;
mod runtime;
pub mod signal;
mod slab;
pub mod sync;
mod task;
pub mod time;
pub mod trace;
mod waker;
mod wheel;

pub use handle::{Handle, RemoteJoinHandle};
pub use join::{Id, JoinError, JoinHandle};
pub use join_set::JoinSet;
pub use runtime::{Builder, Runtime, YieldNow, block_on, spawn, spawn_blocking, spawn_named, yield_now};
