//! rates: N currency pairs fetched over HTTP from a quote server with a set latency.
//!
//! The work is nothing but waiting, so the styles differ in how they wait. Each pair is one connection and one request.
//! A latency counts from the start of the whole, when all the rates were wanted, to the moment a rate was there.

mod asyncio;
mod callbacks;
mod coroutines;
mod pool;
mod protocol;
mod sequential;
mod server;
#[allow(dead_code)] // Only `simulate` runs it, and the tests.
pub(crate) mod simulated;
mod threads;
mod tokio;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{CommandFactory, FromArgMatches};
use indicatif::ProgressBar;

use crate::common::{
    Common, Figure, Hash, Latencies, Meter, Outcome, Peer, Size, Style, Workload, address, duration, peer,
    progress, source,
};
use protocol::{MOST_PAIRS, Pair, Quote};

/// Fetch N currency rates over HTTP from a quote server that takes its time
#[derive(clap::Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// How many currency pairs to fetch
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_PAIRS)))]
    pairs: u32,
    /// How many threads the pool has
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    workers: u32,
    /// Give up on a rate after this long
    #[arg(long, default_value = "20s", value_parser = duration)]
    timeout: Duration,
    /// Use the quote server at this address instead of starting one
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    server: Option<SocketAddr>,
    #[command(flatten)]
    market: server::Market,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Run the quote server alone, until Ctrl-C or until its standard input closes
    Serve {
        /// The port on 127.0.0.1; 0 lets the system choose
        #[arg(long, default_value_t = 0)]
        port: u16,
        #[command(flatten)]
        market: server::Market,
        #[command(flatten)]
        life: peer::Life,
    },
}

pub(crate) static WORKLOAD: Workload = Workload {
    name: "rates",
    question: "Many answers to wait for, and hardly anything to compute: what does each way of waiting cost?",
    counts: "pairs",
    decides: Figure::Cpu,
    because: "every style waits for the same server, so wall time is mostly the time that the server takes. A way of waiting costs processor time.",
    plots: &[Figure::Wall, Figure::Cpu, Figure::PeakMemory],
    styles: &[
        source(Style::Sequential, "sequential.rs", include_str!("sequential.rs")),
        source(Style::Threads, "threads.rs", include_str!("threads.rs")),
        source(Style::Pool, "pool.rs", include_str!("pool.rs")),
        source(Style::Callbacks, "callbacks.rs", include_str!("callbacks.rs")),
        source(Style::Coroutines, "coroutines.rs", include_str!("coroutines.rs")),
        source(Style::Tokio, "tokio.rs", include_str!("tokio.rs")),
        source(Style::Asyncio, "asyncio.py", include_str!("asyncio.py")),
    ],
    cases: |size| match size {
        Size::Quick => vec![1, 30, 300],
        Size::Normal => vec![1, 10, 100, 1_000],
        Size::Full => vec![1, 10, 100, 1_000, 10_000],
    },
    args: |size, style, n| {
        let too_slow = style == Style::Sequential && n > if size == Size::Quick { 30 } else { 100 };
        let args = ["--pairs", &n.to_string(), "--latency", "10ms", "--jitter", "5ms"];
        (!too_slow).then(|| args.map(String::from).to_vec())
    },
    command: Args::command,
    run: |matches| run(&Args::from_arg_matches(matches)?),
};

/// What every style gets: the pairs to fetch, from where, and how patiently.
struct Job {
    server: SocketAddr,
    pairs: u32,
    workers: u32,
    timeout: Duration,
    started: Instant,
    progress: ProgressBar,
}

impl Job {
    fn pairs(&self) -> impl Iterator<Item = Pair> + use<> {
        (0..self.pairs).map(Pair::new)
    }

    /// The rate of `pair` has come.
    fn quote(&self, pair: Pair, price: u64) -> Quote {
        self.progress.inc(1);
        Quote { pair, price, after: self.started.elapsed() }
    }

    /// What to say when `pair` could not be fetched.
    fn failed(&self, pair: Pair) -> String {
        format!("no rate for {pair} from {}", self.server)
    }
}

fn run(args: &Args) -> Result<Option<Outcome>> {
    if let Some(Command::Serve { port, market, life }) = &args.command {
        server::serve(*port, market.clone(), *life)?;
        return Ok(None);
    }
    let server = match args.server {
        Some(address) => (None, address),
        None => {
            let mut peer = Peer::spawn(args.market.serve())?;
            let address = peer.address().context("the quote server did not start")?;
            (Some(peer), address)
        }
    };
    let progress = progress(u64::from(args.pairs), "rates");
    let meter = Meter::start();
    let job = Arc::new(Job {
        server: server.1,
        pairs: args.pairs,
        workers: args.workers,
        timeout: args.timeout,
        started: Instant::now(),
        progress,
    });
    let mut of_python = None;
    let quotes = match args.common.style {
        Style::Sequential => sequential::fetch_all(&job),
        Style::Threads => threads::fetch_all(&job),
        Style::Pool => pool::fetch_all(&job),
        Style::Callbacks => callbacks::fetch_all(&job),
        Style::Coroutines => coroutines::fetch_all(&job),
        Style::Tokio => tokio::fetch_all(&job),
        Style::Asyncio => asyncio::fetch_all(&job).map(|(quotes, usage)| {
            of_python = Some(usage);
            quotes
        }),
        other => Err(WORKLOAD.no_style(other)),
    };
    let usage = meter.stop();
    let usage = of_python.unwrap_or(usage);
    job.progress.finish_and_clear();
    let mut quotes = quotes?;

    quotes.sort_by_key(|quote| quote.pair);
    let mut latencies = Latencies::new();
    let mut hash = Hash::new();
    for quote in &quotes {
        latencies.record(quote.after);
        hash = hash.and(quote.to_string().as_bytes());
    }
    let words = format!("{} rates, among them {}", quotes.len(), quotes[quotes.len() / 2]);
    Ok(Some(Outcome::new(u64::from(args.pairs), usage).answer_hash(words, hash).latencies(&latencies)))
}
