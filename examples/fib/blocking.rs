//! A task for each job, and the computation on the blocking pool: the cores of `threads.rs`, and a thread that stays free to
//! answer others meanwhile.

use cotask::JoinError;
use futures::future::try_join_all;
use indicatif::ProgressBar;

use super::{Task, fib};
use crate::common::block_on;

/// # Errors
///
/// When a job panics.
pub(crate) fn compute(task: Task, done: &ProgressBar) -> Result<Vec<u64>, JoinError> {
    let job = |_| {
        let done = done.clone();
        cotask::spawn_blocking(move || {
            let value = fib(task.n);
            done.inc(1);
            value
        })
    };
    block_on(async { try_join_all((0..task.jobs).map(job)).await })
}
