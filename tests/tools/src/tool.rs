//! The tools.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};

use crate::model::{Model, Mutant};
use crate::on_std::museum::{BY_HAND, IN_TASKS};
use crate::sanitizer::{self, Sanitizer};
use crate::{Args, PASSED, RUN, drawn, on_loom, on_pauses, on_shuttle, on_std, tasks};

/// What the version without the bug is called.
pub const RIGHT: &str = "right";

/// A way to look for bugs.
pub struct Tool {
    pub name: &'static str,
    pub about: &'static str,
    /// It runs the exhibits on real threads, which may hang.
    pub on_threads: bool,
    /// What looks on meanwhile.
    pub sanitizer: Option<&'static Sanitizer>,
    /// What it does with a version of an exhibit, if it can do anything with it.
    pub task: fn(&Exhibit) -> Option<Task>,
}

/// Runs the version until it fails, or often enough. Says before each run which it is.
type Task = Box<dyn FnOnce(&Args)>;

/// A version of an exhibit, by the exhibit's name and the version's place: 0 is the right one.
pub struct Exhibit<'a> {
    pub name: &'a str,
    pub version: usize,
}

pub const TOOLS: [Tool; 10] = [
    Tool {
        name: "once",
        about: "one run on real threads, as an ordinary test",
        on_threads: true,
        sanitizer: None,
        task: |exhibit| {
            let body = exhibit.over(on_std::museum::MODELS).1;
            Some(Box::new(move |_| repeat(1, Duration::MAX, |_| body())))
        },
    },
    Tool {
        name: "stress",
        about: "many runs on real threads",
        on_threads: true,
        sanitizer: None,
        task: |exhibit| stress(exhibit, on_std::museum::MODELS),
    },
    Tool {
        name: "pauses",
        about: "many runs on real threads that pause at random before each operation",
        on_threads: true,
        sanitizer: None,
        task: |exhibit| stress(exhibit, on_pauses::museum::MODELS),
    },
    Tool {
        name: "asan",
        about: "stress with AddressSanitizer, which looks for leaks as well",
        on_threads: true,
        sanitizer: Some(&sanitizer::ADDRESS),
        task: |exhibit| stress(exhibit, on_std::museum::MODELS),
    },
    Tool {
        name: "tsan",
        about: "stress with ThreadSanitizer, which looks for data races",
        on_threads: true,
        sanitizer: Some(&sanitizer::THREAD),
        task: |exhibit| stress(exhibit, on_std::museum::MODELS),
    },
    Tool {
        name: "random",
        about: "shuttle 0.9, threads chosen at random",
        on_threads: false,
        sanitizer: None,
        task: |exhibit| shuttle(exhibit, |args| RandomScheduler::new(args.runs as usize)),
    },
    Tool {
        name: "pct",
        about: "shuttle 0.9, probabilistic concurrency testing with 3 changes of priority",
        on_threads: false,
        sanitizer: None,
        task: |exhibit| shuttle(exhibit, |args| PctScheduler::new(3, args.runs as usize)),
    },
    Tool {
        name: "proptest",
        about: "proptest 1 draws turns for shuttle, or calls; 7>2: in run 7, shrunk to 2",
        on_threads: false,
        sanitizer: None,
        task: |exhibit| {
            if let Some((_, versions)) = BY_HAND.iter().find(|(model, _)| model.name == exhibit.name) {
                let body = versions[exhibit.version];
                return Some(Box::new(move |args| drawn::calls(args, body)));
            }
            let body = exhibit.over(on_shuttle::museum::MODELS).1;
            Some(Box::new(move |args| drawn::threads(args, body)))
        },
    },
    Tool {
        name: "sim",
        about: "cotask's simulator, tasks of one thread in an order drawn from a seed",
        on_threads: false,
        sanitizer: None,
        task: |exhibit| {
            let (_, versions) = IN_TASKS.iter().find(|(model, _)| model.name == exhibit.name)?;
            let body = versions[exhibit.version];
            Some(Box::new(move |args| tasks::simulate(args, body)))
        },
    },
    Tool {
        name: "loom",
        about: "loom 0.7, every execution within the exhibit's bound, and its memory orderings",
        on_threads: false,
        sanitizer: None,
        task: |exhibit| {
            let (model, body) = exhibit.over(on_loom::museum::MODELS);
            exhibit.has_threads().then(|| Box::new(move |_: &Args| loom(model, body)) as Task)
        },
    },
];

