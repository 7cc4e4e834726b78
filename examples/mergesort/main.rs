//! A million integers sorted by worker processes over TCP, and merged as their results arrive.
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod mergesort;

fn main() -> std::process::ExitCode {
    common::main(&mergesort::WORKLOAD)
}
