//! chat: one client speaks, all listen, and some listen slowly.
//!
//! A message that a slow listener has not read must be kept somewhere. A server chooses one of three places:
//!
//! - `wait`: with the speaker. The server reads nothing from it until the slowest listener has room (backpressure).
//!   No message is lost and no memory grows, but all hear only as fast as the slowest.
//! - `cut`: in a bounded queue per listener. A listener whose queue is full is disconnected; the others hear on time.
//! - `unbounded`: in the server's memory. All seems well until the memory is used up.

mod callbacks;
mod coroutines;
mod crowd;
#[allow(dead_code)] // Only `simulate` runs it, and the tests.
pub(crate) mod simulated;
mod threads;
mod tokio;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{CommandFactory, FromArgMatches};

use crate::common::{
    Common, Figure, Hash, Meter, Outcome, Peer, Size, Source, Style, Workload, listen, source, waiting,
};

/// Serve a chat in which some listeners are slow, and report what that cost and whom
#[derive(clap::Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// What happens to a message that a slow listener has no room for
    #[arg(long, value_enum, default_value_t = Policy::Wait)]
    policy: Policy,
    /// How many messages may wait for one listener
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    queue: u32,
    #[command(flatten)]
    crowd: crowd::Crowd,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Be the speaker and the listeners, for a chat server at this address
    Crowd(crowd::Args),
}

/// Where the messages go that a listener has not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Policy {
    /// Wait for the slowest listener
    Wait,
    /// Disconnect a listener that is too slow
    Cut,
    /// Keep everything in memory
    Unbounded,
}

/// A message: always this long, shared between the queues of all listeners.
const FRAME: usize = 8 * 1024;
type Frame = Arc<[u8; FRAME]>;

/// Message `number`: its number, and then what makes it different from the one before.
fn frame(number: u64) -> Frame {
    let mut frame = [number as u8; FRAME];
    frame[..8].copy_from_slice(&number.to_le_bytes());
    Arc::new(frame)
}

/// How long a member may take for one message before it counts as gone. A client that vanished without closing reads
/// nothing, and all others would wait for it.
const LONGEST: Duration = Duration::from_secs(20);

/// The number of the first message to each client: a client that has received it misses no later one.
const WELCOME: u64 = u64::MAX;

const STYLES: &[Source] = &[
    source(Style::Threads, "threads.rs", include_str!("threads.rs")),
    source(Style::Callbacks, "callbacks.rs", include_str!("callbacks.rs")),
    source(Style::Coroutines, "coroutines.rs", include_str!("coroutines.rs")),
    source(Style::Tokio, "tokio.rs", include_str!("tokio.rs")),
];

/// Backpressure.
pub(crate) static WORKLOAD: Workload = Workload {
    name: "chat",
    question: "One listener is slow, and the speaker must wait for it (backpressure): how late do the others hear?",
    counts: "messages",
    decides: Figure::P99,
    because: "the messages are sent on a schedule, so wall time is the same for all. A listener notices how late a message is.",
    plots: &[Figure::P99, Figure::PeakMemory],
    styles: STYLES,
    cases: sweep,
    args: |_size, _style, n| Some(arguments("--policy=wait --rate=2000 --queue=32 --pause=2ms", n)),
    command: Args::command,
    run: |matches| run(&Args::from_arg_matches(matches)?),
};

/// The slow one is disconnected. The program `chat` does the same with `--policy cut`.
#[allow(dead_code)] // Only `compare` lists it.
pub(crate) static CUT: Workload = Workload {
    name: "chat-cut",
    question: "One listener is slow, and is disconnected: how late do the others hear?",
    cases: longer_sweep,
    args: |_size, _style, n| Some(arguments("--policy=cut --rate=1000 --queue=256 --pause=20ms", n)),
    ..WORKLOAD
};

