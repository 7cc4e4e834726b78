//! The visitors: each comes when it is due, however many are still waiting.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use cotask::net::TcpStream;
use cotask::sync::mpsc;
use cotask::time::{Instant, sleep, sleep_until, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};
use serde::{Deserialize, Serialize};

use super::protocol::{Incoming, Page, request};
use crate::common::{Hash, Latencies, Percentiles, block_on, duration, peer};

/// How many visitors come, and how fast.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Crowd {
    /// How many visitors come a second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(super) rate: u64,
    /// How many visitors come in all
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(super) visits: u64,
    /// A visitor gives up after this long
    #[arg(long, default_value = "20s", value_parser = duration)]
    pub(super) timeout: Duration,
}

impl Crowd {
    /// How long the schedule is.
    pub(super) fn length(&self) -> Duration {
        Duration::from_secs_f64(self.visits as f64 / self.rate as f64)
    }

    /// The arguments that make another process of this program these visitors.
    pub(super) fn arguments(&self, address: SocketAddr) -> Vec<String> {
        let Crowd { rate, visits, timeout } = self;
        let timeout = humantime::format_duration(*timeout);
        let numbers =
            [format!("--rate={rate}"), format!("--visits={visits}"), format!("--timeout={timeout}")];
        ["visit".to_string(), address.to_string()]
            .into_iter()
            .chain(numbers)
            .chain(["--on-command".into()])
            .collect()
    }
}

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Args {
    /// The web server's address
    #[arg(value_name = "HOST:PORT", value_parser = crate::common::address)]
    pub(super) address: SocketAddr,
    #[command(flatten)]
    pub(super) crowd: Crowd,
    /// Start only when told so on standard input, and end when that closes
    #[arg(long, hide = true)]
    pub(super) on_command: bool,
}

/// What the visitors say once the first pages were served, and what they then wait for.
pub(super) const READY: &str = "ready";
pub(super) const GO: &str = "go";

/// How many pages are fetched one by one first, in quiet: what they say is the answer that all styles must agree on.
const FIRST: u64 = 8;

/// How the visitors fared.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Result {
    pub(super) served: u64,
    pub(super) shed: u64,
    pub(super) without_ad: u64,
    pub(super) first_pages: u64,
    /// Of those who were served.
    pub(super) latencies: Option<Percentiles>,
    pub(super) errors: u64,
    pub(super) why: String,
}

/// The visitors' program: prints the [`Result`] as one line of JSON.
///
/// # Errors
///
/// When the first pages are not served, or later ones are wrong and no parent process reports it.
pub(super) fn main(args: &Args) -> anyhow::Result<()> {
    let (heard, mut commands) = mpsc::unbounded_channel();
    if args.on_command {
        peer::end_with_parent_and(move |line| {
            let _ = heard.send(line.to_string());
        });
    }
    let result = block_on(async {
        let first_pages = look_around(args).await?;
        if args.on_command {
            println!("{READY}");
            let command = commands.recv().await;
            ensure!(command.as_deref() == Some(GO), "expected '{GO}', got {command:?}");
        }
        anyhow::Ok(Result { first_pages, ..visit(args).await })
    })?;
    println!("{}", serde_json::to_string(&result)?);
    ensure!(
        args.on_command || result.errors == 0,
        "{} visits failed, the first: {}",
        result.errors,
        result.why
    );
    Ok(())
}

/// Fetches a few pages one by one, and returns the hash of what does not depend on time.
async fn look_around(args: &Args) -> anyhow::Result<u64> {
    let mut hash = Hash::new();
    for user in 0..FIRST {
        // The one before has its page, but may not quite have left.
        let mut tries = 0;
        while matches!(fetch(args, user).await?, Seen::Busy) {
            tries += 1;
            ensure!(tries < 1_000, "user {user} is turned away although no other visitor is there");
            sleep(Duration::from_millis(1)).await;
        }
        hash = hash.and(Page::expected(user).text().as_bytes());
    }
    Ok(hash.value())
}

/// What a visitor saw.
pub(super) enum Seen {
    Page { with_ad: bool },
    Busy,
}

/// What no time-out and no broken connection is an excuse for.
#[derive(Debug)]
pub(super) struct Wrong(String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

async fn visit(args: &Args) -> Result {
    let tally = Rc::new(RefCell::new((Latencies::new(), Result::default())));
    let start = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..args.crowd.visits {
        let due = start + Duration::from_nanos(number * 1_000_000_000 / args.crowd.rate);
        sleep_until(due).await;
        let (args, tally) = (args.clone(), tally.clone());
        tasks.push(cotask::spawn(async move {
            let seen = fetch(&args, FIRST + number).await;
            let (latencies, result) = &mut *tally.borrow_mut();
            match seen {
                Ok(Seen::Page { with_ad }) => {
                    // From when the visitor was meant to come.
                    latencies.record(due.elapsed());
                    result.served += 1;
                    result.without_ad += u64::from(!with_ad);
                }
                Ok(Seen::Busy) => result.shed += 1,
                Err(error) => {
                    result.errors += 1;
                    if result.errors == 1 {
                        result.why = format!("{error:#}");
                    }
                }
            }
        }));
    }
    for task in tasks {
        if let Err(panic) = task.await {
            panic.resume();
        }
    }
    let (latencies, result) = &mut *tally.borrow_mut();
    Result { latencies: latencies.percentiles(), ..std::mem::take(result) }
}

/// Fetches a page and checks every word of it.
pub(super) async fn fetch(args: &Args, user: u64) -> anyhow::Result<Seen> {
    let exchange = async {
        let mut stream = TcpStream::connect(args.address).await?;
        stream.write_all(&request(user)).await?;
        let mut answer = Incoming::new();
        loop {
            let read = stream.read(answer.room()).await?;
            if let Some(answer) = answer.response(read)? {
                return anyhow::Ok(answer);
            }
        }
    };
    let exchanged = timeout(args.crowd.timeout, exchange).await.unwrap_or_else(|late| Err(late.into()));
    let (status, text) = exchanged.with_context(|| format!("user {user} at {}", args.address))?;
    let page = Page::expected(user);
    match status {
        200 if text == page.text() => Ok(Seen::Page { with_ad: true }),
        200 if text == (Page { ad: None, ..page }).text() => Ok(Seen::Page { with_ad: false }),
        503 => Ok(Seen::Busy),
        200 => Err(Wrong(format!("user {user} sees '{text}' instead of '{}'", page.text())).into()),
        other => bail!("user {user} is answered {other}: {text}"),
    }
}
