//! A task for each rate, on one thread: the code reads like the blocking one, and waits like the callbacks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use cotask::net::TcpStream;
use cotask::sim::random;
use cotask::spawn_named;
use cotask::time::{sleep, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

use super::Job;
use super::protocol::{Incoming, Pair, Quote, request};
use crate::common::{Backoff, block_on};

/// Between two attempts for the same rate.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(super) fn fetch_all(job: &Arc<Job>) -> Result<Vec<Quote>> {
    block_on(fetch_together(job))
}

pub(super) async fn fetch_together(job: &Arc<Job>) -> Result<Vec<Quote>> {
    let tasks: Vec<_> =
        job.pairs().map(|pair| spawn_named(&pair.to_string(), fetch(job.clone(), pair))).collect();
    let mut quotes = Vec::with_capacity(tasks.len());
    for task in tasks {
        quotes.push(task.await??);
    }
    Ok(quotes)
}

async fn fetch(job: Arc<Job>, pair: Pair) -> Result<Quote> {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut attempts = 1;
    loop {
        let price = timeout(job.timeout, exchange(&job, pair)).await;
        match price.unwrap_or_else(|late| Err(late.into())) {
            Ok(price) => return Ok(job.quote(pair, price)),
            // To ask twice does no harm: a quote is read, and nothing changes.
            Err(_) if attempts < job.attempts => sleep(backoff.pause(random())).await,
            Err(error) => return Err(error.context(job.failed(pair))),
        }
        attempts += 1;
    }
}

async fn exchange(job: &Job, pair: Pair) -> Result<u64> {
    let mut stream = TcpStream::connect(job.server).await?;
    stream.write_all(&request(pair)).await?;
    let mut answer = Incoming::new();
    loop {
        let read = stream.read(answer.room()).await?;
        if let Some(price) = answer.price(read)? {
            return Ok(price);
        }
    }
}
