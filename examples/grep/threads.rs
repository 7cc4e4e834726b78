//! A thread for each stage, a bounded channel between two. A stage knows what it takes and what it gives; a
//! dropped sender is the end of the text. Every line costs a lock at each channel, and threads that wait for each
//! other cost switches.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope};

/// As many lines may wait between two stages: a pipe that is full stops who writes.
const IN_FLIGHT: usize = 1024;

fn cat<'text>(text: &'text str, targets: &[SyncSender<&'text str>]) {
    for line in text.lines() {
        for target in targets {
            if target.send(line).is_err() {
                return;
            }
        }
    }
}

fn grep<'text>(pattern: &str, lines: Receiver<&'text str>, target: SyncSender<&'text str>) {
    for line in lines {
        if line.contains(pattern) && target.send(line).is_err() {
            return;
        }
    }
}

fn count_lines(lines: Receiver<&str>) -> u64 {
    lines.into_iter().count() as u64
}

/// # Errors
///
/// When a thread cannot be started.
pub(crate) fn count(text: &str, patterns: &[&str]) -> io::Result<Vec<u64>> {
    std::thread::scope(|scope| {
        let mut targets = Vec::new();
        let mut counters = Vec::new();
        for &pattern in patterns {
            let (to_grep, all) = sync_channel(IN_FLIGHT);
            let (to_count, found) = sync_channel(IN_FLIGHT);
            start(scope, move || grep(pattern, all, to_count))?;
            counters.push(start(scope, move || count_lines(found))?);
            targets.push(to_grep);
        }
        cat(text, &targets);
        drop(targets);
        Ok(counters.into_iter().map(|counter| counter.join().expect("it only counts")).collect())
    })
}

fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    stage: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<std::thread::ScopedJoinHandle<'scope, T>> {
    Builder::new().spawn_scoped(scope, stage)
}
