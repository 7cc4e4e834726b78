//! The simulation: what it does, what it finds, and that its sockets do as real ones.

#[cfg(target_os = "linux")]
#[path = "../process/alone.rs"]
mod alone;
#[cfg(target_os = "linux")]
#[path = "../process/open.rs"]
mod open;

#[cfg(target_os = "linux")]
mod as_real;
mod basics;
mod deadlock;
mod determinism;
mod faults;
#[cfg(target_os = "linux")]
mod machine;
mod oracle;
mod own_calls;
