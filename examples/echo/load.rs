//! The load client: so many connections, of which some send a message whenever it is due.
//!
//! The schedule is open: message `k` is due `k / rate` seconds after the start, on the next of the connections
//! that talk, whether the server has kept up or not. A message that waits for the reply to an earlier one is late, and its
//! latency counts from the moment at which it was due. (Waiting for the server to be ready before the next message is
//! due would hide its stalls: coordinated omission.) Only when the connection had nothing to wait for, and the timer of this
//! client itself came late, that lateness is not the server's: it is left out, and told apart.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, ensure};
use cotask::net::TcpStream;
use cotask::sync::{Semaphore, mpsc};
use cotask::time::{Instant, sleep_until, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};
use serde::{Deserialize, Serialize};

use crate::common::{Hash, Latencies, Peer, Percentiles, block_on, duration, peer};

/// How much is to be sent.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Plan {
    /// How many connections to open
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(super) connections: u32,
    /// How many of them talk, all if not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    busy: Option<u32>,
    /// How many messages to send
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..))]
    messages: u64,
    /// How many messages to send a second, over all connections
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rate: u64,
    /// Give up on a reply after this long
    #[arg(long, default_value = "20s", value_parser = duration)]
    timeout: Duration,
}

impl Plan {
    /// How long the schedule is.
    pub(super) fn length(&self) -> Duration {
        Duration::from_secs_f64(self.messages as f64 / self.rate as f64)
    }
}

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Args {
    /// The server's address
    #[arg(value_name = "HOST:PORT", value_parser = crate::common::address)]
    address: SocketAddr,
    #[command(flatten)]
    plan: Plan,
    /// Start only when told so on standard input, and end when that closes
    #[arg(long, hide = true)]
    on_command: bool,
}

/// What the client says once all connections stand, and what it then waits for.
const READY: &str = "ready";
const GO: &str = "go";

/// What the client found.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Result {
    pub(super) echoed: u64,
    /// The hashes of all replies, added up: their order is not the client's to choose.
    pub(super) sum: u64,
    pub(super) latencies: Option<Percentiles>,
    pub(super) late_p99_us: u64,
    pub(super) errors: u64,
    pub(super) why: String,
}

/// The arguments for a client in another process that waits for [`GO`].
pub(super) fn arguments(address: SocketAddr, plan: &Plan) -> Vec<String> {
    let Plan { connections, busy, messages, rate, timeout } = plan;
    vec![
        "load".into(),
        address.to_string(),
        format!("--connections={connections}"),
        format!("--busy={}", busy.unwrap_or(*connections)),
        format!("--messages={messages}"),
        format!("--rate={rate}"),
        format!("--timeout={}", humantime::format_duration(*timeout)),
        "--on-command".into(),
    ]
}

/// How long the client may take for its connections, and for its messages.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until all connections of a client in another process stand.
pub(super) fn expect_ready(client: &mut Peer) -> anyhow::Result<()> {
    let ready = client.line(PATIENCE).context("the load client did not connect")?;
    ensure!(ready == READY, "the load client says '{ready}'");
    Ok(())
}

/// Lets the client begin, and waits for its result.
pub(super) fn result(client: &mut Peer) -> anyhow::Result<String> {
    client.tell(GO)?;
    client.line(PATIENCE).context("the load client gave no result")
}

/// The client's program: prints its [`Result`] as one line of JSON.
///
/// # Errors
///
/// When the server cannot be reached, or a message failed and no parent process reports it.
pub(super) fn main(args: &Args) -> anyhow::Result<()> {
    let plan = &args.plan;
    let busy = plan.busy.unwrap_or(plan.connections);
    ensure!(busy <= plan.connections, "--busy {busy} is more than --connections {}", plan.connections);
    let (heard, mut commands) = mpsc::unbounded_channel();
    if args.on_command {
        peer::end_with_parent_and(move |line| {
            let _ = heard.send(line.to_string());
        });
    }
    let failed = block_on(async {
        let streams = connect(args.address, plan.connections).await?;
        if args.on_command {
            peer::say(READY);
            let command = commands.recv().await;
            ensure!(command.as_deref() == Some(GO), "expected '{GO}', got {command:?}");
        }
        let result = talk(plan, &streams[..busy as usize]).await;
        // Printed before any connection closes: the measurement of the server does not include closing them.
        peer::say(&serde_json::to_string(&result)?);
        drop(streams);
        Ok((result.errors > 0)
            .then(|| format!("{} connections failed, the first: {}", result.errors, result.why)))
    })?;
    match failed {
        Some(failed) if !args.on_command => anyhow::bail!(failed),
        _ => Ok(()),
    }
}

