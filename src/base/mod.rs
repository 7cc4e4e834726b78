//! What every other folder may use, and what needs nothing of the kit itself.
//!
//! A task's key and its errors, the clock, the seeded generator, the budget of a poll, containers that shrink after a
//! peak, and two doors: `shim` to the primitives of std or loom, `os` to mio. Nothing in here knows an executor, a task or a socket. It uses no
//! other folder.

pub(crate) mod budget;
pub(crate) mod clock;
pub(crate) mod error;
pub(crate) mod key;
pub(crate) mod memory;
pub(crate) mod os;
pub(crate) mod panics;
pub(crate) mod rng;
pub(crate) mod shim;
