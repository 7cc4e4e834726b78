//! A task for each rate, on one thread: the code reads like the blocking one, and waits like the callbacks.

use std::sync::Arc;

use anyhow::{Context, Result};
use cotask::net::TcpStream;
use cotask::spawn_named;
use cotask::time::timeout;
use futures::{AsyncReadExt, AsyncWriteExt};

use super::Job;
use super::protocol::{Incoming, Pair, Quote, request};
use crate::common::block_on;

pub(super) fn fetch_all(job: &Arc<Job>) -> Result<Vec<Quote>> {
    block_on(async {
        let named = |pair: Pair| spawn_named(&pair.to_string(), fetch(job.clone(), pair));
        let tasks: Vec<_> = job.pairs().map(named).collect();
        let mut quotes = Vec::with_capacity(tasks.len());
        for task in tasks {
            quotes.push(task.await??);
        }
        Ok(quotes)
    })
}

pub(super) async fn fetch(job: Arc<Job>, pair: Pair) -> Result<Quote> {
    let price = timeout(job.timeout, exchange(&job, pair)).await;
    let price = price.unwrap_or_else(|late| Err(late.into())).with_context(|| job.failed(pair))?;
    Ok(job.quote(pair, price))
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
