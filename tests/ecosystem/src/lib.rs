//! Real crates on cotask.
//!
//! [`adapters`] is what had to be written for them: one file per guest. [`on_cotask`] and [`on_tokio`] hold the same
//! programs, compiled twice from the same files of `src/programs`: only the module `host` differs, which says what
//! a task, a socket, a timer and the guest's adapters are there. The tests compare what the two answer.
//!
//! Without the feature `guests`, which is on by default, there is only what hyper needs.

pub mod adapters;
#[cfg(feature = "guests")]
pub mod cost;
pub mod on_cotask;
#[cfg(feature = "guests")]
pub mod on_tokio;
#[cfg(feature = "guests")]
pub mod servers;
