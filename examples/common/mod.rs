//! What every workload shares: its shape, its answer, its figures, its helpers in other processes.
//!
//! # How a workload is laid out
//!
//! A workload is a folder `examples/NAME/`. Two files in it belong to no style:
//!
//! - `mod.rs`: the arguments (clap derive), the protocol code that all styles share, the dispatch to the styles,
//!   and one `pub(crate) static WORKLOAD: Workload` that tells the rest of the kit what this is;
//! - `main.rs`: the program, which is always these lines:
//!
//! ```ignore
//! //! What the workload does, in a line.
//! #[path = "../common/mod.rs"]
//! mod common;
//! #[path = "mod.rs"]
//! mod rates;
//!
//! fn main() -> std::process::ExitCode {
//!     common::main(&rates::WORKLOAD)
//! }
//! ```
//!
//! Every other file is one style, and only concurrency stands in it: `sequential.rs`, `threads.rs`, `pool.rs`,
//! `processes.rs`, `callbacks.rs`, `coroutines.rs`, `blocking.rs` (coroutines with the blocking pool), `tokio.rs`.
//! They all have the same entry, so that two of them can be read side by side. Where there is a `simulated.rs`, it runs the
//! coroutines in a simulation: `cargo run --release --example simulate -- --scenario NAME`.
//!
//! # What `mod.rs` holds
//!
//! ```ignore
//! mod coroutines;
//! mod threads;
//!
//! use crate::common::{Case, Common, Figure, Meter, Outcome, Size, Style, Workload, source, workload};
//!
//! /// Count the lines that hold a word.
//! #[derive(clap::Parser)]
//! pub(crate) struct Args {
//!     #[command(flatten)]
//!     common: Common, // --style, --json and --trace
//!     #[arg(long, default_value_t = 1000)]
//!     lines: u64,
//! }
//!
//! pub(crate) static WORKLOAD: Workload = Workload {
//!     name: "grep",
//!     question: "Is a coroutine slower than a loop, when there is nothing to wait for?",
//!     counts: "lines",
//!     decides: Figure::Wall,
//!     because: "nothing else differs",
//!     plots: &[Figure::Wall],
//!     styles: &[
//!         source(Style::Threads, "threads.rs", include_str!("threads.rs")),
//!         source(Style::Coroutines, "coroutines.rs", include_str!("coroutines.rs")),
//!     ],
//!     cases: |size| match size {
//!         Size::Quick => vec![1_000],
//!         Size::Normal => vec![1_000, 100_000], // the last one is the row of the table; all are the sweep
//!         Size::Full => vec![1_000, 100_000, 1_000_000],
//!     },
//!     args: |_size, _style, n| Some(vec!["--lines".into(), n.to_string()]), // None: too slow at this n
//!     command: <Args as clap::CommandFactory>::command,
//!     run: |matches| run(&<Args as clap::FromArgMatches>::from_arg_matches(matches)?),
//! };
//!
//! fn run(args: &Args) -> anyhow::Result<Option<Outcome>> {
//!     // ... prepare what is not to be measured ...
//!     let meter = Meter::start();
//!     let count = match args.common.style {
//!         Style::Threads => threads::count(&lines)?,
//!         Style::Coroutines => coroutines::count(&lines)?,
//!         other => return Err(WORKLOAD.no_style(other)),
//!     };
//!     let usage = meter.stop();
//!     Ok(Some(Outcome::new(args.lines, usage).answer(format!("{count} lines hold it"), &count.to_le_bytes())))
//! }
//! ```
//!
//! The answer must not depend on the style nor on time: `compare` fails a run whose answer differs from the others.
//! What does depend on them goes in with [`Outcome::latencies`], [`Outcome::errors`] and [`Outcome::also`].
//!
//! A style on cotask runs its future with [`block_on`]: that is `cotask::block_on`, and records what happens when `--trace
//! FILE` is given.
//!
//! # Other processes
//!
//! A server, a load client or a worker is the same program started once more ([`Peer::spawn`]), with arguments that the
//! workload itself defines (a clap subcommand such as `serve`). It calls [`peer::end_with_parent`] first: from
//! then on it ends when its standard input closes, so that it can never outlive whoever started it. `run` returns
//! `Ok(None)` in such a process. It listens with [`listen`], whose queue is long enough for all to come at once, and tells
//! its address with [`peer::announce`]. What worker processes have in common stands in [`worker`]. Never name the executable yourself: inside `compare` it is another one.
//!
//! # Conventions
//!
//! - Durations in arguments are written `50ms`, `2s`: `#[arg(long, value_parser = humantime::parse_duration)]`.
//! - An error is an `anyhow::Error` that names the argument, file or address at fault; the exit code is 1 (bad
//!   arguments: 2, Ctrl-C: 130).
//! - Long work shows [`progress`] on standard error, only on a terminal. Nothing here writes colours but clap, which
//!   honours `NO_COLOR`.

