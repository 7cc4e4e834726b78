//! Threads or async, for this load, on this machine? Every workload in every style, each run in a process of its own.
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[path = "../chat/mod.rs"]
mod chat;
#[path = "../common/mod.rs"]
mod common;
#[path = "../echo/mod.rs"]
mod echo;
#[path = "../fib/mod.rs"]
mod fib;
#[path = "../grep/mod.rs"]
mod grep;
#[path = "../mergesort/mod.rs"]
mod mergesort;
#[path = "../photos/mod.rs"]
mod photos;
#[path = "../queues/mod.rs"]
mod queues;
#[path = "../rates/mod.rs"]
mod rates;
#[path = "../webapp/mod.rs"]
mod webapp;

mod cells;
mod cli;
mod export;
mod machine;
mod plot;
mod report;
mod runner;
mod syscalls;
mod table;
mod verdict;

use std::process::ExitCode;

use common::Workload;

/// All workloads, in the order in which they are run.
// One a line, so that two people can add theirs at once.
#[rustfmt::skip]
static WORKLOADS: &[&Workload] = &[
    &rates::WORKLOAD,
    &echo::WORKLOAD,
    &echo::IDLE,
    &webapp::WORKLOAD,
    &chat::WORKLOAD,
    &chat::CUT,
    &chat::UNBOUNDED,
    &fib::WORKLOAD,
    &mergesort::WORKLOAD,
    &queues::WORKLOAD,
    &photos::WORKLOAD,
    &grep::WORKLOAD,
];

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    // `compare run NAME ARGS...`: one run or one helper, in a process of its own.
    if args.next().is_some_and(|first| first == "run")
        && let Some(name) = args.next()
        && let Some(workload) = WORKLOADS.iter().find(|workload| name == workload.name)
    {
        return common::run(workload, vec!["run".into(), name], args.collect());
    }
    cli::main()
}
