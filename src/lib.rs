//! An async coroutine runtime made to be read.

pub mod blocking;
mod budget;
mod clock;
pub mod coroutine;
mod executor;
mod inbox;
mod join;
mod loom;
mod order;
mod reactor;
mod runtime;
mod slab;
pub mod sync;
mod task;
pub mod time;
pub mod trace;
mod waker;
mod wheel;

pub use join::{Id, JoinError, JoinHandle};
pub use runtime::{Builder, Runtime, YieldNow, block_on, spawn, spawn_named, yield_now};