// Each example compiles this folder for itself and uses only a part of it.
#![allow(dead_code, unused_imports)]

mod backoff;
pub(crate) mod group;
mod latency;
mod listen;
mod measure;
mod outcome;
pub(crate) mod peer;
pub(crate) mod python;
mod scratch;
mod style;
pub(crate) mod trace;
pub(crate) mod trace_lines;
pub(crate) mod worker;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use backoff::Backoff;
pub(crate) use latency::{Latencies, Percentiles};
pub(crate) use listen::{accept, bind, listen};
pub(crate) use measure::{Meter, Usage};
pub(crate) use outcome::{Hash, Outcome, Run};
pub(crate) use peer::Peer;
pub(crate) use scratch::Scratch;
pub(crate) use style::{Source, Style, source};
pub(crate) use trace::block_on;
pub(crate) use worker::{Role, Workers};

/// The arguments that every workload has.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Common {
    /// How the work is made concurrent
    #[arg(long, value_enum, default_value_t = Style::Coroutines)]
    pub(crate) style: Style,
    /// Print the result as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Record what cotask does: lines of JSON for the example `timeline`, or, in a file that ends in
    /// .json, a trace for Perfetto
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

/// How much work `compare` asks for: about half a minute, a minute, or several minutes over all workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Quick,
    Normal,
    Full,
}

/// A figure by which styles are compared; smaller is better in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    Wall,
    Cpu,
    /// CPU time an operation, see [`Outcome::operations`].
    CpuEach,
    PeakMemory,
    P50,
    P99,
}

/// What the kit knows of a workload. The [module's documentation](self) has an example.
pub(crate) struct Workload {
    /// The folder's name, which is also the program's.
    pub(crate) name: &'static str,
    /// What a reader would ask, as a question.
    pub(crate) question: &'static str,
    /// What N counts: "pairs", "connections", "lines".
    pub(crate) counts: &'static str,
    /// The figure that says which style does best.
    pub(crate) decides: Figure,
    /// Why it does, as the end of "CPU time decides, because ...".
    pub(crate) because: &'static str,
    /// The figures to draw over N.
    pub(crate) plots: &'static [Figure],
    /// The styles it exists in, in the order of the table, each with its source.
    pub(crate) styles: &'static [Source],
    /// The values of N to run, ascending. The last one makes the table, all together make the plot.
    pub(crate) cases: fn(Size) -> Vec<u64>,
    /// The arguments for one run (without `--style` and `--json`), or `None` where this style would take too long.
    pub(crate) args: fn(Size, Style, u64) -> Option<Vec<String>>,
    /// The workload's clap command.
    pub(crate) command: fn() -> clap::Command,
    /// Does the work; `None` from a helper process that has no result of its own.
    pub(crate) run: fn(&clap::ArgMatches) -> anyhow::Result<Option<Outcome>>,
}

