//! Workers that take tasks from one queue and put results into another, until an end marker tells them to go home.
//!
//! A task is a stretch of numbers, and asks which of them takes the most steps to 1 in the Collatz sequence: work that
//! computes. How much of it there is in a task is `--weight`. Light tasks show what a queue costs, heavy ones what
//! a second core brings.

mod blocking;
mod coroutines;
mod pool;
mod processes;
mod sequential;
mod tokio;
mod worker;

use crate::common::{
    Common, Figure, Hash, Meter, Outcome, Role, Size, Style, Workers, Workload, progress, source,
};

/// Put tasks into a queue for workers, and collect their results from another
#[derive(clap::Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    common: Common,
    /// How many tasks
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    tasks: u64,
    /// How many numbers a task tries
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    weight: u64,
    #[command(flatten)]
    workers: Workers,
}

/// What there is to do.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) tasks: u64,
    pub(crate) weight: u64,
    pub(crate) workers: usize,
}

/// How many tasks may wait in a queue. The sender waits when it is full, so memory stays bounded.
pub(crate) const QUEUE: usize = 128;

/// What travels to the workers.
pub(crate) enum Order {
    Task(u64),
    /// No more tasks come. Each worker takes one of these and ends.
    End,
}

/// What travels back.
pub(crate) enum Report {
    Found(Finding),
    /// A worker has ended. After the last of them the results are complete.
    End,
}

/// The result of a task: which number took the most steps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) task: u64,
    pub(crate) number: u64,
    pub(crate) steps: u32,
}

/// The work of one task.
pub(crate) fn explore(task: u64, weight: u64) -> Finding {
    let numbers = task * weight + 1..=(task + 1) * weight;
    // The first of several: `max_by_key` takes the last, so it goes backwards.
    let longest = numbers.rev().map(|number| (steps(number), number)).max_by_key(|&(steps, _)| steps);
    let (steps, number) = longest.expect("a weight of at least 1");
    Finding { task, number, steps }
}

/// Up to here no sequence leaves 64 bits. (Roosendaal's path records: 12,327,829,503 is the first that does.)
const MOST_NUMBERS: u64 = 10_000_000_000;

fn steps(mut number: u64) -> u32 {
    let mut steps = 0;
    while number != 1 {
        number = if number.is_multiple_of(2) { number / 2 } else { 3 * number + 1 };
        steps += 1;
    }
    steps
}

pub(crate) static WORKLOAD: Workload = Workload {
    name: "queues",
    question: "What does it cost to hand work to workers through a queue, and when does it pay?",
    counts: "tasks",
    decides: Figure::Wall,
    because: "every style tries the same numbers. The question is how soon that is done: a hand-over costs time, and more workers save time.",
    plots: &[Figure::Wall, Figure::Cpu],
    styles: &[
        source(Style::Sequential, "sequential.rs", include_str!("sequential.rs")),
        source(Style::Pool, "pool.rs", include_str!("pool.rs")),
        source(Style::Processes, "processes.rs", include_str!("processes.rs")),
        source(Style::Coroutines, "coroutines.rs", include_str!("coroutines.rs")),
        source(Style::Blocking, "blocking.rs", include_str!("blocking.rs")),
        source(Style::Tokio, "tokio.rs", include_str!("tokio.rs")),
    ],
    cases: |size| match size {
        Size::Quick => vec![2_000],
        Size::Normal => vec![200, 1_000, 4_000],
        Size::Full => vec![200, 1_000, 4_000, 20_000],
    },
    args: |_size, _style, tasks| {
        Some(vec!["--weight".into(), "500".into(), "--tasks".into(), tasks.to_string()])
    },
    command: <Args as clap::CommandFactory>::command,
    run: |matches| run(&<Args as clap::FromArgMatches>::from_arg_matches(matches)?),
};

fn run(args: &Args) -> anyhow::Result<Option<Outcome>> {
    if let Some(Role::Worker) = args.role {
        worker::serve()?;
        return Ok(None);
    }
    let numbers = args.tasks * args.weight;
    anyhow::ensure!(
        numbers <= MOST_NUMBERS,
        "--tasks {} times --weight {} is {numbers} numbers, and at most {MOST_NUMBERS} can be tried",
        args.tasks,
        args.weight
    );
    let workers = args.workers.count();
    let plan = Plan { tasks: args.tasks, weight: args.weight, workers };
    let bar = progress(args.tasks, "exploring");

    let meter = Meter::start();
    let mut found = match args.common.style {
        Style::Sequential => sequential::work(plan, &bar),
        Style::Pool => pool::work(plan, &bar)?,
        Style::Processes => processes::work(plan, &bar)?,
        Style::Coroutines => coroutines::work(plan, &bar)?,
        Style::Blocking => blocking::work(plan, &bar)?,
        Style::Tokio => tokio::work(plan, &bar)?,
        other => return Err(WORKLOAD.no_style(other)),
    };
    let usage = meter.stop();
    bar.finish_and_clear();

    found.sort_unstable_by_key(|finding| finding.task);
    let hash = found.iter().fold(Hash::new(), |hash, finding| {
        hash.and(&finding.task.to_le_bytes())
            .and(&finding.number.to_le_bytes())
            .and(&finding.steps.to_le_bytes())
    });
    // The first of several, again.
    let longest = found.iter().rev().max_by_key(|finding| finding.steps);
    let Finding { number, steps, .. } = longest.expect("at least one task");
    let words = format!(
        "of the numbers up to {}, {number} takes the most steps to 1: {steps}",
        args.tasks * args.weight
    );
    Ok(Some(
        Outcome::new(args.tasks, usage)
            .answer_hash(words, hash)
            .also("us a task", (usage.wall.as_secs_f64() * 1e8 / args.tasks as f64).round() / 100.0),
    ))
}
