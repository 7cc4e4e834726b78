//! echo: a server that sends back what it gets, under N connections that all talk, or of which a few do.
//!
//! What is measured is the server, from the moment when all connections stand. The load client is another process; it
//! sends on a schedule of its own, however slow the server is.

mod callbacks;
mod coroutines;
mod load;
mod pool;
mod sequential;
#[allow(dead_code)] // Only `simulate` runs it, and the tests.
pub(crate) mod simulated;
mod threads;
mod tokio;

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{CommandFactory, FromArgMatches};

use crate::common::{
    Common, Figure, Hash, Meter, Outcome, Peer, Size, Source, Style, Usage, Workload, listen, peer, python,
    source, waiting,
};

/// Serve echo to a load client in another process, and report what that cost and how long the client waited
#[derive(clap::Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// How many threads the pool has: it serves no more connections than that at a time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    workers: u32,
    #[command(flatten)]
    plan: load::Plan,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Run the load client alone, against any echo server
    Load(load::Args),
    /// Run the server alone, until Ctrl-C or until its standard input closes
    Serve {
        /// The port on 127.0.0.1; 0 lets the system choose
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// How it serves many connections
        #[arg(long, value_enum, default_value_t = Style::Coroutines)]
        style: Style,
        /// How many threads the pool has
        #[arg(long, default_value_t = 64)]
        workers: u32,
        #[command(flatten)]
        life: peer::Life,
    },
}

const STYLES: &[Source] = &[
    source(Style::Sequential, "sequential.rs", include_str!("sequential.rs")),
    source(Style::Threads, "threads.rs", include_str!("threads.rs")),
    source(Style::Pool, "pool.rs", include_str!("pool.rs")),
    source(Style::Callbacks, "callbacks.rs", include_str!("callbacks.rs")),
    source(Style::Coroutines, "coroutines.rs", include_str!("coroutines.rs")),
    source(Style::Tokio, "tokio.rs", include_str!("tokio.rs")),
    source(Style::Asyncio, "asyncio.py", include_str!("asyncio.py")),
];

/// All connections talk.
pub(crate) static WORKLOAD: Workload = Workload {
    name: "echo",
    question: "Many connections that all talk, a little each: what does the server pay for a message?",
    counts: "connections",
    decides: Figure::CpuEach,
    because: "the clients send on a schedule, so wall time is the same for all. A message costs processor time.",
    plots: &[Figure::CpuEach, Figure::P99, Figure::PeakMemory],
    styles: STYLES,
    cases: |size| match size {
        Size::Quick => vec![1, 64, 1_000],
        Size::Normal => vec![1, 64, 1_000],
        Size::Full => vec![1, 64, 1_000, 10_000],
    },
    args: |size, style, n| possible(style, n).then(|| arguments(size, n, n)),
    command: Args::command,
    run: |matches| run(&Args::from_arg_matches(matches)?),
};

/// How many connections talk in `echo-idle`.
#[allow(dead_code)]
const TALKERS: u64 = 16;

/// Nearly all connections only stand. The program `echo` does the same with `--busy`.
#[allow(dead_code)] // Only `compare` lists it.
pub(crate) static IDLE: Workload = Workload {
    name: "echo-idle",
    question: "Many connections, hardly any of which talks: what does it cost to keep them?",
    decides: Figure::PeakMemory,
    because: "a silent connection takes hardly any processor time, but it takes memory for as long as it stands.",
    plots: &[Figure::PeakMemory, Figure::CpuEach, Figure::P99],
    cases: |size| match size {
        Size::Quick => vec![64, 1_000],
        Size::Normal | Size::Full => vec![64, 1_000, 10_000],
    },
    args: |size, style, n| possible(style, n).then(|| arguments(size, n, TALKERS)),
    ..WORKLOAD
};

/// A style that keeps a thread at one connection until that closes can serve no more of them than it has threads.
fn possible(style: Style, n: u64) -> bool {
    match style {
        Style::Sequential => n == 1,
        Style::Pool => n <= 64,
        _ => true,
    }
}

