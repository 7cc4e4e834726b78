//! Worker processes over TCP, with all connections in one thread, which merges as well. While it merges, it feeds no
//! worker: all wait, so the serial share is larger than with threads. Async saves the threads but adds no core.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use cotask::net::TcpStream;
use cotask::sync::mpsc;
use futures::future::{join, try_join_all};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use indicatif::ProgressBar;

use super::numbers::Runs;
use super::worker::Worker;
use super::{Plan, Sorted, wire};
use crate::common::block_on;

type Answer = (Vec<i64>, Duration);

/// One worker's chunks, one after the other.
async fn feed<'a>(
    address: SocketAddr,
    take: impl Fn() -> Option<&'a [i64]>,
    sorted: mpsc::Sender<Answer>,
) -> Result<()> {
    let mut stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("cannot connect to the worker at {address}"))?;
    stream.set_nodelay(true)?;
    while let Some(chunk) = take() {
        let mut bytes = vec![0; wire::answer_length(chunk.len())];
        let gone = || format!("the worker at {address} has gone");
        stream.write_all(&wire::chunk(chunk)).await.with_context(gone)?;
        stream.read_exact(&mut bytes).await.with_context(gone)?;
        let answer = wire::parse_answer(&bytes).context("an answer of the right length")?;
        if sorted.send(answer).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn merge(mut arriving: mpsc::Receiver<Answer>, done: &ProgressBar) -> (Runs, Duration) {
    let mut runs = Runs::default();
    let mut sorting = Duration::ZERO;
    while let Some((run, took)) = arriving.recv().await {
        sorting += took;
        done.inc(run.len() as u64);
        runs.add(run);
    }
    (runs, sorting)
}

/// # Errors
///
/// When a worker cannot be started or goes away.
pub(crate) fn sort(plan: Plan, numbers: &[i64], done: &ProgressBar) -> Result<Sorted> {
    let workers = Worker::start(plan.workers)?;
    let chunks = RefCell::new(numbers.chunks(plan.chunk));
    let take = || chunks.borrow_mut().next();
    let (fed, (runs, sorting)) = block_on(async {
        let (sorted, arriving) = mpsc::channel(plan.workers);
        // Futures of one task that borrow what is here; they need not be tasks of their own.
        let feeders: Vec<_> =
            workers.iter().map(|worker| feed(worker.address, take, sorted.clone())).collect();
        drop(sorted);
        join(try_join_all(feeders), merge(arriving, done)).await
    });
    fed?;
    let numbers = runs.finish();
    workers.into_iter().try_for_each(Worker::finish)?;
    Ok(Sorted { numbers, sorting })
}
