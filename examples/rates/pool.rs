//! A fixed number of threads that take the next pair when they are free: N / threads times the latency.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, Builder};

use anyhow::{Context, Result};

use super::Job;
use super::protocol::{Pair, Quote};
use super::sequential::fetch;

pub(super) fn fetch_all(job: &Job) -> Result<Vec<Quote>> {
    let next = AtomicU32::new(0);
    let work = || -> Result<Vec<Quote>> {
        let mut quotes = Vec::new();
        loop {
            // Only the number itself is shared, so no ordering with other memory is needed.
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= job.pairs {
                return Ok(quotes);
            }
            quotes.push(fetch(job, Pair::new(number))?);
        }
    };
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 1..=job.workers.min(job.pairs) {
            let thread = Builder::new().spawn_scoped(scope, work);
            threads.push(thread.with_context(|| format!("no worker thread {number}"))?);
        }
        let mut quotes = Vec::new();
        for thread in threads {
            quotes.extend(thread.join().expect("fetch does not panic")?);
        }
        Ok(quotes)
    })
}
