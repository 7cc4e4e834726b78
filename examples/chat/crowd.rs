//! The speaker and the listeners, on one thread of another process.
//!
//! The speaker speaks on a schedule: message `k` is due `k / rate` seconds after the start. How late it is heard counts from
//! then, also when the server has kept the speaker waiting.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, ensure};
use cotask::net::TcpStream;
use cotask::sync::mpsc;
use cotask::time::{Instant, sleep, sleep_until, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};
use serde::{Deserialize, Serialize};
use socket2::{Domain, Socket, Type};

use super::{FRAME, WELCOME, frame};
use crate::common::{Hash, Latencies, Percentiles, block_on, duration, peer};

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Crowd {
    /// How many messages are said
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(super) messages: u64,
    /// How many messages are said a second
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate: u64,
    /// How many listen well
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    listeners: u32,
    /// How many listen slowly
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    slow: u32,
    /// How long a slow listener pauses after each message
    #[arg(long, default_value = "2ms", value_parser = duration)]
    pause: Duration,
    /// Give up on a message after this long
    #[arg(long, default_value = "20s", value_parser = duration)]
    timeout: Duration,
}

impl Crowd {
    /// Returns how long the schedule takes if no message has to wait.
    pub(super) fn length(&self) -> Duration {
        Duration::from_secs_f64(self.messages as f64 / self.rate as f64)
    }

    /// The arguments that make another process of this program this crowd.
    pub(super) fn arguments(&self, address: SocketAddr) -> Vec<String> {
        let Crowd { messages, rate, listeners, slow, pause, timeout } = self;
        let [pause, timeout] = [pause, timeout].map(|time| humantime::format_duration(*time));
        vec![
            "crowd".into(),
            address.to_string(),
            format!("--messages={messages}"),
            format!("--rate={rate}"),
            format!("--listeners={listeners}"),
            format!("--slow={slow}"),
            format!("--pause={pause}"),
            format!("--timeout={timeout}"),
            "--on-command".into(),
        ]
    }
}

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Args {
    /// The chat server's address
    #[arg(value_name = "HOST:PORT", value_parser = crate::common::address)]
    address: SocketAddr,
    #[command(flatten)]
    crowd: Crowd,
    /// Start only when told so on standard input, and end when that closes
    #[arg(long, hide = true)]
    on_command: bool,
}

/// What the crowd says once everybody is there, and what it then waits for.
pub(super) const READY: &str = "ready";
pub(super) const GO: &str = "go";

/// How the listeners fared.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Result {
    /// By those who listen well, all together.
    pub(super) heard: u64,
    pub(super) sum: u64,
    pub(super) latencies: Option<Percentiles>,
    /// By the slow ones, when the others had heard everything.
    pub(super) heard_by_slow: u64,
    /// How many slow ones were disconnected.
    pub(super) cut: u64,
    pub(super) errors: u64,
    pub(super) why: String,
}

/// The crowd's program: prints the [`Result`] as one line of JSON.
///
/// # Errors
///
/// When the server cannot be reached, or a message was not heard and no parent process reports it.
pub(super) fn main(args: &Args) -> anyhow::Result<()> {
    let (heard, mut commands) = mpsc::unbounded_channel();
    if args.on_command {
        peer::end_with_parent_and(move |line| {
            let _ = heard.send(line.to_string());
        });
    }
    let failed = block_on(async {
        let speaker = connect(args.address, false).await.context("the speaker")?;
        let (mut listeners, mut slow) = (Vec::new(), Vec::new());
        for number in 1..=args.crowd.listeners {
            listeners.push(connect(args.address, false).await.with_context(|| format!("listener {number}"))?);
        }
        for number in 1..=args.crowd.slow {
            slow.push(connect(args.address, true).await.with_context(|| format!("slow listener {number}"))?);
        }
        if args.on_command {
            peer::say(READY);
            let command = commands.recv().await;
            ensure!(command.as_deref() == Some(GO), "expected '{GO}', got {command:?}");
        }
        let result = chat(&args.crowd, speaker, listeners, slow).await;
        peer::say(&serde_json::to_string(&result)?);
        Ok((result.errors > 0).then(|| format!("{} failed, the first: {}", result.errors, result.why)))
    })?;
    match failed {
        Some(failed) if !args.on_command => anyhow::bail!(failed),
        _ => Ok(()),
    }
}

