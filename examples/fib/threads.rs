//! A thread for each job. The system spreads them over the cores, and takes turns where there are more jobs
//! than cores.

use std::io;
use std::thread::{Builder, scope};

use indicatif::ProgressBar;

use super::{Task, fib};

/// # Errors
///
/// When a thread cannot be started.
pub(crate) fn compute(task: Task, done: &ProgressBar) -> io::Result<Vec<u64>> {
    let job = || {
        let value = fib(task.n);
        done.inc(1);
        value
    };
    scope(|scope| {
        let start = |_| Builder::new().spawn_scoped(scope, job);
        let threads: Vec<_> = (0..task.jobs).map(start).collect::<io::Result<_>>()?;
        Ok(threads.into_iter().map(|thread| thread.join().expect("a recursion of 50 steps")).collect())
    })
}
