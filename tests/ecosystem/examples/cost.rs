//! What each guest costs on cotask and on tokio: CPU time, measured as in `cargo peers`.
//!
//! ```console
//! $ cargo run --release -p ecosystem --example cost
//! $ cargo run --release -p ecosystem --example cost -- --quick --guests redis,quic
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;
#[path = "../../peers/src/spread.rs"]
mod spread;

use std::fmt;
use std::net::SocketAddr;
use std::process::{Command, exit};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use ecosystem::cost::Guest;
use ecosystem::servers::{Kind, Server};
use ecosystem::{on_cotask, on_tokio};
use rustix::thread::{CpuSet, sched_setaffinity};
use spread::Spread;

/// Runs each guest's program on cotask and on tokio, and prints the CPU time per operation.
///
/// Each run is a process of its own. In each round the hosts run one after the other and take turns to go first,
/// all on core 0, as do the servers. A ratio is the median of the rounds' ratios, with the quartiles on either side.
#[derive(Parser)]
#[command(name = "cost")]
struct Arguments {
    /// Fewer rounds and a third of the operations.
    #[arg(long)]
    quick: bool,

    /// Only these guests, separated by commas.
    #[arg(long, value_name = "GUEST,...", value_delimiter = ',')]
    guests: Vec<Guest>,

    /// Rounds in place of 9, or of 3 with --quick.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Operations per run in place of each guest's own; few of them measure nothing, but test that everything runs.
    #[arg(long, hide = true)]
    operations: Option<u64>,

    #[command(subcommand)]
    part: Option<Part>,
}

/// What a measuring process does; not for use by hand.
#[derive(Subcommand)]
enum Part {
    #[command(hide = true)]
    Measure { guest: Guest, host: Host, operations: u64, server: Option<SocketAddr> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Host {
    Cotask,
    Tokio,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // Every process started from here inherits the core: client and server take turns on it.
    let mut core = CpuSet::new();
    core.set(0);
    sched_setaffinity(None, &core)?;
    match arguments.part {
        Some(Part::Measure { guest, host, operations, server }) => measure(guest, host, operations, server),
        None => compare(&arguments),
    }
}

/// Measures one run and prints nanoseconds per operation.
fn measure(guest: Guest, host: Host, operations: u64, server: Option<SocketAddr>) -> Result<()> {
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(120));
        eprintln!("gave up after two minutes");
        exit(1);
    });
    let time = match host {
        Host::Cotask => on_cotask::host::block_on(on_cotask::load::run(guest, operations, server)),
        Host::Tokio => on_tokio::host::block_on(on_tokio::load::run(guest, operations, server)),
    };
    println!("{}", time?.as_nanos() as f64 / operations as f64);
    Ok(())
}

fn compare(arguments: &Arguments) -> Result<()> {
    let guests = match arguments.guests.as_slice() {
        [] => Guest::value_variants(),
        chosen => chosen,
    };
    let (guests, servers) = with_servers(guests)?;
    let mut figures: Vec<Vec<[f64; 2]>> = vec![Vec::new(); guests.len()];
    for round in 0..arguments.rounds.unwrap_or(if arguments.quick { 3 } else { 9 }) {
        for (&guest, figures) in guests.iter().zip(&mut figures) {
            let usual = if arguments.quick { guest.operations() / 3 } else { guest.operations() };
            let operations = arguments.operations.unwrap_or(usual);
            let server = guest.server().and_then(|kind| servers.iter().find(|server| server.kind() == kind));
            let mut hosts = [Host::Cotask, Host::Tokio];
            hosts.rotate_left(round as usize % 2);
            let mut pair = [0.0; 2];
            for host in hosts {
                pair[host as usize] = in_child(guest, host, operations, server.map(Server::address))?;
            }
            figures.push(pair);
        }
    }
    println!("{:<10} {:>16} {:>8} {:>8}  ratio", "guest", "ns of CPU time", "cotask", "tokio");
    for (guest, pairs) in guests.into_iter().zip(figures) {
        let of = |figure: fn(&[f64; 2]) -> f64| {
            Spread::of(pairs.iter().map(figure).collect()).expect("there is a round at least")
        };
        let (ours, theirs, ratio) = (of(|pair| pair[0]), of(|pair| pair[1]), of(|pair| pair[0] / pair[1]));
        let (guest, operation) = (name(guest), guest.operation());
        println!("{guest:<10} {operation:>16} {:>8.0} {:>8.0}  {ratio}", ours.median, theirs.median);
    }
    Ok(())
}

/// Starts the servers that the guests need. Returns the guests whose server is installed, and the servers.
fn with_servers(guests: &[Guest]) -> Result<(Vec<Guest>, Vec<Server>)> {
    let (mut able, mut servers) = (Vec::new(), Vec::new());
    for &guest in guests {
        if let Some(kind) = guest.server() {
            if kind.installed().is_none() {
                eprintln!("{} is left out: {} is not installed", name(guest), Kind::package(kind));
                continue;
            }
            servers.push(Server::start(kind)?);
        }
        able.push(guest);
    }
    Ok((able, servers))
}

fn in_child(guest: Guest, host: Host, operations: u64, server: Option<SocketAddr>) -> Result<f64> {
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["measure", &name(guest), &name(host), &operations.to_string()]);
    child.args(server.map(|address| address.to_string()));
    let output = child.output()?;
    let (said, troubles) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{} on {}: {}\n{troubles}", name(guest), name(host), output.status);
    said.trim().parse().with_context(|| format!("no figure: {said}"))
}

fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2})", self.median, self.lower, self.upper)
    }
}
