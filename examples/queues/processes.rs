//! Worker processes, and two pipes each. A pipe has only two ends, so each worker has its own. One thread here keeps
//! the pipes filled, and sends the next task to each worker that has answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::scope;

use anyhow::Result;
use indicatif::ProgressBar;

use super::worker::Worker;
use super::{Finding, Plan, QUEUE};

/// # Errors
///
/// When a worker cannot be started, dies, or answers nonsense.
pub(crate) fn work(plan: Plan, done: &ProgressBar) -> Result<Vec<Finding>> {
    let workers = (0..plan.workers).map(|_| Worker::start(plan.weight)).collect::<Result<Vec<_>>>()?;
    let next = AtomicU64::new(0);
    // ANCHOR: feed
    let feed = |mut worker: Worker| -> Result<Vec<Finding>> {
        let mut found = Vec::new();
        let mut in_flight = 0;
        loop {
            while in_flight < QUEUE / plan.workers.min(QUEUE) {
                let task = next.fetch_add(1, Ordering::Relaxed);
                if task >= plan.tasks {
                    break;
                }
                worker.order(task)?;
                in_flight += 1;
            }
            if in_flight == 0 {
                worker.end()?;
                return Ok(found);
            }
            found.push(worker.finding()?);
            in_flight -= 1;
            done.inc(1);
        }
    };
    // ANCHOR_END: feed
    scope(|scope| {
        let threads: Vec<_> = workers.into_iter().map(|worker| scope.spawn(|| feed(worker))).collect();
        let mut found = Vec::new();
        for thread in threads {
            found.extend(thread.join().expect("it only passes lines on")?);
        }
        Ok(found)
    })
}
