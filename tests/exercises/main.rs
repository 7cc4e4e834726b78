//! The program of `cargo loom exercise`: `guide.rs` says what it does. It shares the harness with `tests/loom`.

#[cfg(cotask_loom)]
#[path = "../loom/answer.rs"]
mod answer;
#[allow(dead_code, reason = "without the harness nothing asks for a model")]
#[path = "exercises.rs"]
mod exercises;
#[cfg(cotask_loom)]
mod guide;
#[allow(dead_code, reason = "the models of tests/loom use the rest")]
#[path = "../loom/model.rs"]
mod model;
#[cfg(cotask_loom)]
#[path = "../loom/process.rs"]
mod process;
#[allow(dead_code, unused_imports, reason = "the exhibits of the museum use the rest")]
#[path = "../museum/shim.rs"]
mod shim;
#[cfg(cotask_loom)]
#[path = "../loom/table.rs"]
mod table;

/// Where the exercises look for the shim: they are compiled beside the museum as well.
mod museum {
    pub(crate) use super::shim;
}

#[cfg(cotask_loom)]
fn main() -> std::process::ExitCode {
    guide::main()
}

#[cfg(not(cotask_loom))]
fn main() {
    println!("no model in this build: run `cargo loom exercise`");
}
