//! What the workloads share that hand work to worker processes.

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::{Context, Result};

use super::peak_rss_kib;
use super::peer::{self, Peer};

/// The argument `--workers`; flatten it into a workload's own.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Workers {
    /// How many workers; as many as there are cores if not given
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=256))]
    workers: Option<u64>,
}

impl Workers {
    pub(crate) fn count(self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.workers.map_or_else(cores, |workers| workers as usize)
    }
}

/// As what a workload's program was started, when it is not the one that the user started.
#[derive(clap::Subcommand)]
pub(crate) enum Role {
    /// Work for the process that started this one
    #[command(hide = true)]
    Worker,
}

/// The threads of a worker: one works, one listens, one ends it if nobody else does.
pub(crate) const THREADS: u64 = 3;

/// A worker's answer to the last word: its peak memory in KiB, or 0 where the system does not tell.
pub(crate) fn take_leave() {
    peer::say(&peak_rss_kib().unwrap_or(0).to_string());
}

/// Says the last word to a worker, ends it, and gives its peak memory in KiB, where the system tells. Before it answers
/// it ends the work that it has, for which it has so long.
pub(crate) fn dismiss(mut worker: Peer, last_word: &str, patience: Duration) -> Result<Option<u64>> {
    worker.tell(last_word)?;
    let line = worker.line(patience)?;
    let peak: u64 = line.parse().with_context(|| format!("a worker took leave with '{line}'"))?;
    worker.finish()?;
    Ok((peak > 0).then_some(peak))
}
