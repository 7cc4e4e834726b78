//! An import of photos beside an event loop that must answer every 16 ms: where does the work belong?
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod photos;

fn main() -> std::process::ExitCode {
    common::main(&photos::WORKLOAD)
}
