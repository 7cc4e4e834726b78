//! A fixed number of threads, each with one connection at a time: the next one waits until a thread is free.

use std::net::TcpListener;
use std::thread::{self, Builder};

use anyhow::{Context, Result};

use super::sequential;

pub(super) fn serve(listener: &TcpListener, workers: u32) -> Result<()> {
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 1..=workers {
            // All wait in accept; the system wakes one of them for each connection.
            let thread = Builder::new().spawn_scoped(scope, || sequential::serve(listener));
            threads.push(thread.with_context(|| format!("no worker thread {number}"))?);
        }
        threads.into_iter().try_for_each(|thread| thread.join().expect("serving does not panic"))
    })
}
