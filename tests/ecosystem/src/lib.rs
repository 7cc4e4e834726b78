//! Real crates on cotask.
//!
//! [`adapters`] is what had to be written for them: a file a guest. [`on_cotask`] and [`on_tokio`] hold the same
//! programs, compiled twice from the same files of `src/programs`: only the module `host` differs, which says what
//! a task, a socket, a timer and the guest's adapters are there. The tests compare what the two answer.

pub mod adapters;
pub mod cost;
pub mod on_cotask;
pub mod on_tokio;
pub mod servers;
