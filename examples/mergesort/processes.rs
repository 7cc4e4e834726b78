//! Worker processes over TCP, a thread for each connection: it sends a chunk, waits for the answer, and passes it on. This thread
//! merges meanwhile.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, scope};
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::ProgressBar;

use super::numbers::Runs;
use super::worker::Worker;
use super::{Plan, Sorted, wire};

type Answer = (Vec<i64>, Duration);

/// One worker's chunks, one after the other.
fn feed<'a>(
    address: SocketAddr,
    take: impl Fn() -> Option<&'a [i64]>,
    sorted: &Sender<Answer>,
) -> Result<()> {
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("cannot connect to the worker at {address}"))?;
    stream.set_nodelay(true)?;
    while let Some(chunk) = take() {
        let mut bytes = vec![0; wire::answer_length(chunk.len())];
        stream
            .write_all(&wire::chunk(chunk))
            .and_then(|()| stream.read_exact(&mut bytes))
            .with_context(|| format!("the worker at {address} has gone"))?;
        let answer = wire::parse_answer(&bytes).context("an answer of the right length")?;
        if sorted.send(answer).is_err() {
            break;
        }
    }
    Ok(())
}

/// # Errors
///
/// When a worker or a thread cannot be started, or a worker goes away.
pub(crate) fn sort(plan: Plan, numbers: &[i64], done: &ProgressBar) -> Result<Sorted> {
    let workers = Worker::start(plan.workers)?;
    let chunks = Mutex::new(numbers.chunks(plan.chunk));
    let take = || chunks.lock().expect("no thread panics under it").next();
    let mut runs = Runs::default();
    let mut sorting = Duration::ZERO;
    scope(|scope| {
        let (sorted, arriving) = channel();
        let mut threads = Vec::new();
        for address in workers.iter().map(|worker| worker.address) {
            let sorted = sorted.clone();
            threads.push(Builder::new().spawn_scoped(scope, move || feed(address, take, &sorted))?);
        }
        drop(sorted);
        for (run, took) in arriving {
            sorting += took;
            done.inc(run.len() as u64);
            runs.add(run);
        }
        threads.into_iter().try_for_each(|thread| thread.join().expect("it only passes chunks on"))
    })?;
    let numbers = runs.finish();
    workers.into_iter().try_for_each(Worker::finish)?;
    Ok(Sorted { numbers, sorting })
}
