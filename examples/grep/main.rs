//! `cat | grep | wc -l` in three styles: a loop, threads with channels, coroutines.
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod grep;

fn main() -> std::process::ExitCode {
    common::main(&grep::WORKLOAD)
}
