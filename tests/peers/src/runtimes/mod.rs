//! One file a peer: how it runs the work of `workloads.rs`, and an echo server as its own guide writes one.

// Each of these files compiles `workloads.rs` once more, against its own functions: that is the point.
#![allow(clippy::duplicate_mod)]

#[cfg(feature = "compio")]
mod compio;
mod cotask;
#[cfg(feature = "hyper")]
mod hello;
#[cfg(feature = "monoio")]
mod monoio;
mod raw_mio;
mod smol;
mod threads;
mod tokio;

use std::num::NonZeroUsize;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::echo::Announce;
use crate::rows::Row;
use crate::sample::Sample;

/// Bytes of the buffer that each connection of an echo server owns.
const BUFFER: usize = 128;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Peer {
    Cotask,
    Tokio,
    Smol,
    Monoio,
    Compio,
    RawMio,
    Threads,
}

impl Peer {
    /// The name on the command line and in the JSON.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value().expect("no peer is hidden");
        value.get_name().to_owned()
    }

    /// Why this peer has no figure in this row; `None` if it has one.
    pub(crate) fn absent(self, row: Row) -> Option<&'static str> {
        match (self, row) {
            (Peer::Cotask | Peer::Tokio, Row::HyperHello) if cfg!(not(feature = "hyper")) => {
                Some("built without the feature `hyper`")
            }
            (Peer::Cotask, _) => None,
            (_, Row::RecorderOff | Row::Cores2) => Some("the row compares cotask with itself"),
            (Peer::Tokio, _) => None,
            (_, Row::HyperHello) => Some("hyper is measured beside tokio, which it was written for"),
            (Peer::Monoio, _) if cfg!(not(feature = "monoio")) => Some("built without the feature `monoio`"),
            (Peer::Compio, _) if cfg!(not(feature = "compio")) => Some("built without the feature `compio`"),
            (Peer::Monoio | Peer::Compio, Row::PingpongOwn) => Some("has no channel of its own"),
            (Peer::Smol | Peer::Monoio | Peer::Compio, _) => None,
            (Peer::RawMio, Row::Echo1 | Row::Echo64 | Row::Echo1000) => None,
            (Peer::RawMio, _) => Some("a loop over sockets, without tasks"),
            (Peer::Threads, Row::SpawnJoin1m | Row::IdleConnectionBytes) => {
                Some("so many threads at once exhaust a machine")
            }
            (Peer::Threads, Row::PingpongAsyncChannel) => Some("an async channel needs an async runtime"),
            (Peer::Threads, Row::TimerFire1m | Row::TimerCancel1m) => {
                Some("a thread a timer is no alternative")
            }
            (Peer::Threads, _) => None,
        }
    }

    /// Measures a row that has no server, in this process.
    pub(crate) fn measure(self, row: Row, operations: u64) -> Result<Sample> {
        let sample = match self {
            Peer::Cotask => cotask::measure(row, operations),
            Peer::Tokio => tokio::measure(row, operations),
            Peer::Smol => smol::measure(row, operations),
            #[cfg(feature = "monoio")]
            Peer::Monoio => monoio::measure(row, operations),
            #[cfg(feature = "compio")]
            Peer::Compio => compio::measure(row, operations),
            Peer::Threads => threads::measure(row, operations),
            _ => None,
        };
        sample.with_context(|| format!("{} cannot measure {} in this process", self.name(), row.name()))
    }

    /// Serves echo connections on several runtimes until the process ends.
    pub(crate) fn serve_on(self, cores: NonZeroUsize, announce: Announce) -> Result<()> {
        match self {
            Peer::Cotask => cotask::serve_on(cores, announce)?,
            _ => bail!("only cotask is measured on several cores"),
        }
        Ok(())
    }

    /// Greets over HTTP until the process ends, after a call of `announce` with the address.
    pub(crate) fn serve_hello(self, announce: Announce) -> Result<()> {
        match self {
            #[cfg(feature = "hyper")]
            Peer::Cotask => Ok(hello::on_cotask(announce)?),
            #[cfg(feature = "hyper")]
            Peer::Tokio => Ok(hello::on_tokio(announce)?),
            _ => {
                let _ = announce;
                bail!("{} serves no hyper in this binary", self.name())
            }
        }
    }

    /// Serves echo connections until the process ends, after a call of `announce` with the address.
    pub(crate) fn serve(self, announce: Announce) -> Result<()> {
        match self {
            Peer::Cotask => cotask::serve(announce)?,
            Peer::Tokio => tokio::serve(announce)?,
            Peer::Smol => smol::serve(announce)?,
            #[cfg(feature = "monoio")]
            Peer::Monoio => monoio::serve(announce)?,
            #[cfg(feature = "compio")]
            Peer::Compio => compio::serve(announce)?,
            Peer::RawMio => raw_mio::serve(announce)?,
            Peer::Threads => threads::serve(announce)?,
            #[allow(unreachable_patterns)]
            _ => bail!("this binary was built without the feature `{}`", self.name()),
        }
        Ok(())
    }
}
