//! A worker process and its protocol: a number a line in, its Fibonacci number a line out. `done` is answered with the peak memory.

use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context, Result};

use super::fib;
use crate::common::{Peer, peer, worker};

/// No job takes longer, not even on a busy machine.
const LONGEST: Duration = Duration::from_secs(600);

const DONE: &str = "done";

/// The worker's side: runs until standard input closes.
pub(crate) fn serve() -> Result<()> {
    let (asked, questions) = channel();
    // Whoever computes does not hear; so the listener is another thread, and a dead parent ends us in the middle of a job.
    peer::end_with_parent_and(move |line| {
        let _ = asked.send(line.to_string());
    });
    for question in questions {
        if question == DONE {
            worker::take_leave();
            continue;
        }
        let n = question.parse().with_context(|| format!("a worker was asked for '{question}'"))?;
        peer::say(&fib(n).to_string());
    }
    Ok(())
}

/// The side of whoever has work to do.
pub(crate) struct Worker(Peer);

impl Worker {
    pub(crate) fn start() -> Result<Worker> {
        Ok(Worker(Peer::spawn(["worker"])?))
    }

    pub(crate) fn compute(&mut self, n: u32) -> Result<u64> {
        self.0.tell(&n.to_string())?;
        let answer = self.0.line(LONGEST)?;
        answer.parse().with_context(|| format!("a worker answered '{answer}' to {n}"))
    }

    /// Ends the worker and gives its peak memory in KiB, where the system tells.
    pub(crate) fn finish(self) -> Result<Option<u64>> {
        worker::dismiss(self.0, DONE, LONGEST)
    }
}
