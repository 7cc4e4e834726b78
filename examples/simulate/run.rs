//! Runs what was asked for: one seed, or many.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cotask::sim::{self, Builder, Found, Plan, Search, Searched};
use cotask::trace::Trace;

use crate::Args;
use crate::common::{progress, trace_lines, writable};
use crate::report;
use crate::scenarios::Scenario;

/// How many events of a run a timeline has at most, the last ones.
const EVENTS: usize = 1_000_000;
/// The folder for files that the caller did not name.
const FOLDER: &str = "target/simulate";

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The faults of `--plan`.
///
/// # Errors
/// When there is no such file, or it is no plan.
pub(crate) fn plan(args: &Args) -> Result<Option<Plan>> {
    let Some(file) = &args.plan else { return Ok(None) };
    let text = fs::read_to_string(file).with_context(|| format!("--plan {}", file.display()))?;
    text.parse().map(Some).with_context(|| format!("--plan {}", file.display()))
}

/// # Errors
/// When a file cannot be written.
pub(crate) fn main(args: &Args, chosen: &[&'static Scenario], plan: Option<Plan>) -> Result<ExitCode> {
    let loud = std::panic::take_hook();
    // A panic inside a simulation is what is looked for, and told in the summary.
    std::panic::set_hook(Box::new(move |panic| {
        if !sim::is_running() {
            loud(panic);
        }
    }));
    if let Some(file) = &args.timeline {
        writable(file).with_context(|| cannot_write(file))?;
    }
    if let Some(seed) = args.seed {
        return one(args, chosen[0], seed, plan.as_ref());
    }
    // Where there is no handler, Ctrl-C ends the program without a summary.
    let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst));
    let mut failed = false;
    for (place, scenario) in (0..).zip(chosen) {
        // What does not divide goes to the first ones.
        let shares = chosen.len() as u64;
        let seeds = args.seeds / shares + u64::from(args.seeds % shares > place);
        failed |= search(args, scenario, seeds, plan.as_ref())?;
        if INTERRUPTED.load(Ordering::SeqCst) {
            eprintln!("interrupted");
            return Ok(ExitCode::from(130));
        }
        if failed && !args.all {
            break;
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn prepare(args: &Args, scenario: &Scenario, seed: u64, plan: Option<&Plan>) -> Builder {
    let builder = scenario.prepare(seed).fifo(args.fifo);
    plan.map_or(builder.clone(), |plan| builder.plan(plan.clone()))
}

/// Runs many seeds, and returns whether one has failed.
fn search(args: &Args, scenario: &'static Scenario, seeds: u64, plan: Option<&Plan>) -> Result<bool> {
    let end = args.first.checked_add(seeds).context("--first and --seeds together are too many")?;
    let mut search = Search::new(args.first..end).twice(args.check_determinism).all(args.all);
    if let Some(threads) = args.threads {
        search = search.threads(threads.into());
    }
    let bar = progress(seeds, scenario.name);
    let start = Instant::now();
    let version = args.version();
    let searched = search.run(
        |seed| prepare(args, scenario, seed, plan),
        || (scenario.program)(version),
        |so_far| {
            bar.set_position(so_far.seeds);
            if INTERRUPTED.load(Ordering::SeqCst) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    let took = start.elapsed();
    bar.finish_and_clear();
    if let Some((&seed, found)) = searched.failed.first_key_value() {
        tell_failure(args, scenario, seed, found)?;
    }
    print!("{}", report::summary(args, scenario, &searched, took));
    Ok(!searched.failed.is_empty() || !searched.differing.is_empty())
}

/// Shrinks what was found, saves it, and says how to see it again.
fn tell_failure(args: &Args, scenario: &'static Scenario, seed: u64, found: &Found) -> Result<()> {
    print!("{}", report::failure(seed, found));
    let version = args.version();
    let builder = prepare(args, scenario, seed, None);
    let shrunk = sim::shrink(&builder, &found.plan, || (scenario.program)(version));
    let Some(shrunk) = shrunk else {
        println!(
            "  run again it does not fail: something leaks into the simulation (--check-determinism finds out)"
        );
        return Ok(());
    };
    print!("{}", report::shrunk(found, &shrunk));
    let beside = |extension: &str| Path::new(FOLDER).join(format!("{}-{seed}.{extension}", scenario.name));
    let (plan, timeline) = (beside("plan"), args.timeline.clone().unwrap_or_else(|| beside("jsonl")));
    fs::create_dir_all(FOLDER).with_context(|| format!("cannot make {FOLDER}"))?;
    let head = format!("# {}, seed {seed}: {}\n", scenario.name, shrunk.failure);
    fs::write(&plan, head.replace('\n', " ").trim_end().to_string() + "\n" + &shrunk.plan.in_words())
        .with_context(|| format!("cannot write {}", plan.display()))?;
    let report = builder.plan(shrunk.plan).trace(EVENTS).build().run((scenario.program)(version));
    save(&report.trace, &timeline)?;
    print!("{}", report::replay(args, scenario, seed, &plan, &timeline));
    Ok(())
}

/// Runs one seed, and tells all of it.
fn one(args: &Args, scenario: &'static Scenario, seed: u64, plan: Option<&Plan>) -> Result<ExitCode> {
    let version = args.version();
    let drawn = scenario.plan(seed, scenario.horizon);
    let run = |plan: &Plan| {
        let builder = prepare(args, scenario, seed, Some(plan)).trace(EVENTS);
        builder.build().run((scenario.program)(version))
    };
    let given = plan.unwrap_or(&drawn);
    let report = run(given);
    let differs = args.check_determinism && run(given).hash != report.hash;
    print!("{}", report::one(args, scenario, seed, given, &report, differs));
    if plan.is_some() {
        print!("{}", report::compared(&report, &run(&drawn)));
    }
    if let Some(file) = &args.timeline {
        save(&report.trace, file)?;
        println!("  timeline  {}", file.display());
    }
    Ok(if report.result.is_err() || differs { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn save(trace: &Trace, file: &Path) -> Result<()> {
    trace_lines::write(trace, file).with_context(|| cannot_write(file))
}

fn cannot_write(file: &Path) -> String {
    format!("--timeline: cannot write to {}", file.display())
}

/// Seeds a minute.
pub(crate) fn rate(searched: &Searched, took: Duration) -> f64 {
    searched.seeds as f64 * 60.0 / took.as_secs_f64().max(1e-9)
}
