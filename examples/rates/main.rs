//! Currency rates fetched over HTTP from a quote server that answers slowly: all pairs at once, or one after the other.
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod rates;

fn main() -> std::process::ExitCode {
    common::main(&rates::WORKLOAD)
}