fn arguments(size: Size, connections: u64, busy: u64) -> Vec<String> {
    // No connection is asked to talk more often than every two milliseconds.
    let rate = (500 * busy).min(10_000);
    let seconds = if size == Size::Full { 2.0 } else { 0.25 };
    let messages = ((rate as f64 * seconds) as u64).max(busy);
    let numbers = [("connections", connections), ("busy", busy), ("rate", rate), ("messages", messages)];
    numbers.into_iter().map(|(name, number)| format!("--{name}={number}")).collect()
}

fn run(args: &Args) -> Result<Option<Outcome>> {
    match &args.command {
        Some(Command::Load(args)) => {
            load::main(args)?;
            return Ok(None);
        }
        Some(Command::Serve { port, style, workers, life }) => {
            let listener = listen(*port)?;
            peer::announce(listener.local_addr()?);
            peer::serve_for(*life);
            serve(*style, listener, *workers)?;
            return Ok(None);
        }
        None => {}
    }
    let (style, workers) = (args.common.style, args.workers);
    if style == Style::Pool && args.plan.connections > workers {
        anyhow::bail!("a pool of {workers} threads cannot keep {} connections open", args.plan.connections);
    }
    let waiting = waiting(args.plan.length(), "messages");
    let (usage, result) = if style == Style::Asyncio {
        measure_python(&args.plan)?
    } else {
        measure(style, workers, &args.plan)?
    };
    waiting.finish_and_clear();
    let result: load::Result =
        serde_json::from_str(&result).with_context(|| format!("'{result}' is no result"))?;
    let words = format!("{} messages echoed", result.echoed);
    let outcome = Outcome::new(u64::from(args.plan.connections), usage)
        .answer_hash(words, Hash::new().and(&result.echoed.to_le_bytes()).and(&result.sum.to_le_bytes()))
        .operations(result.echoed)
        .percentiles(result.latencies)
        .errors(result.errors, result.why)
        .also("client late p99 ms", result.late_p99_us as f64 / 1e3);
    Ok(Some(outcome))
}

/// What the server cost, and what the load client says.
fn measure(style: Style, workers: u32, plan: &load::Plan) -> Result<(Usage, String)> {
    let listener = listen(0)?;
    // The connections wait in the listener's queue until the server runs.
    let mut client = Peer::spawn(load::arguments(listener.local_addr()?, plan))?;
    let mut meter = Meter::start_aside();
    // The server serves for as long as this process lives.
    std::thread::spawn(move || {
        if let Err(error) = serve(style, listener, workers) {
            eprintln!("error: the {style} server ended: {error:#}");
            crate::common::exit(1);
        }
    });
    load::expect_ready(&mut client)?;
    meter.restart();
    let result = load::result(&mut client)?;
    let usage = meter.stop();
    client.finish()?;
    Ok((usage, result))
}

/// As [`measure`], of `asyncio.py`, which measures all but its memory itself.
fn measure_python(plan: &load::Plan) -> Result<(Usage, String)> {
    let meter = Meter::start();
    let mut server = python::start("asyncio.py", include_str!("asyncio.py"), &[])?;
    let mut client = Peer::spawn(load::arguments(server.address()?, plan))?;
    load::expect_ready(&mut client)?;
    server.tell("reset")?;
    let result = load::result(&mut client)?;
    server.tell("cost")?;
    let usage = python::usage(&mut server, Duration::from_secs(20))?;
    meter.stop();
    client.finish()?;
    Ok((usage, result))
}

fn serve(style: Style, listener: TcpListener, workers: u32) -> Result<()> {
    match style {
        Style::Sequential => sequential::serve(&listener),
        Style::Threads => threads::serve(&listener),
        Style::Pool => pool::serve(&listener, workers),
        Style::Callbacks => callbacks::serve(listener),
        Style::Coroutines => coroutines::serve(listener),
        Style::Tokio => tokio::serve(listener),
        other => Err(WORKLOAD.no_style(other)),
    }
}

/// How much a server reads at once.
const BUFFER: usize = 512;
