//! A worker: one number per line in, one Fibonacci number per line out. It ends when its standard input closes.

use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context, Result};

use super::fib;
use crate::common::{Peer, peer, worker};

/// No job takes longer, not even on a busy machine.
const LONGEST: Duration = Duration::from_secs(600);

/// The worker's side: runs until standard input closes.
pub(crate) fn serve() -> Result<()> {
    let (asked, questions) = channel();
    // A thread that computes reads nothing, so another one listens: a dead parent ends us in the middle of a job.
    peer::end_with_parent_and(move |line| {
        let _ = asked.send(line.to_string());
    });
    for question in questions {
        let n = question.parse().with_context(|| format!("a worker was asked for '{question}'"))?;
        peer::say(&fib(n).to_string());
    }
    Ok(())
}

/// The side of the process that has work to do.
pub(crate) struct Worker(Peer);

impl Worker {
    pub(crate) fn start() -> Result<Worker> {
        Ok(Worker(worker::start()?))
    }

    pub(crate) fn compute(&mut self, n: u32) -> Result<u64> {
        self.0.tell(&n.to_string())?;
        let answer = self.0.line(LONGEST)?;
        answer.parse().with_context(|| format!("a worker answered '{answer}' to {n}"))
    }

    pub(crate) fn finish(self) -> Result<()> {
        worker::dismiss(self.0)
    }
}
