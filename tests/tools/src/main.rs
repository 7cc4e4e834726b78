//! Which tool finds which bug: every broken version of the museum, given to a plain test, to stress on real threads, to
//! the same with random pauses, to shuttle's two schedulers and to loom. Measured anew in each run:
//!
//! ```text
//! cargo run --release -p tools
//! ```
//!
//! Each attempt runs in a process of its own, which a bug may hang or abort. The right versions are given to every tool
//! as well: none may complain of them. Exhibits without threads are for a plain test alone.

#![allow(clippy::duplicate_mod, reason = "the museum is here once over each tool's primitives")]

#[allow(dead_code, reason = "the loom harness uses all of it")]
#[path = "../../loom/model.rs"]
mod model;
mod on_loom;
mod on_pauses;
mod on_shuttle;
mod on_std;
mod tool;

use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Parser, Subcommand};

use tool::{TOOLS, Tool};
use wait_timeout::ChildExt;

#[derive(Parser)]
#[command(about = "Which tool finds which bug of the museum")]
struct Args {
    /// Only exhibits with this in their name.
    exhibit: Option<String>,
    /// At most so many runs of an exhibit on real threads, and of each of shuttle's schedulers.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    runs: u32,
    /// At most so many seconds for one tool and one exhibit; whatever has not ended then hangs.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    #[command(subcommand)]
    here: Option<Here>,
}

#[derive(Subcommand)]
enum Here {
    /// One tool on one exhibit, in this process.
    #[command(hide = true)]
    Run { tool: String, exhibit: String, version: String },
}

/// What a tool made of a version of an exhibit.
enum Found {
    /// The bug, in this run.
    InRun(u32),
    /// It hung: a test without a time limit would say nothing, but its author would notice.
    Hangs,
    Nothing,
}

/// What the child prints before each run, so that the parent knows how far it came; and when all passed.
const RUN: &str = "run ";
const PASSED: &str = "passed";

fn attempt(args: &Args, tool: &Tool, exhibit: &str, version: &str) -> Result<Found> {
    let limit = Duration::from_secs(args.seconds);
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--runs", &args.runs.to_string(), "--seconds", &args.seconds.to_string()]);
    command.args(["run", tool.name, exhibit, version]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let pipe = child.stdout.take().context("the child's output")?;
    let reader = thread::spawn(move || std::io::read_to_string(pipe));
    let pipe = child.stderr.take().context("the child's errors")?;
    let errors = thread::spawn(move || std::io::read_to_string(pipe));
    // The tools stop by themselves when their time is over, so that only what hangs is killed.
    let ended = child.wait_timeout(limit + limit / 2 + Duration::from_secs(5))?;
    if ended.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let [output, errors] =
        [reader, errors].map(|reader| reader.join().map_err(|_| anyhow!("a reader panicked")));
    let (output, errors) = (output??, errors??);
    if output.lines().any(|line| line == PASSED) {
        return Ok(Found::Nothing);
    }
    let last = output.lines().rev().find_map(|line| line.strip_prefix(RUN)?.parse().ok());
    // A deadlock whose destructors lock again aborts the process, but not before it was told.
    let told = || errors.split_once(" FAILED (execution ")?.1.split_once(')')?.0.parse().ok();
    match (ended, last.or_else(told)) {
        (None, _) => Ok(Found::Hangs),
        (Some(_), Some(run)) => Ok(Found::InRun(run)),
        (Some(status), None) => bail!("{} of {exhibit} ended with {status} and without a word", tool.name),
    }
}

/// The names of each exhibit's versions: the right one first.
fn versions(exhibit: &model::Model) -> Vec<&'static str> {
    let broken = exhibit.mutants.iter().map(model::Mutant::name);
    std::iter::once(tool::RIGHT).chain(broken).collect()
}

fn table(args: &Args) -> Result<bool> {
    let wanted =
        |exhibit: &&&model::Model| args.exhibit.as_ref().is_none_or(|name| exhibit.name.contains(name));
    let exhibits: Vec<_> = on_std::museum::MODELS.iter().filter(wanted).collect();
    if exhibits.is_empty() {
        bail!("no exhibit has {:?} in its name", args.exhibit.as_deref().unwrap_or_default());
    }
    let alone: Vec<_> = on_std::museum::BY_HAND.iter().map(|exhibit| exhibit.name).collect();
    print!("{:<44}", "the run in which the bug showed");
    TOOLS.iter().for_each(|tool| print!(" {:>9}", tool.name));
    println!();
    let mut found = vec![0; TOOLS.len()];
    let (mut bugs, mut false_alarms) = (0, 0);
    for exhibit in exhibits {
        let short = exhibit.name.strip_prefix("museum_").unwrap_or(exhibit.name);
        let is_alone = alone.contains(&exhibit.name);
        for version in versions(exhibit) {
            let right = version == tool::RIGHT;
            let mut cells = Vec::new();
            for (i, tool) in TOOLS.iter().enumerate() {
                if is_alone && i > 0 {
                    cells.push("n/a".into());
                    continue;
                }
                let result = attempt(args, tool, exhibit.name, version)?;
                let is_found = !matches!(result, Found::Nothing);
                match right {
                    true if is_found => {
                        false_alarms += 1;
                        println!("FALSE ALARM: {} finds fault with the right version of {short}", tool.name);
                    }
                    true => {}
                    false => found[i] += usize::from(is_found && !is_alone),
                }
                cells.push(match result {
                    Found::InRun(run) => run.to_string(),
                    Found::Hangs => "hangs".into(),
                    Found::Nothing => "-".into(),
                });
            }
            if right {
                continue;
            }
            bugs += usize::from(!is_alone);
            let mark = if is_alone { " (no threads)" } else { "" };
            let version = if version == "broken" { String::new() } else { format!("/{version}") };
            print!("{:<44}", format!("{short}{version}{mark}"));
            cells.iter().for_each(|cell| print!(" {cell:>9}"));
            println!();
        }
    }
    print!("{:<44}", format!("found, of {bugs} with threads"));
    found.iter().for_each(|found| print!(" {found:>9}"));
    println!("\n\nat most {} runs and {} s a bug and tool; -: not found", args.runs, args.seconds);
    println!("the right versions: {false_alarms} false alarms");
    TOOLS.iter().for_each(|tool| println!("{:>9}: {}", tool.name, tool.about));
    Ok(false_alarms == 0)
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let well = match &args.here {
        Some(Here::Run { tool, exhibit, version }) => tool::run(&args, tool, exhibit, version)?,
        None => table(&args)?,
    };
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