impl Workload {
    /// The error for a style that this workload does not have.
    pub(crate) fn no_style(&self, style: Style) -> anyhow::Error {
        let known: Vec<&str> = self.styles.iter().map(|source| source.style.name()).collect();
        anyhow::anyhow!("{} has no style '{style}'; it has: {}", self.name, known.join(", "))
    }
}

/// The arguments that lead a new process of this program to the workload it is running: none in the workload's own
/// program, `run NAME` inside `compare`.
static WAY_BACK: OnceLock<Vec<OsString>> = OnceLock::new();

/// The `main` of a workload's own program.
pub(crate) fn main(workload: &'static Workload) -> ExitCode {
    run(workload, Vec::new(), std::env::args_os().skip(1).collect())
}

/// Runs `workload` with `args`, prints its result and returns the exit code. `way_back` is what a helper process of
/// this program must be given before the workload's own arguments.
pub(crate) fn run(workload: &'static Workload, way_back: Vec<OsString>, args: Vec<OsString>) -> ExitCode {
    end_on_ctrl_c(way_back.is_empty());
    let _ = WAY_BACK.set(way_back);
    measure::raise_descriptor_limit();
    let args = std::iter::once(OsString::from(workload.name)).chain(args);
    let matches = (workload.command)().name(workload.name).get_matches_from(args);
    let json = matches.try_get_one::<bool>("json").ok().flatten().copied().unwrap_or(false);
    let style = matches.try_get_one::<Style>("style").ok().flatten().copied().unwrap_or(Style::Coroutines);
    let helper = matches.subcommand_name().is_some();
    if !helper && !workload.styles.iter().any(|source| source.style == style) {
        eprintln!("error: {}", workload.no_style(style));
        return ExitCode::from(2);
    }
    trace::start(matches.try_get_one::<PathBuf>("trace").ok().flatten(), matches.subcommand_name());
    let ran = (workload.run)(&matches);
    while INTERRUPTED.load(Ordering::SeqCst) {
        // Whatever it says now (a file has gone, say) is because of that.
        std::thread::park();
    }
    match ran.and_then(|outcome| trace::finish().map(|()| outcome)) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(outcome)) => {
            let run = Run::new(workload, style, &outcome);
            if json {
                println!(
                    "{}",
                    serde_json::to_string(&run).expect("a run holds nothing but numbers and strings")
                );
            } else {
                print!("{}", run.for_people(workload, &outcome));
            }
            if run.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Ctrl-C has come, and its handler is about to end the program.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// On Ctrl-C: removes what would stay behind, and ends with code 130. The terminal interrupts all of our processes; only
/// the one that a person has started says so.
fn end_on_ctrl_c(started_by_a_person: bool) {
    // A handler that could not be installed costs no more than a word and a temporary directory.
    let _ = ctrlc::set_handler(move || {
        INTERRUPTED.store(true, Ordering::SeqCst);
        scratch::remove_all();
        if started_by_a_person && !peer::is_helper() {
            eprintln!("\ninterrupted");
        }
        std::process::exit(130);
    });
}

/// A progress bar for `length` steps of `what`, on standard error; silent where that is not a terminal.
pub(crate) fn progress(length: u64, what: &'static str) -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")
        .expect("the template is a constant");
    indicatif::ProgressBar::new(length).with_style(style).with_message(what)
}

/// A sign of life on standard error while another process works on a schedule of about `length`; silent where that is not a
/// terminal. To be made before the meter starts: it has a thread of its own, which then does not count.
pub(crate) fn waiting(length: std::time::Duration, what: &'static str) -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("{spinner} {msg} {elapsed}")
        .expect("the template is a constant");
    let seconds = length.as_secs_f64().ceil();
    let bar = indicatif::ProgressBar::new_spinner().with_style(style);
    bar.set_message(format!("{what}, about {seconds} s:"));
    if !bar.is_hidden() {
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
    }
    bar
}
