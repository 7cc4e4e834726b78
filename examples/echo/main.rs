//! An echo server under many connections, mostly idle or all busy; a load client in another process keeps the time.
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod echo;

fn main() -> std::process::ExitCode {
    common::main(&echo::WORKLOAD)
}
