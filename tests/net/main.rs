//! Sockets of the real system, on the loopback interface: what `cotask::net` and the reactor promise of them.
#![cfg(unix)]

mod closing;
mod echo;
mod edges;
#[cfg(target_os = "linux")]
mod ends;
mod errors;
mod misuse;
mod support;
