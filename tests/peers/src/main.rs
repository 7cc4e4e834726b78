//! `cargo peers`: cotask measured beside other runtimes. README.md says what each row means.

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;
mod against;
mod echo;
mod recorder;
mod report;
mod rounds;
mod rows;
mod runtimes;
mod sample;
mod spread;
mod statistics;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, Subcommand, ValueEnum};

use against::{Change, Earlier};
use rounds::Plan;
use rows::Row;
use runtimes::Peer;

/// Measures cotask beside tokio, smol, monoio, compio, threads and a raw mio loop.
///
/// Figures are CPU time: of the process for most rows, of the server's process for the echo rows. Each run is a
/// process of its own, pinned to core 0. A ratio is the median of the ratios within each round.
#[derive(Parser)]
#[command(name = "cargo peers", version)]
struct Arguments {
    /// Fewer rounds and smaller runs: under two minutes in all.
    #[arg(long)]
    quick: bool,

    /// Only these rows, separated by commas; see --list.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    rows: Vec<Row>,

    /// Rounds to measure in place of 9, or of 3 with --quick.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,

    /// Operations a run in place of each row's own; so few measure nothing, and test that everything runs.
    #[arg(long, hide = true, value_parser = clap::value_parser!(u64).range(1..))]
    operations: Option<u64>,

    /// Write the results to this file as JSON as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Exit with 1 where a row is not reached or not measured.
    #[arg(long)]
    check: bool,

    /// Say what each row measures, and measure nothing.
    #[arg(long)]
    list: bool,

    /// What real crates cost on cotask and on tokio, in place of the rows: the example `cost` of `tests/ecosystem`.
    #[arg(long, conflicts_with_all = ["rows", "operations", "json", "check", "list"])]
    guests: bool,

    /// Measure this build beside an earlier commit, which is built in a worktree below `target`: at least nine rounds,
    /// in turn, cotask alone. With --check, exit with 1 where a row is worse beyond its quartiles.
    #[arg(long, value_name = "COMMIT", conflicts_with_all = ["guests", "list"])]
    against: Option<String>,

    /// The same beside a program `peers` that has been built already.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["against", "guests", "list"])]
    against_program: Option<PathBuf>,

    #[command(subcommand)]
    part: Option<Part>,
}

/// What a process of a measurement does; people have no use for these.
#[derive(Subcommand)]
enum Part {
    #[command(hide = true)]
    Measure {
        row: Row,
        peer: Peer,
        operations: u64,
        /// Runtimes of the server, where the row has several.
        #[arg(long, default_value = "2")]
        cores: NonZeroUsize,
    },
    #[command(hide = true)]
    Serve {
        peer: Peer,
        /// What to serve.
        #[arg(long, default_value = "echo")]
        service: echo::Service,
        /// Serve with a runtime on each of so many threads.
        #[arg(long)]
        cores: Option<NonZeroUsize>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.part {
        Some(Part::Measure { row, peer, operations, cores }) => measure(row, peer, operations, cores),
        Some(Part::Serve { peer, service, cores }) => echo::serve(peer, service, cores),
        None if arguments.guests => guests(&arguments),
        None if arguments.list => {
            list();
            Ok(())
        }
        None => match measure_rows(&arguments) {
            Ok(reached) if arguments.check && !reached => return ExitCode::FAILURE,
            measured => measured.map(drop),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, which is also what the process that started this one puts into its report.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One run: measures one row of one peer in this process, and prints the sample.
fn measure(row: Row, peer: Peer, operations: u64, cores: NonZeroUsize) -> Result<()> {
    if let Some(why) = peer.absent(row) {
        bail!("{} has no row {}: {why}", peer.name(), row.name());
    }
    echo::end_after(echo::TIME_LIMIT);
    // A server started from here inherits the core: client and server take turns on it, so that neither the
    // other core's sleep states nor its other load come into the figures.
    if row != Row::Cores2 {
        sample::pin(0)?;
    }
    let sample = match row.connections() {
        Some(_) => echo::measure(row, peer, operations, cores)?,
        None => peer.measure(row, operations)?,
    };
    println!("{}", serde_json::to_string(&sample)?);
    Ok(())
}

/// Has cargo build and run the other program: its guests are no dependencies of this one.
fn guests(arguments: &Arguments) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cost = Command::new(cargo);
    cost.args(["run", "--release", "--package", "ecosystem", "--example", "cost", "--"]);
    cost.args(arguments.quick.then_some("--quick"));
    cost.args(arguments.rounds.map(|rounds| format!("--rounds={rounds}")));
    let status = cost.status().context("cargo does not start")?;
    ensure!(status.success(), "the measurement of the guests: {status}");
    Ok(())
}

fn list() {
    for row in Row::value_variants() {
        println!("{:22} {}", row.name(), row.about());
    }
}

/// Measures what was asked for; `true` if `--check` has nothing to complain of.
fn measure_rows(arguments: &Arguments) -> Result<bool> {
    let rows = match arguments.rows.as_slice() {
        [] => Row::value_variants().to_vec(),
        chosen => chosen.to_vec(),
    };
    let earlier = match (&arguments.against, &arguments.against_program) {
        (Some(commit), _) => Earlier::build(commit)?,
        (None, Some(program)) => Earlier::built(program)?,
        (None, None) => return compare(arguments, rows),
    };
    compare_builds(arguments, &earlier, &rows)
}

/// This build beside an earlier one; `true` if no row is worse.
fn compare_builds(arguments: &Arguments, earlier: &Earlier, rows: &[Row]) -> Result<bool> {
    let rounds = arguments.rounds.map_or(against::MIN_ROUNDS, usize::from);
    ensure!(
        rounds >= against::MIN_ROUNDS,
        "--rounds {rounds}: a comparison of two builds needs at least {}, because fewer make quartiles that say nothing",
        against::MIN_ROUNDS
    );
    let operations = |row: Row| arguments.operations.unwrap_or(row.operations(arguments.quick));
    let compared = against::run(earlier, rows, rounds, operations)?;
    println!("{}", against::table(&compared));
    println!("now: this build; before: {}", earlier.name);
    write_json(arguments, || against::json(earlier, &compared))?;
    Ok(compared.iter().all(|row| row.change() != Some(Change::Worse)))
}

/// The whole comparison; `true` if every row was measured and reached.
fn compare(arguments: &Arguments, rows: Vec<Row>) -> Result<bool> {
    let usual = if arguments.quick { 3 } else { 9 };
    let rounds = arguments.rounds.map_or(usual, usize::from);
    let plan = Plan { rows, rounds, quick: arguments.quick, operations: arguments.operations };
    let measured = rounds::run(&plan)?;

    println!("{}", report::table(&measured));
    for remark in report::remarks(&measured) {
        println!("{remark}");
    }
    write_json(arguments, || report::json(&measured, &plan))?;
    Ok(measured.iter().all(|measured| measured.verdict().met == Some(true)))
}

fn write_json(arguments: &Arguments, results: impl FnOnce() -> serde_json::Value) -> Result<()> {
    let Some(path) = &arguments.json else { return Ok(()) };
    let text = serde_json::to_string_pretty(&results())?;
    std::fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
}
