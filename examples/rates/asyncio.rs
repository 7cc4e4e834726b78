//! Runs `asyncio.py`, which measures itself: the start of the interpreter is no part of the time, but of the memory.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Job;
use super::protocol::{Pair, Quote, path, price};
use crate::common::{Usage, python};

pub(super) fn fetch_all(job: &Job) -> Result<(Vec<Quote>, Usage)> {
    let timeout = job.timeout.as_secs_f64().to_string();
    let (host, port) = (job.server.ip().to_string(), job.server.port().to_string());
    let mut python = python::start("asyncio.py", include_str!("asyncio.py"), &[host, port, timeout])?;
    for pair in job.pairs() {
        python.tell(&path(pair))?;
    }
    python.close_input();
    let patience = job.timeout + Duration::from_secs(20);
    let mut quotes = Vec::new();
    for _ in 0..job.pairs {
        let line = python.line(patience)?;
        let quote = quote(job, &line).with_context(|| format!("asyncio.py says '{line}'"))?;
        quotes.push(quote);
    }
    let usage = python::usage(&mut python, patience)?;
    python.finish()?;
    Ok((quotes, usage))
}

/// A line of the answer: number, price, microseconds.
fn quote(job: &Job, line: &str) -> Option<Quote> {
    let mut words = line.split(' ');
    let number = words.next()?.parse().ok().filter(|number| *number < job.pairs)?;
    let price = price(words.next()?)?;
    let after = Duration::from_micros(words.next()?.parse().ok()?);
    Some(Quote { pair: Pair::new(number), price, after })
}
