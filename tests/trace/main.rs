//! The recorder: what it reports, and what it writes.

#[path = "../../examples/common/perfetto.rs"]
mod perfetto;

mod checker;
mod grammar;
mod outputs;
#[cfg(feature = "tracing")]
mod tracing;
