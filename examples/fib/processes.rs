//! Worker processes, asked over pipes. Here one thread a worker asks for the next job as soon as it has an answer, so that a
//! worker on a busy core gets fewer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::scope;

use anyhow::Result;
use indicatif::ProgressBar;

use super::Task;
use super::worker::Worker;

/// # Errors
///
/// When a worker cannot be started, dies, or answers nonsense.
pub(crate) fn compute(task: Task, done: &ProgressBar) -> Result<Vec<u64>> {
    let workers = (0..task.workers.min(task.jobs)).map(|_| Worker::start()).collect::<Result<Vec<_>>>()?;
    let taken = AtomicUsize::new(0);
    let ask = |mut worker: Worker| -> Result<Vec<u64>> {
        let mut values = Vec::new();
        while taken.fetch_add(1, Ordering::Relaxed) < task.jobs {
            values.push(worker.compute(task.n)?);
            done.inc(1);
        }
        worker.finish()?;
        Ok(values)
    };
    scope(|scope| {
        let threads: Vec<_> = workers.into_iter().map(|worker| scope.spawn(|| ask(worker))).collect();
        let mut values = Vec::new();
        for thread in threads {
            values.extend(thread.join().expect("it only passes lines on")?);
        }
        Ok(values)
    })
}
