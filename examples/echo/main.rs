//! An echo server under many connections, mostly idle or all busy; a load client in another process keeps the time.
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod echo;

fn main() -> std::process::ExitCode {
    common::main(&echo::WORKLOAD)
}
