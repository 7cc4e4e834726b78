//! A web server whose pages come from a database on another machine: several queries a page, and more visitors than it likes.
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod webapp;

fn main() -> std::process::ExitCode {
    common::main(&webapp::WORKLOAD)
}