/// Joins the chat; as a slow listener with a connection in which little fits on the way.
async fn connect(address: SocketAddr, slow: bool) -> anyhow::Result<TcpStream> {
    let mut stream = if slow {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        // Must be set before connecting: the window is agreed upon then.
        socket.set_recv_buffer_size(FRAME)?;
        socket.connect(&address.into())?;
        TcpStream::from_std(socket.into())?
    } else {
        TcpStream::connect(address).await?
    };
    // From here on no message is missed.
    let mut frame = Box::new([0; FRAME]);
    stream.read_exact(&mut *frame).await.with_context(|| format!("no welcome from {address}"))?;
    ensure!(number_of(&frame) == WELCOME, "{address} does not begin with a welcome");
    Ok(stream)
}

async fn chat(crowd: &Crowd, speaker: TcpStream, listeners: Vec<TcpStream>, slow: Vec<TcpStream>) -> Result {
    let tally = Rc::new(RefCell::new((Latencies::new(), Result::default())));
    let start = Instant::now() + Duration::from_millis(2);
    let tardy: Vec<_> = slow
        .into_iter()
        .map(|stream| cotask::spawn(listen_slowly(stream, crowd.pause, tally.clone())))
        .collect();
    let mut tasks: Vec<_> = listeners
        .into_iter()
        .map(|stream| cotask::spawn(listen(stream, crowd.clone(), start, tally.clone())))
        .collect();
    // The connections of those who are done stay open until all are: closing is no part of the chat.
    let mut done = Vec::new();
    tasks.push(cotask::spawn(speak(speaker, crowd.clone(), start)));
    let mut failures = Vec::new();
    for task in tasks {
        match task.await {
            Ok(Ok(stream)) => done.push(stream),
            Ok(Err(error)) => failures.push(format!("{error:#}")),
            Err(panic) => failures.push(panic.to_string()),
        }
    }
    tardy.iter().for_each(|task| task.abort());
    let (latencies, result) = &mut *tally.borrow_mut();
    result.errors = failures.len() as u64;
    result.why = failures.into_iter().next().unwrap_or_default();
    Result { latencies: latencies.percentiles(), ..std::mem::take(result) }
}

async fn speak(mut stream: TcpStream, crowd: Crowd, start: Instant) -> anyhow::Result<TcpStream> {
    for number in 0..crowd.messages {
        sleep_until(due(number, &crowd, start)).await;
        stream.write_all(&*frame(number)).await.with_context(|| format!("saying message {number}"))?;
    }
    Ok(stream)
}

fn due(number: u64, crowd: &Crowd, start: Instant) -> Instant {
    start + Duration::from_nanos(number * 1_000_000_000 / crowd.rate)
}

type Tally = Rc<RefCell<(Latencies, Result)>>;

async fn listen(
    mut stream: TcpStream,
    crowd: Crowd,
    start: Instant,
    tally: Tally,
) -> anyhow::Result<TcpStream> {
    let mut frame = Box::new([0; FRAME]);
    for number in 0..crowd.messages {
        let read = timeout(crowd.timeout, stream.read_exact(&mut *frame)).await;
        read.with_context(|| format!("message {number}"))?.with_context(|| format!("message {number}"))?;
        ensure!(*frame == *self::frame(number), "instead of message {number} came {}", number_of(&frame));
        let (latencies, result) = &mut *tally.borrow_mut();
        latencies.record(due(number, &crowd, start).elapsed());
        result.heard += 1;
        result.sum = result.sum.wrapping_add(Hash::new().and(&frame[..64]).value());
    }
    Ok(stream)
}

async fn listen_slowly(mut stream: TcpStream, pause: Duration, tally: Tally) {
    let mut frame = Box::new([0; FRAME]);
    while stream.read_exact(&mut *frame).await.is_ok() {
        tally.borrow_mut().1.heard_by_slow += 1;
        sleep(pause).await;
    }
    tally.borrow_mut().1.cut += 1;
}

fn number_of(frame: &[u8; FRAME]) -> u64 {
    frame.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
