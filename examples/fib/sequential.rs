//! One job after the other: one core works, the others look on.

use indicatif::ProgressBar;

use super::{Task, fib};

pub(crate) fn compute(task: Task, done: &ProgressBar) -> Vec<u64> {
    let job = |_| {
        let value = fib(task.n);
        done.inc(1);
        value
    };
    (0..task.jobs).map(job).collect()
}
