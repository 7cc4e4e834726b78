//! Worker threads that share the integers: a chunk is a slice, and costs nothing to hand out. They send what they have
//! sorted over a channel, and this thread merges.

use std::io;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread::{Builder, scope};
use std::time::Duration;

use indicatif::ProgressBar;

use super::numbers::{Runs, merge_sort, timed};
use super::{Plan, Sorted};

/// # Errors
///
/// When a thread cannot be started.
pub(crate) fn sort(plan: Plan, numbers: &[i64], done: &ProgressBar) -> io::Result<Sorted> {
    let chunks = Mutex::new(numbers.chunks(plan.chunk));
    let take = || chunks.lock().expect("no thread panics under it").next();
    scope(|scope| {
        let (sorted, arriving) = channel();
        for _ in 0..plan.workers {
            let sorted = sorted.clone();
            Builder::new().spawn_scoped(scope, move || {
                while let Some(chunk) = take() {
                    if sorted.send(timed(|| merge_sort(chunk))).is_err() {
                        return;
                    }
                }
            })?;
        }
        drop(sorted);
        let mut runs = Runs::default();
        let mut sorting = Duration::ZERO;
        for (run, took) in arriving {
            sorting += took;
            done.inc(run.len() as u64);
            runs.add(run);
        }
        Ok(Sorted { numbers: runs.finish(), sorting })
    })
}
