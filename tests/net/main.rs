//! Sockets of the real system, on the loopback interface: what `cotask::net` and the reactor promise of them.
#![cfg(unix)]

#[path = "../process/alone.rs"]
mod alone;
#[path = "../process/exhaust.rs"]
mod exhaust;
#[path = "../process/open.rs"]
mod open;

mod cancel;
mod closing;
#[cfg(target_os = "linux")]
mod crowd;
mod echo;
mod edges;
#[cfg(target_os = "linux")]
mod ends;
mod errors;
mod limits;
mod lookup_host;
mod misuse;
mod ready;
#[cfg(target_os = "linux")]
mod storm;
mod support;
mod taken;
mod tokens;
mod turns;
mod waiters;
