//! A million integers sorted by worker processes over TCP, and merged as their results arrive.
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod mergesort;

fn main() -> std::process::ExitCode {
    common::main(&mergesort::WORKLOAD)
}
