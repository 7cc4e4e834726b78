//! A thread for each rate: the blocking code stays as it is, and the system switches between the waits.

use std::thread::{self, Builder};

use anyhow::{Context, Result};

use super::Job;
use super::protocol::Quote;
use super::sequential::fetch;

pub(super) fn fetch_all(job: &Job) -> Result<Vec<Quote>> {
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for pair in job.pairs() {
            // `thread::spawn` would panic where the system grants no more threads.
            let thread = Builder::new().spawn_scoped(scope, move || fetch(job, pair));
            threads.push(thread.with_context(|| format!("no thread {} for {pair}", threads.len() + 1))?);
        }
        threads.into_iter().map(|thread| thread.join().expect("fetch does not panic")).collect()
    })
}
