//! webapp: front end, database, answer.
//!
//! A page takes a first query, and then three that depend on it but not on each other. One of the three, for the
//! advertisement, is sometimes very slow, and the page goes out without it. More visitors than can be served are turned
//! away at once with a 503 (the bounded queue sheds load): without a bound everybody would wait longer and longer.
//!
//! Three processes: the database, the web server (which is measured), and visitors who come on a schedule of their own.

mod callbacks;
mod coroutines;
mod database;
mod pool;
mod protocol;
mod sequential;
#[allow(dead_code)] // Only `simulate` runs it, and the tests.
pub(crate) mod simulated;
mod threads;
mod tokio;
mod visitors;

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{CommandFactory, FromArgMatches};

use crate::common::{
    Common, Figure, Hash, Meter, Outcome, Peer, Size, Style, Workload, duration, listen, peer, source,
    waiting,
};

/// Serve pages that come from a slow database to visitors who come at a given rate
#[derive(clap::Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// How many threads the pool has
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    workers: u32,
    /// How many visitors may be served or wait at once; more are turned away
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    at_once: u32,
    /// How long a page waits for its advertisement
    #[arg(long, default_value = "50ms", value_parser = duration)]
    patience: Duration,
    #[command(flatten)]
    crowd: visitors::Crowd,
    #[command(flatten)]
    speed: database::Speed,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Run the database alone, until Ctrl-C or until its standard input closes
    Database {
        #[command(flatten)]
        speed: database::Speed,
        #[command(flatten)]
        life: peer::Life,
    },
    /// Be the visitors, for a web server at this address
    Visit(visitors::Args),
}

pub(crate) static WORKLOAD: Workload = Workload {
    name: "webapp",
    question: "Each page waits for four queries: how many visitors a second, and who is turned away?",
    counts: "visitors a second",
    decides: Figure::P99,
    because: "visitors come on a schedule, so wall time is the same for all. They notice how long the slowest pages take.",
    plots: &[Figure::P50, Figure::P99, Figure::CpuEach],
    styles: &[
        source(Style::Sequential, "sequential.rs", include_str!("sequential.rs")),
        source(Style::Threads, "threads.rs", include_str!("threads.rs")),
        source(Style::Pool, "pool.rs", include_str!("pool.rs")),
        source(Style::Callbacks, "callbacks.rs", include_str!("callbacks.rs")),
        source(Style::Coroutines, "coroutines.rs", include_str!("coroutines.rs")),
        source(Style::Tokio, "tokio.rs", include_str!("tokio.rs")),
    ],
    cases: |size| match size {
        Size::Quick => vec![20, 400],
        Size::Normal => vec![20, 100, 400, 1_000],
        Size::Full => vec![20, 100, 400, 1_000, 2_000],
    },
    args: |size, style, n| {
        let seconds = if size == Size::Full { 3.0 } else { 0.3 };
        let visits = ((n as f64 * seconds) as u64).max(8);
        let possible = style != Style::Sequential || n <= 20;
        possible.then(|| vec![format!("--rate={n}"), format!("--visits={visits}")])
    },
    command: Args::command,
    run: |matches| run(&Args::from_arg_matches(matches)?),
};

/// How long a visitor may take: as long as the visitors' own patience. One that is gone without a word must not keep the place
/// of another.
const LONGEST: Duration = Duration::from_secs(20);

/// What every style gets.
#[derive(Clone)]
struct Site {
    database: SocketAddr,
    patience: Duration,
    workers: u32,
    at_once: u32,
}

fn run(args: &Args) -> Result<Option<Outcome>> {
    match &args.command {
        Some(Command::Database { speed, life }) => database::serve(speed.clone(), *life)?,
        Some(Command::Visit(args)) => visitors::main(args)?,
        None => return measure(args).map(Some),
    }
    Ok(None)
}

fn measure(args: &Args) -> Result<Outcome> {
    let mut database = Peer::spawn(args.speed.arguments())?;
    let Args { workers, at_once, patience, .. } = *args;
    let style = args.common.style;
    let address = database.address().context("the database did not start")?;
    let site = Site { database: address, patience, workers, at_once };
    let listener = listen(0)?;
    let mut visitors = Peer::spawn(args.crowd.arguments(listener.local_addr()?))?;
    let waiting = waiting(args.crowd.length(), "visitors");
    let mut meter = Meter::start_aside();
    // The server serves for as long as this process lives.
    std::thread::spawn(move || {
        if let Err(error) = serve(style, site, listener) {
            eprintln!("error: the {style} server ended: {error:#}");
            crate::common::exit(1);
        }
    });
    let ready = visitors.line(Duration::from_secs(30)).context("the first visitors were not served")?;
    ensure!(ready == visitors::READY, "the visitors say '{ready}'");
    meter.restart();
    visitors.tell(visitors::GO)?;
    let result = visitors.line(Duration::from_secs(80)).context("the visitors did not come back")?;
    let usage = meter.stop();
    waiting.finish_and_clear();
    visitors.finish()?;
    let result: visitors::Result =
        serde_json::from_str(&result).with_context(|| format!("'{result}' is no result"))?;
    let words = format!("{} pages served, {} visitors turned away", result.served, result.shed);
    let visits = result.served + result.shed + result.errors;
    Ok(Outcome::new(args.crowd.rate, usage)
        .answer_hash(words, Hash::new().and(&result.first_pages.to_le_bytes()))
        .operations(result.served)
        .percentiles(result.latencies)
        .errors(result.errors, result.why)
        .also("turned away %", result.shed as f64 * 100.0 / visits.max(1) as f64)
        .also("without ad %", result.without_ad as f64 * 100.0 / result.served.max(1) as f64))
}

fn serve(style: Style, site: Site, listener: TcpListener) -> Result<()> {
    match style {
        Style::Sequential => sequential::serve(&site, &listener),
        Style::Threads => threads::serve(&site, &listener),
        Style::Pool => pool::serve(&site, &listener),
        Style::Callbacks => callbacks::serve(&site, listener),
        Style::Coroutines => coroutines::serve(site, listener),
        Style::Tokio => tokio::serve(site, listener),
        other => Err(WORKLOAD.no_style(other)),
    }
}
