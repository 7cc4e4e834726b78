//! The recorder: what it reports, and what it writes.

mod checker;
mod grammar;
mod outputs;
#[cfg(feature = "tracing")]
mod tracing;
