//! Work that only computes, in six styles: who uses the cores, and what does async add?
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod fib;

fn main() -> std::process::ExitCode {
    common::main(&fib::WORKLOAD)
}
