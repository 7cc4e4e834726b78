//! Integers sorted in chunks by workers, and merged here as the results arrive.
//!
//! Sorting the chunks is work that any number of cores can share. To hand them out and to merge them is not: it happens
//! on one thread, whatever the others do. Amdahl's law says what follows from the share `s` of this serial part:
//! `n` workers make the whole at most `1 / (s + (1 - s) / n)` times as fast, and no number of them more than `1 / s`
//! times (Gene Amdahl, 1967). Each run measures `s`; `--scaling` tries the law out.

mod coroutines;
mod numbers;
mod processes;
mod scaling;
mod sequential;
mod threads;
mod wire;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::common::{
    Common, Figure, Hash, Meter, Outcome, Role, Size, Style, Usage, Workers, Workload, progress, source,
};

/// Sort integers: workers sort chunks of them, one process merges
#[derive(clap::Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    common: Common,
    /// How many integers
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=50_000_000))]
    numbers: u64,
    #[command(flatten)]
    workers: Workers,
    /// How many chunks; four for each worker if not given
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=4096))]
    chunks: Option<u64>,
    /// Sort again with 1, 2, ... workers, and compare the speed with what Amdahl's law allows
    #[arg(long, conflicts_with = "json")]
    scaling: bool,
    /// Draw what --scaling finds into this SVG file
    #[arg(long, requires = "scaling", value_name = "FILE")]
    plot: Option<PathBuf>,
}

/// How the work is divided.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) workers: usize,
    /// Integers in a chunk; the last one may have fewer.
    pub(crate) chunk: usize,
}

impl Plan {
    fn new(numbers: usize, workers: usize, chunks: Option<u64>) -> anyhow::Result<Plan> {
        let chunks = chunks.map_or(Ok(4 * workers), usize::try_from)?;
        Ok(Plan { workers, chunk: numbers.div_ceil(chunks) })
    }
}

/// What a style gives.
pub(crate) struct Sorted {
    pub(crate) numbers: Vec<i64>,
    /// The processor time that sorting the chunks took, in all workers together.
    pub(crate) sorting: Duration,
}

pub(crate) static WORKLOAD: Workload = Workload {
    name: "mergesort",
    question: "How much faster do worker processes sort, and what holds them back?",
    counts: "integers",
    decides: Figure::Wall,
    because: "more workers are started to be done sooner. What they cost in CPU time and memory stands beside it.",
    plots: &[Figure::Wall, Figure::Cpu],
    styles: &[
        source(Style::Sequential, "sequential.rs", include_str!("sequential.rs")),
        source(Style::Threads, "threads.rs", include_str!("threads.rs")),
        source(Style::Processes, "processes.rs", include_str!("processes.rs")),
        source(Style::Coroutines, "coroutines.rs", include_str!("coroutines.rs")),
    ],
    cases: |size| match size {
        Size::Quick => vec![1_000_000],
        Size::Normal => vec![10_000, 100_000, 1_000_000],
        Size::Full => vec![10_000, 100_000, 1_000_000, 4_000_000],
    },
    args: |_size, _style, numbers| Some(vec!["--numbers".into(), numbers.to_string()]),
    command: <Args as clap::CommandFactory>::command,
    run: |matches| run(&<Args as clap::FromArgMatches>::from_arg_matches(matches)?),
};

/// One sort, with what it cost.
struct Measured {
    sorted: Sorted,
    usage: Usage,
    /// The processor time of the thread that merges, without chunks that it sorted itself.
    serial: Duration,
}

// ANCHOR: serial_share
impl Measured {
    /// The share of the work that only one thread can do.
    fn serial_share(&self) -> f64 {
        let serial = self.serial.as_secs_f64();
        let all = serial + self.sorted.sorting.as_secs_f64();
        if all > 0.0 { serial / all } else { 1.0 }
    }
}
// ANCHOR_END: serial_share

// ANCHOR: amdahl
/// The most that `workers` can speed up work with this serial share: Amdahl's law.
fn amdahl(serial_share: f64, workers: f64) -> f64 {
    1.0 / (serial_share + (1.0 - serial_share) / workers)
}
// ANCHOR_END: amdahl

fn sort(style: Style, plan: Plan, unsorted: &[i64], bar: &ProgressBar) -> anyhow::Result<Measured> {
    let meter = Meter::start();
    let (sorted, here) = numbers::timed(|| match style {
        Style::Sequential => Ok(sequential::sort(plan, unsorted, bar)),
        Style::Threads => Ok(threads::sort(plan, unsorted, bar)?),
        Style::Processes => processes::sort(plan, unsorted, bar),
        Style::Coroutines => coroutines::sort(plan, unsorted, bar),
        other => Err(WORKLOAD.no_style(other)),
    });
    let sorted = sorted?;
    let usage = meter.stop();
    anyhow::ensure!(sorted.numbers.is_sorted(), "{style} did not sort");
    let own_sorting = if style == Style::Sequential { sorted.sorting } else { Duration::ZERO };
    Ok(Measured { serial: here.saturating_sub(own_sorting), sorted, usage })
}

fn run(args: &Args) -> anyhow::Result<Option<Outcome>> {
    if let Some(Role::Worker) = args.role {
        worker::serve()?;
        return Ok(None);
    }
    let workers = args.workers.count();
    let unsorted = numbers::make(usize::try_from(args.numbers)?);
    if args.scaling {
        scaling::run(args, workers, &unsorted)?;
    }
    let bar = progress(args.numbers, "sorting");
    let plan = Plan::new(unsorted.len(), workers, args.chunks)?;
    let measured = sort(args.common.style, plan, &unsorted, &bar)?;
    bar.finish_and_clear();

    let share = measured.serial_share();
    let Measured { sorted: Sorted { numbers, .. }, usage, .. } = measured;
    let hash = numbers.iter().fold(Hash::new(), |hash, number| hash.and(&number.to_le_bytes()));
    let words = format!("{} integers from {} to {}", numbers.len(), numbers[0], numbers[numbers.len() - 1]);
    let hundredths = |value: f64| (value * 100.0).round() / 100.0;
    Ok(Some(
        Outcome::new(args.numbers, usage)
            .answer_hash(words, hash)
            .also("serial share %", hundredths(share * 100.0))
            .also("Amdahl's bound", hundredths(1.0 / share))
            .also(&format!("allowed with {workers}"), hundredths(amdahl(share, workers as f64))),
    ))
}
