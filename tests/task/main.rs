//! Tasks: how they are polled, woken, joined, cancelled, and what their panics do.

#[cfg(unix)]
#[path = "../process/alone.rs"]
mod alone;
#[path = "../probes/mod.rs"]
mod probes;

mod cancel;
mod foreign_wakers;
mod join_set;
mod leaves;
mod panics;
mod remote_join_handle;
