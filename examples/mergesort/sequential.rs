//! The chunks one after the other, merged as they are done. The division into chunks is the same as in the other styles, so
//! that the share of the serial work can be compared.

use std::time::Duration;

use indicatif::ProgressBar;

use super::numbers::{Runs, merge_sort, timed};
use super::{Plan, Sorted};

pub(crate) fn sort(plan: Plan, numbers: &[i64], done: &ProgressBar) -> Sorted {
    let mut runs = Runs::default();
    let mut sorting = Duration::ZERO;
    for chunk in numbers.chunks(plan.chunk) {
        let (run, took) = timed(|| merge_sort(chunk));
        sorting += took;
        done.inc(run.len() as u64);
        runs.add(run);
    }
    Sorted { numbers: runs.finish(), sorting }
}
