//! Python's asyncio as one more peer.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Peer, Usage, group};

/// Runs `script`, which is known as `name`, in another process, which does the work in place of this one.
///
/// # Errors
///
/// When there is no python3.
pub(crate) fn start(name: &str, script: &str, args: &[String]) -> Result<Peer> {
    let mut command = Command::new("python3");
    command.args(["-c", script]).args(args);
    let python = Peer::start(command, format!("python3 {name}"))?;
    group::stand_in(python.id());
    Ok(python)
}

/// What a script says of its own cost.
#[derive(Clone, Copy, Deserialize)]
pub(crate) struct Cost {
    wall_us: u64,
    cpu_us: u64,
    switches: u64,
    /// Its memory when it said this, see [`group`].
    pss_kib: Option<u64>,
    threads: u64,
}

pub(crate) fn cost(line: &str) -> Result<Cost> {
    serde_json::from_str(line).with_context(|| format!("'{line}' is no cost"))
}

/// The cost that a script prints as a line of JSON. The peak of its memory is the most that a [`Meter`](super::Meter), which
/// has to run, has seen, and what the script says itself: it may end before the meter looks again.
///
/// # Errors
///
/// When the script says something else, or nothing for `patience`.
pub(crate) fn usage(python: &mut Peer, patience: Duration) -> Result<Usage> {
    let cost = cost(&python.line(patience)?)?;
    group::leave(python.id());
    Ok(Usage {
        wall: Duration::from_micros(cost.wall_us),
        cpu: Some(Duration::from_micros(cost.cpu_us)),
        peak_pss_kib: group::most().pss_kib.max(cost.pss_kib),
        threads: Some(cost.threads),
        switches: Some(cost.switches),
    })
}