/// No client waits and none is disconnected. The program `chat` does the same with `--policy unbounded`.
#[allow(dead_code)]
pub(crate) static UNBOUNDED: Workload = Workload {
    name: "chat-unbounded",
    question: "One listener is slow, and the server keeps its messages for it (no backpressure): where does that end?",
    decides: Figure::PeakMemory,
    because: "the server keeps what the slow listener has not read, and nothing but its memory bounds that.",
    plots: &[Figure::PeakMemory, Figure::P99],
    cases: longer_sweep,
    args: |_size, _style, n| Some(arguments("--policy=unbounded --rate=1000 --pause=20ms", n)),
    ..WORKLOAD
};

/// When all wait for the slowest, it takes a while: there are fewer messages.
fn sweep(size: Size) -> Vec<u64> {
    match size {
        Size::Quick => vec![60],
        Size::Normal => vec![20, 50, 120],
        Size::Full => vec![50, 200, 800],
    }
}

#[allow(dead_code)]
fn longer_sweep(size: Size) -> Vec<u64> {
    match size {
        Size::Quick => vec![400],
        Size::Normal => vec![50, 150, 400],
        Size::Full => vec![50, 200, 800, 3_200],
    }
}

fn arguments(fixed: &str, messages: u64) -> Vec<String> {
    fixed.split(' ').map(String::from).chain([format!("--messages={messages}")]).collect()
}

/// What every style gets.
#[derive(Clone, Copy)]
struct House {
    policy: Policy,
    queue: usize,
}

fn run(args: &Args) -> Result<Option<Outcome>> {
    if let Some(Command::Crowd(args)) = &args.command {
        crowd::main(args)?;
        return Ok(None);
    }
    let style = args.common.style;
    let house = House { policy: args.policy, queue: args.queue as usize };
    let listener = listen(0)?;
    let mut crowd = Peer::spawn(args.crowd.arguments(listener.local_addr()?))?;
    let waiting = waiting(args.crowd.length(), "messages");
    let mut meter = Meter::start_aside();
    // The server serves for as long as this process lives.
    std::thread::spawn(move || {
        if let Err(error) = serve(style, house, listener) {
            eprintln!("error: the {style} server ended: {error:#}");
            crate::common::exit(1);
        }
    });
    let ready = crowd.line(Duration::from_secs(30)).context("the crowd did not connect")?;
    ensure!(ready == crowd::READY, "the crowd says '{ready}'");
    meter.restart();
    crowd.tell(crowd::GO)?;
    let result = crowd.line(Duration::from_secs(80)).context("the messages were not heard in time")?;
    let usage = meter.stop();
    waiting.finish_and_clear();
    crowd.finish()?;
    let result: crowd::Result =
        serde_json::from_str(&result).with_context(|| format!("'{result}' is no result"))?;
    let words = format!("{} messages heard by those who listen well", result.heard);
    let hash = Hash::new().and(&result.heard.to_le_bytes()).and(&result.sum.to_le_bytes());
    let outcome = Outcome::new(args.crowd.messages, usage)
        .answer_hash(words, hash)
        .operations(result.heard)
        .percentiles(result.latencies)
        .errors(result.errors, result.why)
        .also("slow: heard by then", result.heard_by_slow as f64)
        .also("slow: disconnected", result.cut as f64);
    Ok(Some(outcome))
}

fn serve(style: Style, house: House, listener: TcpListener) -> Result<()> {
    match style {
        Style::Threads => threads::serve(house, &listener),
        Style::Callbacks => callbacks::serve(house, listener),
        Style::Coroutines => coroutines::serve(house, listener),
        Style::Tokio => tokio::serve(house, listener),
        other => Err(WORKLOAD.no_style(other)),
    }
}

/// Lets the system keep only little of what a listener has not read, so that the server soon learns who is slow.
#[cfg(unix)]
fn keep_little(stream: &impl std::os::fd::AsFd) -> std::io::Result<()> {
    let socket = socket2::SockRef::from(stream);
    // Or the rest of a message waits for the acknowledgement of its first part, which takes 40 ms.
    socket.set_tcp_nodelay(true)?;
    socket.set_send_buffer_size(4 * FRAME)
}

/// Elsewhere what the system keeps stays as it is: it learns later who is slow.
#[cfg(not(unix))]
fn keep_little<S>(_: &S) -> std::io::Result<()> {
    Ok(())
}
