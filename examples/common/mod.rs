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
//! #[macro_use]
//! #[path = "../common/print.rs"]
//! mod print;
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
//! A server, load client or worker is the same program, started once more ([`Peer::spawn`]) with arguments that the
//! workload defines (a clap subcommand such as `serve`). It first calls [`peer::end_with_parent`], so it ends when
//! its standard input closes and never outlives its parent. There `run` returns `Ok(None)`. It listens with
//! [`listen`], whose queue is long enough for all clients at once, and reports its address with [`peer::announce`].
//! Worker processes share [`worker`]. Never name the executable yourself: inside `compare` it is another one.
//!
//! # Conventions
//!
//! - Durations in arguments are written `50ms`, `2s`: `#[arg(long, value_parser = duration)]`.
//! - An error is an `anyhow::Error` that names the argument, file or address at fault; the exit code is 1 (bad
//!   arguments: 2, Ctrl-C: 130).
//! - Long work shows [`progress`] on standard error, only on a terminal. Nothing here writes colours but clap, which
//!   honours `NO_COLOR`.

// Each example compiles this folder for itself and uses only a part of it.
#![allow(dead_code, unused_imports)]

mod arguments;
mod backoff;
mod deadlines;
pub(crate) mod group;
mod latency;
mod listen;
mod measure;
mod outcome;
pub(crate) mod peer;
pub(crate) mod perfetto;
pub(crate) mod python;
mod scratch;
mod signals;
mod style;
pub(crate) mod trace;
pub(crate) mod trace_lines;
pub(crate) mod worker;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

pub(crate) use arguments::{address, duration, writable};
pub(crate) use backoff::Backoff;
pub(crate) use deadlines::Deadlines;
pub(crate) use latency::{Latencies, Percentiles};
pub(crate) use listen::{accept, accept_blocking, accept_on_tokio, accept_ready, bind, listen};
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
    /// .json, a trace for Perfetto. The file is written also when Ctrl-C or an error ends the run
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

    /// The workload's clap command, of whose styles only those are left that the workload has.
    fn own_command(&self) -> clap::Command {
        let own = self.styles.iter().filter_map(|source| source.style.to_possible_value());
        let own: Vec<_> = own.collect();
        let only = |command: clap::Command| {
            if !command.get_arguments().any(|arg| arg.get_id() == "style") {
                return command;
            }
            let parser = PossibleValuesParser::new(own.clone());
            let parser = parser.map(|name| Style::from_str(&name, true).expect("one of the possible values"));
            command.mut_arg("style", |arg| arg.value_parser(parser))
        };
        only((self.command)().name(self.name)).mut_subcommands(only)
    }

    /// The error for `--trace` with a style of which there is nothing to record.
    fn no_trace(&self, style: Style) -> anyhow::Error {
        let known = self.styles.iter().filter(|source| source.on_cotask);
        let known: Vec<&str> = known.map(|source| source.style.name()).collect();
        anyhow::anyhow!(
            "--trace records cotask, and the style '{style}' of {} does not run on it; these do: {}",
            self.name,
            known.join(", ")
        )
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
    signals::end_on_signals(way_back.is_empty());
    let _ = WAY_BACK.set(way_back);
    measure::raise_descriptor_limit();
    let args = std::iter::once(OsString::from(workload.name)).chain(args);
    let matches = workload.own_command().get_matches_from(args);
    let json = matches.try_get_one::<bool>("json").ok().flatten().copied().unwrap_or(false);
    let style = matches.try_get_one::<Style>("style").ok().flatten().copied().unwrap_or(Style::Coroutines);
    let trace = matches.try_get_one::<PathBuf>("trace").ok().flatten();
    let on_cotask = workload.styles.iter().any(|source| source.style == style && source.on_cotask);
    if trace.is_some() && !on_cotask {
        eprintln!("error: {}", workload.no_trace(style));
        return ExitCode::from(2);
    }
    if let Err(error) = trace::start(trace, matches.subcommand_name()) {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    let ran = catch_unwind(AssertUnwindSafe(|| (workload.run)(&matches)));
    signals::let_them_end_it();
    let traced = trace::finish();
    if let Err(error) = &traced {
        eprintln!("error: {error:#}");
    }
    match ran {
        Ok(Ok(None)) => {}
        Ok(Ok(Some(outcome))) => {
            let run = Run::new(workload, style, &outcome);
            if json {
                println!(
                    "{}",
                    serde_json::to_string(&run).expect("a run holds nothing but numbers and strings")
                );
            } else {
                print!("{}", run.for_people(workload, &outcome));
            }
            if !run.ok {
                return ExitCode::FAILURE;
            }
        }
        Ok(Err(error)) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
        Err(panic) => resume_unwind(panic),
    }
    if traced.is_err() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Ends this process before its work has finished: from the thread of a server, say. What `--trace` recorded is written, and no
/// temporary directory stays behind.
pub(crate) fn exit(code: i32) -> ! {
    if let Err(error) = trace::finish() {
        eprintln!("error: {error:#}");
    }
    scratch::remove_all();
    std::process::exit(code)
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
