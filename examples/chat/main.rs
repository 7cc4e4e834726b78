//! A chat server that passes every message on to everybody, some of whom read slowly.
#[path = "mod.rs"]
mod chat;
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[path = "../common/mod.rs"]
mod common;

fn main() -> std::process::ExitCode {
    common::main(&chat::WORKLOAD)
}
