//! A task for each job, all on one thread. A task gives way only where it awaits, and there is no such place in a
//! computation: this is `sequential.rs` once more, in async clothes.

use cotask::JoinError;
use futures::future::try_join_all;
use indicatif::ProgressBar;

use super::{Task, fib};
use crate::common::block_on;

/// # Errors
///
/// When a task panics.
pub(crate) fn compute(task: Task, done: &ProgressBar) -> Result<Vec<u64>, JoinError> {
    let job = |_| {
        let done = done.clone();
        cotask::spawn(async move {
            let value = fib(task.n);
            done.inc(1);
            value
        })
    };
    block_on(async { try_join_all((0..task.jobs).map(job)).await })
}
