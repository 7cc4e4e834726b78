//! A worker process and its protocol, in lines: the weight first; then a task in, `task number steps` out. It ends when its
//! standard input closes.

use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Finding, explore};
use crate::common::{Peer, peer, worker};

/// No task takes longer, not even on a busy machine.
const LONGEST: Duration = Duration::from_secs(600);

/// The worker's side: runs until standard input closes.
pub(crate) fn serve() -> Result<()> {
    let (to_us, lines) = channel();
    peer::end_with_parent_and(move |line| {
        let _ = to_us.send(line.to_string());
    });
    let mut lines = lines.into_iter();
    let weight = lines.next().unwrap_or_default();
    let weight = weight.parse().with_context(|| format!("a worker was given the weight '{weight}'"))?;
    for line in lines {
        let task = line.parse().with_context(|| format!("a worker was given the task '{line}'"))?;
        let Finding { task, number, steps } = explore(task, weight);
        peer::say(&format!("{task} {number} {steps}"));
    }
    Ok(())
}

/// The side of the process that has work to do.
pub(crate) struct Worker(Peer);

impl Worker {
    pub(crate) fn start(weight: u64) -> Result<Worker> {
        let mut peer = worker::start()?;
        peer.tell(&weight.to_string())?;
        Ok(Worker(peer))
    }

    pub(crate) fn order(&mut self, task: u64) -> Result<()> {
        self.0.tell(&task.to_string())
    }

    pub(crate) fn finding(&mut self) -> Result<Finding> {
        let line = self.0.line(LONGEST)?;
        parse(&line).with_context(|| format!("a worker answered '{line}'"))
    }

    /// Ends the worker: a closed pipe is the end marker.
    pub(crate) fn end(self) -> Result<()> {
        worker::dismiss(self.0)
    }
}

fn parse(line: &str) -> Option<Finding> {
    let mut words = line.split(' ');
    let finding = Finding {
        task: words.next()?.parse().ok()?,
        number: words.next()?.parse().ok()?,
        steps: words.next()?.parse().ok()?,
    };
    words.next().is_none().then_some(finding)
}
