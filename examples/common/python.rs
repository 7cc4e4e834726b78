//! Python's asyncio as one more peer.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Peer, Usage};

/// Runs `script`, which is known as `name`, in another process.
///
/// # Errors
///
/// When there is no python3.
pub(crate) fn start(name: &str, script: &str, args: &[String]) -> Result<Peer> {
    let mut command = Command::new("python3");
    command.args(["-c", script]).args(args);
    Peer::start(command, format!("python3 {name}"))
}

/// What a script says of its own cost.
#[derive(Clone, Copy, Deserialize)]
struct Cost {
    wall_us: u64,
    cpu_us: u64,
    switches: u64,
    peak_rss_kib: Option<u64>,
    threads: u64,
}

/// The cost that a script prints as a line of JSON.
///
/// # Errors
///
/// When the line is something else.
pub(crate) fn usage(line: &str) -> Result<Usage> {
    let cost: Cost = serde_json::from_str(line).with_context(|| format!("'{line}' is no cost"))?;
    Ok(Usage {
        wall: Duration::from_micros(cost.wall_us),
        cpu: Some(Duration::from_micros(cost.cpu_us)),
        peak_rss_kib: cost.peak_rss_kib,
        threads: Some(cost.threads),
        switches: Some(cost.switches),
    })
}
