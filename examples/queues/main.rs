//! Workers, a queue of tasks, a queue of results, and an end marker, in six styles.
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod queues;

fn main() -> std::process::ExitCode {
    common::main(&queues::WORKLOAD)
}
