//! One rate after the other: N times the latency.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result};

use super::Job;
use super::protocol::{Incoming, Pair, Quote, request};

pub(super) fn fetch_all(job: &Job) -> Result<Vec<Quote>> {
    job.pairs().map(|pair| fetch(job, pair)).collect()
}

/// Fetches one rate, and blocks the thread until it is there.
pub(super) fn fetch(job: &Job, pair: Pair) -> Result<Quote> {
    let price = exchange(job, pair).with_context(|| job.failed(pair))?;
    Ok(job.quote(pair, price))
}

fn exchange(job: &Job, pair: Pair) -> Result<u64> {
    let mut stream = TcpStream::connect_timeout(&job.server, job.timeout)?;
    stream.set_read_timeout(Some(job.timeout))?;
    stream.write_all(&request(pair))?;
    let mut answer = Incoming::new();
    loop {
        let read = stream.read(answer.room())?;
        if let Some(price) = answer.price(read)? {
            return Ok(price);
        }
    }
}
