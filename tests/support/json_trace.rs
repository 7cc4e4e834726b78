//! `tests/example_programs/json_trace.rs` by the name that `tests/steps.rs` has for it.

#[path = "../example_programs/json_trace.rs"]
mod lines;

pub use lines::read;
