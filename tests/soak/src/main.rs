//! `soak`: one runtime under mixed load for as long as you like. README.md says what runs and what must stay flat.

mod figures;
mod load;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use cotask::Runtime;

use figures::{Figures, History};

/// Runs mixed load on one runtime and fails if anything grows: descriptors, tasks or memory.
#[derive(Parser)]
#[command(name = "soak", version)]
struct Arguments {
    /// How long, such as 90s or 1h.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    time: Duration,

    /// What the sizes of the load are drawn from; by default a new one per run.
    #[arg(long)]
    seed: Option<u64>,

    /// Time between two lines of the report.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    every: Duration,
}

/// Set by Ctrl-C; the cycle that is under way ends first.
static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    load::silence_planned_panics();
    match soak(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn soak(arguments: &Arguments) -> Result<()> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}, {}", humantime::format_duration(arguments.time));
    fastrand::seed(seed);
    let runtime = Runtime::new().context("the runtime does not start")?;
    watch_for_ctrl_c()?;

    let start = Instant::now();
    let mut next_report = arguments.every;
    let mut history = History::new(arguments.time);
    let mut done = load::Done::default();
    while start.elapsed() < arguments.time && !STOP.load(Ordering::Relaxed) {
        done += load::cycle(&runtime).with_context(|| format!("cycle {}", history.cycles() + 1))?;
        history.push(start.elapsed(), Figures::read(&runtime)?)?;
        if start.elapsed() >= next_report {
            next_report += arguments.every;
            println!("{:>6} s  {}  {done}", start.elapsed().as_secs(), history.last());
        }
    }
    println!("{}", history.verdict()?);
    ensure!(!STOP.load(Ordering::Relaxed), "stopped by Ctrl-C; what ran until then was flat");
    Ok(())
}

/// A runtime of its own waits for Ctrl-C, so that the one under load has nothing beside its load.
fn watch_for_ctrl_c() -> Result<()> {
    // The first cycle must not begin before that runtime has opened its descriptors.
    let (watching, begun) = std::sync::mpsc::channel();
    std::thread::Builder::new().name("ctrl-c".to_owned()).spawn(move || {
        let pressed = Runtime::new().and_then(|runtime| {
            runtime.block_on(async {
                let pressed = cotask::signal::ctrl_c();
                let _ = watching.send(());
                pressed.await
            })
        });
        match pressed {
            Ok(()) => {
                eprintln!("stopping after this cycle");
                STOP.store(true, Ordering::Relaxed);
            }
            Err(error) => {
                eprintln!("Ctrl-C ends this program at once, because it cannot be watched for: {error}")
            }
        }
    })?;
    begun.recv().context("Ctrl-C cannot be watched for")
}
