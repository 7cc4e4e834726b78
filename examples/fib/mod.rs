//! Fibonacci numbers by the slow recursion: work that only computes, and never waits.
//!
//! Here async has nothing to offer: a task that computes holds its thread, and there is nothing to wait for
//! meanwhile. What helps is more cores: threads, processes, or the blocking pool behind the coroutines.

mod blocking;
mod coroutines;
mod processes;
mod sequential;
mod threads;
mod worker;

use std::hint::black_box;

use crate::common::{
    Common, Figure, Hash, Meter, Outcome, Role, Size, Style, Workers, Workload, progress, source,
};

/// Compute the same Fibonacci number several times over, by the slow recursion
#[derive(clap::Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    common: Common,
    /// Which Fibonacci number
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=50))]
    n: u32,
    /// How many times
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    jobs: u64,
    #[command(flatten)]
    workers: Workers,
}

/// What a style is asked to do.
#[derive(Clone, Copy)]
pub(crate) struct Task {
    pub(crate) n: u32,
    pub(crate) jobs: usize,
    pub(crate) workers: usize,
}

pub(crate) static WORKLOAD: Workload = Workload {
    name: "fib",
    question: "Does async make a program that only computes any faster?",
    counts: "jobs",
    decides: Figure::Wall,
    because: "the work takes the same CPU time in every style. They differ in how many cores work at the same time.",
    plots: &[Figure::Wall, Figure::Cpu],
    styles: &[
        source(Style::Sequential, "sequential.rs", include_str!("sequential.rs")),
        source(Style::Threads, "threads.rs", include_str!("threads.rs")),
        source(Style::Processes, "processes.rs", include_str!("processes.rs")),
        source(Style::Coroutines, "coroutines.rs", include_str!("coroutines.rs")),
        source(Style::Blocking, "blocking.rs", include_str!("blocking.rs")),
    ],
    cases: |size| match size {
        Size::Quick => vec![8],
        Size::Normal => vec![1, 2, 4, 8],
        Size::Full => vec![1, 2, 4, 8, 16, 32],
    },
    args: |size, _style, jobs| {
        let n = match size {
            Size::Quick => "34",
            Size::Normal => "35",
            Size::Full => "36",
        };
        Some(vec!["--n".into(), n.into(), "--jobs".into(), jobs.to_string()])
    },
    command: <Args as clap::CommandFactory>::command,
    run: |matches| run(&<Args as clap::FromArgMatches>::from_arg_matches(matches)?),
};

/// The slow recursion, on purpose: its time grows as its value does, and it needs no memory.
pub(crate) fn fib(n: u32) -> u64 {
    if black_box(n) < 2 { u64::from(n) } else { fib(n - 1) + fib(n - 2) }
}

fn run(args: &Args) -> anyhow::Result<Option<Outcome>> {
    if let Some(Role::Worker) = args.role {
        worker::serve()?;
        return Ok(None);
    }
    let task = Task { n: args.n, jobs: usize::try_from(args.jobs)?, workers: args.workers.count() };
    let bar = progress(args.jobs, "computing");

    let meter = Meter::start();
    let values = match args.common.style {
        Style::Sequential => sequential::compute(task, &bar),
        Style::Threads => threads::compute(task, &bar)?,
        Style::Processes => processes::compute(task, &bar)?,
        Style::Coroutines => coroutines::compute(task, &bar)?,
        Style::Blocking => blocking::compute(task, &bar)?,
        other => return Err(WORKLOAD.no_style(other)),
    };
    let usage = meter.stop();
    bar.finish_and_clear();

    let hash = values.iter().fold(Hash::new(), |hash, value| hash.and(&value.to_le_bytes()));
    let words = format!("fib({}) = {}, computed {} times", args.n, values[0], values.len());
    Ok(Some(Outcome::new(args.jobs, usage).answer_hash(words, hash)))
}
