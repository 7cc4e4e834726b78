//! What the workloads share that hand work to worker processes.

use std::num::NonZeroUsize;

use anyhow::Result;

use super::{Peer, group};

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

/// Starts a worker process of the workload that is running. What it uses is measured with what this process uses.
///
/// # Errors
///
/// When the program cannot be started.
pub(crate) fn start() -> Result<Peer> {
    let worker = Peer::spawn(["worker"])?;
    group::join(worker.id());
    Ok(worker)
}

/// Ends a worker that has nothing left to do.
///
/// # Errors
///
/// When it ends with an error of its own, or not at all.
pub(crate) fn dismiss(worker: Peer) -> Result<()> {
    group::leave(worker.id());
    worker.finish()
}
