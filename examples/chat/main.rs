//! A chat server that passes every message on to everybody, some of whom read slowly.
#[path = "mod.rs"]
mod chat;
#[path = "../common/mod.rs"]
mod common;

fn main() -> std::process::ExitCode {
    common::main(&chat::WORKLOAD)
}
