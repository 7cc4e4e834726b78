//! The tools.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use shuttle::scheduler::{PctScheduler, RandomScheduler};

use crate::model::{Model, Mutant};
use crate::{Args, PASSED, RUN, on_loom, on_pauses, on_shuttle, on_std};

/// What the version without the bug is called.
pub const RIGHT: &str = "right";

/// A way to look for bugs.
pub struct Tool {
    pub name: &'static str,
    pub about: &'static str,
    /// The exhibits over its primitives.
    exhibits: &'static [&'static Model],
    /// Runs one version until it fails, or often enough. Says before each run which it is.
    run: fn(&Args, &Model, fn()),
}

pub const TOOLS: [Tool; 6] = [
    Tool {
        name: "once",
        about: "one run on real threads, as an ordinary test",
        exhibits: on_std::museum::MODELS,
        run: |_, _, body| repeat(1, Duration::MAX, body),
    },
    Tool {
        name: "stress",
        about: "many runs on real threads",
        exhibits: on_std::museum::MODELS,
        run: stress,
    },
    Tool {
        name: "pauses",
        about: "many runs on real threads that pause at random before each operation",
        exhibits: on_pauses::museum::MODELS,
        run: stress,
    },
    Tool {
        name: "random",
        about: "shuttle 0.9, threads chosen at random",
        exhibits: on_shuttle::museum::MODELS,
        run: |args, _, body| shuttle(args, RandomScheduler::new(args.runs as usize), body),
    },
    Tool {
        name: "pct",
        about: "shuttle 0.9, probabilistic concurrency testing with 3 changes of priority",
        exhibits: on_shuttle::museum::MODELS,
        run: |args, _, body| shuttle(args, PctScheduler::new(3, args.runs as usize), body),
    },
    Tool {
        name: "loom",
        about: "loom 0.7, every execution within the exhibit's bound, and its memory orderings",
        exhibits: on_loom::museum::MODELS,
        run: loom,
    },
];

/// Before each run: which.
fn say(run: u32) {
    println!("{RUN}{run}");
}

fn repeat(runs: u32, limit: Duration, body: fn()) {
    let start = Instant::now();
    for run in 1..=runs {
        say(run);
        body();
        if start.elapsed() > limit {
            break;
        }
    }
}

fn stress(args: &Args, _: &Model, body: fn()) {
    repeat(args.runs, Duration::from_secs(args.seconds), body);
}

fn shuttle(args: &Args, scheduler: impl shuttle::scheduler::Scheduler + 'static, body: fn()) {
    let mut config = shuttle::Config::default();
    // Longer than that, and it would not be run again and again.
    config.max_time = Some(Duration::from_secs(args.seconds));
    config.failure_persistence = shuttle::FailurePersistence::None;
    let runs = std::sync::atomic::AtomicU32::new(0);
    shuttle::Runner::new(scheduler, config).run(move || {
        say(runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
        body();
    });
}

fn loom(_: &Args, model: &Model, body: fn()) {
    let explored = interleave::Model::new(model.name).preemption_bound(model.bound).explore(body);
    if let Err(failure) = explored {
        say(failure.execution as u32);
        panic!("{failure}");
    }
}

/// In this process: whether every run passed. A failure ends it otherwise.
pub fn run(args: &Args, tool: &str, exhibit: &str, version: &str) -> Result<bool> {
    let tool = TOOLS.iter().find(|known| known.name == tool).context("no such tool")?;
    let model = tool.exhibits.iter().find(|known| known.name == exhibit).context("no such exhibit")?;
    let bodies = model.mutants.iter().filter_map(|mutant| match mutant {
        Mutant::Body { name, body } => Some((*name, *body)),
        Mutant::Source { .. } => None,
    });
    let body =
        bodies.chain([(RIGHT, model.body)]).find(|(name, _)| *name == version).context("no such version")?.1;
    (tool.run)(args, model, body);
    println!("{PASSED}");
    Ok(true)
}
