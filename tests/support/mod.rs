//! `tests/example_programs` by the name that `tests/steps.rs` has for it.

#[path = "../example_programs/mod.rs"]
mod example_programs;

pub use example_programs::*;
