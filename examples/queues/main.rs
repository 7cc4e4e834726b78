//! Workers, a queue of tasks, a queue of results, and an end marker, in six styles.
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod queues;

fn main() -> std::process::ExitCode {
    common::main(&queues::WORKLOAD)
}