impl Exhibit<'_> {
    pub fn has_threads(&self) -> bool {
        !BY_HAND.iter().any(|(model, _)| model.name == self.name)
    }

    /// It, over the primitives of one of the museums.
    fn over(&self, exhibits: &'static [&'static Model]) -> (&'static Model, fn()) {
        let model = exhibits.iter().find(|model| model.name == self.name).expect("all museums are one");
        (model, versions(model)[self.version].1)
    }
}

/// The versions of an exhibit: the right one first.
pub fn versions(exhibit: &Model) -> Vec<(&'static str, fn())> {
    let broken = exhibit.mutants.iter().filter_map(|mutant| match mutant {
        Mutant::Body { name, body } => Some((*name, *body)),
        Mutant::Source { .. } => None,
    });
    std::iter::once((RIGHT, exhibit.body)).chain(broken).collect()
}

/// Prints the number of a run, before the run begins.
pub fn say(run: u32) {
    println!("{RUN}{run}");
}

/// Does up to `runs` runs, numbered from 1, and stops after `limit`.
pub fn repeat(runs: u32, limit: Duration, body: impl Fn(u32)) {
    let start = Instant::now();
    for run in 1..=runs {
        say(run);
        body(run);
        if start.elapsed() > limit {
            break;
        }
    }
}

fn stress(exhibit: &Exhibit, exhibits: &'static [&'static Model]) -> Option<Task> {
    let body = exhibit.over(exhibits).1;
    let task = move |args: &Args| repeat(args.runs, Duration::from_secs(args.seconds), |_| body());
    exhibit.has_threads().then(|| Box::new(task) as Task)
}

fn shuttle<S: Scheduler + 'static>(exhibit: &Exhibit, scheduler: fn(&Args) -> S) -> Option<Task> {
    let body = exhibit.over(on_shuttle::museum::MODELS).1;
    let task = move |args: &Args| {
        let runs = std::sync::atomic::AtomicU32::new(0);
        shuttle::Runner::new(scheduler(args), shuttle_config(args)).run(move || {
            say(runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
            body();
        });
    };
    exhibit.has_threads().then(|| Box::new(task) as Task)
}

pub fn shuttle_config(args: &Args) -> shuttle::Config {
    let mut config = shuttle::Config::default();
    // Longer than that, and it would not be run again and again.
    config.max_time = Some(Duration::from_secs(args.seconds));
    config.failure_persistence = shuttle::FailurePersistence::None;
    config
}

fn loom(model: &Model, body: fn()) {
    let explored = interleave::Model::new(model.name).preemption_bound(model.bound).explore(body);
    if let Err(failure) = explored {
        say(failure.execution as u32);
        panic!("{failure}");
    }
}

/// In this process: whether every run passed. A failure ends it otherwise.
pub fn run(args: &Args, tool: &str, exhibit: &str, version: &str) -> Result<()> {
    let tool = TOOLS.iter().find(|known| known.name == tool).context("no such tool")?;
    let models = on_std::museum::MODELS;
    let is_asked = |name: &str| name == exhibit || name.strip_prefix(crate::MUSEUM) == Some(exhibit);
    let model = models.iter().find(|model| is_asked(model.name)).context("no such exhibit")?;
    let version = versions(model).iter().position(|(name, _)| *name == version).context("no such version")?;
    let task = (tool.task)(&Exhibit { name: model.name, version });
    task.context("this tool can do nothing with this exhibit")?(args);
    println!("{PASSED}");
    Ok(())
}
