//! Programs of a few hosts on a network that fails: thousands of runs, each from a seed, each repeatable.
#[macro_use]
#[path = "../common/print.rs"]
mod print;
#[allow(dead_code)] // Of the workloads, only what a simulation runs.
#[path = "../chat/mod.rs"]
mod chat;
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code)]
#[path = "../echo/mod.rs"]
mod echo;
#[allow(dead_code)]
#[path = "../rates/mod.rs"]
mod rates;
#[allow(dead_code)]
#[path = "../webapp/mod.rs"]
mod webapp;

mod report;
mod run;
mod scenarios;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;

use scenarios::{SCENARIOS, Scenario, Version};

/// Run a program of a few hosts on a simulated network that fails, under many seeds, until one shows a bug
///
/// Exit code: 0 when no seed failed, 1 when one did (or two runs of it differed), 2 for bad arguments, 130 after Ctrl-C.
#[derive(Parser, Clone, Debug)]
pub(crate) struct Args {
    /// Which program: see --list
    #[arg(long, value_name = "NAME", default_value = "payment", conflicts_with = "workloads")]
    scenario: String,
    /// The version without the bug
    #[arg(long, conflicts_with = "workloads")]
    repaired: bool,
    /// The workloads of the kit in turn, with a quarter of the seeds each
    #[arg(long)]
    workloads: bool,
    /// How many seeds
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "seed")]
    seeds: u64,
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "seed")]
    first: u64,
    /// Go on after a failure, and count
    #[arg(long, conflicts_with = "seed")]
    all: bool,
    /// Run this seed alone, and say what happened in it: the faults, and what each host did last
    #[arg(long, value_name = "N", conflicts_with = "workloads")]
    seed: Option<u64>,
    /// With --seed: how many of the last events of each host to show
    #[arg(long, value_name = "N", default_value_t = 8, requires = "seed")]
    last: usize,
    /// Write what the runtime did to this file, for the example `timeline`; without --seed that of the seed that fails
    #[arg(long, value_name = "FILE")]
    timeline: Option<PathBuf>,
    /// Have the faults of this file happen, instead of those drawn from the seed
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Tasks have their turns first come first served, as in a real run, instead of in an order drawn from the seed
    #[arg(long)]
    fifo: bool,
    /// Run each seed twice, and compare all that was recorded
    #[arg(long)]
    check_determinism: bool,
    /// How many threads search
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Name the programs, and end
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.list {
        print!("{}", report::list());
        return ExitCode::SUCCESS;
    }
    match choose(&args).and_then(|chosen| run::plan(&args).map(|plan| (chosen, plan))) {
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
        Ok((chosen, plan)) => run::main(&args, &chosen, plan).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }),
    }
}

/// The programs that were asked for.
fn choose(args: &Args) -> Result<Vec<&'static Scenario>> {
    if args.workloads {
        return Ok(SCENARIOS.iter().filter(|scenario| !scenario.has_bug).collect());
    }
    let Some(scenario) = SCENARIOS.iter().find(|scenario| scenario.name == args.scenario) else {
        let known: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        bail!("--scenario: there is no '{}'; there are: {}", args.scenario, known.join(", "));
    };
    if args.repaired && !scenario.has_bug {
        bail!("--repaired: {} has no bug that we know of", scenario.name);
    }
    Ok(vec![scenario])
}

impl Args {
    fn version(&self) -> Version {
        if self.repaired { Version::Repaired } else { Version::Buggy }
    }
}