/// Opens all connections, a few hundred at a time.
async fn connect(address: SocketAddr, count: u32) -> anyhow::Result<Vec<Rc<TcpStream>>> {
    let at_once = Rc::new(Semaphore::new(256));
    let open = |number| {
        let at_once = at_once.clone();
        async move {
            let _permit = at_once.acquire().await;
            let stream = TcpStream::connect(address).await;
            let stream = stream.with_context(|| format!("connection {number} to {address}"))?;
            stream.set_nodelay(true)?;
            anyhow::Ok(Rc::new(stream))
        }
    };
    let tasks: Vec<_> = (1..=count).map(|number| cotask::spawn(open(number))).collect();
    let mut streams = Vec::with_capacity(tasks.len());
    for task in tasks {
        streams.push(task.await??);
    }
    Ok(streams)
}

/// What all connections add to.
struct Tally {
    latencies: Latencies,
    late: Latencies,
    result: Result,
}

async fn talk(plan: &Plan, streams: &[Rc<TcpStream>]) -> Result {
    let tally = Tally { latencies: Latencies::new(), late: Latencies::new(), result: Result::default() };
    let tally = Rc::new(RefCell::new(tally));
    let talkers = streams.len() as u64;
    let start = Instant::now() + Duration::from_millis(5);
    let tasks: Vec<_> = streams
        .iter()
        .zip(0..)
        .map(|(stream, first)| {
            let mine = (first..plan.messages).step_by(talkers as usize);
            let due = mine.map({
                let rate = plan.rate;
                move |number| (number, start + Duration::from_nanos(number * 1_000_000_000 / rate))
            });
            cotask::spawn(converse(stream.clone(), due, plan.timeout, tally.clone()))
        })
        .collect();
    for task in tasks {
        let failed = match task.await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => format!("{error:#}"),
            Err(panic) => panic.to_string(),
        };
        let result = &mut tally.borrow_mut().result;
        result.errors += 1;
        if result.errors == 1 {
            result.why = failed;
        }
    }
    let mut tally = tally.borrow_mut();
    let mut result = std::mem::take(&mut tally.result);
    result.latencies = tally.latencies.percentiles();
    result.late_p99_us = tally.late.percentiles().map_or(0, |late| late.p99_us);
    result
}

/// Sends the messages of one connection when they are due, each after the reply to the one before.
async fn converse(
    stream: Rc<TcpStream>,
    due: impl Iterator<Item = (u64, Instant)>,
    patience: Duration,
    tally: Rc<RefCell<Tally>>,
) -> anyhow::Result<()> {
    for (number, due) in due {
        let mut meant = due;
        if Instant::now() < due {
            sleep_until(due).await;
            // There was nothing to wait for, so the server is not to blame for this.
            meant = Instant::now();
            tally.borrow_mut().late.record(meant - due);
        }
        let message = message(number);
        let mut reply = [0; MESSAGE];
        let exchange = async {
            (&*stream).write_all(&message).await?;
            (&*stream).read_exact(&mut reply).await
        };
        let exchanged = timeout(patience, exchange).await;
        exchanged
            .with_context(|| format!("message {number}"))?
            .with_context(|| format!("message {number}"))?;
        ensure!(reply == message, "message {number} came back as another one");
        let mut tally = tally.borrow_mut();
        tally.latencies.record(meant.elapsed());
        tally.result.echoed += 1;
        tally.result.sum = tally.result.sum.wrapping_add(Hash::new().and(&reply).value());
    }
    Ok(())
}

pub(super) const MESSAGE: usize = 64;

/// Message `number`: every one is different.
pub(super) fn message(number: u64) -> [u8; MESSAGE] {
    let mut message = [0; MESSAGE];
    for (index, chunk) in message.chunks_exact_mut(8).enumerate() {
        chunk.copy_from_slice(
            &number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(index as u32 * 7).to_le_bytes(),
        );
    }
    message
}
