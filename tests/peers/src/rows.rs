//! The rows: what each measures, how often, and what cotask has to reach.

use std::fmt;

use clap::ValueEnum;

use crate::runtimes::Peer;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Row {
    #[value(name = "spawn_join_1m")]
    SpawnJoin1m,
    SpawnJoinBatch,
    #[value(name = "yield_2")]
    Yield2,
    #[value(name = "yield_1000")]
    Yield1000,
    PingpongOwn,
    PingpongAsyncChannel,
    WakeRemote,
    #[value(name = "timer_fire_1m")]
    TimerFire1m,
    #[value(name = "timer_cancel_1m")]
    TimerCancel1m,
    #[value(name = "echo_1")]
    Echo1,
    #[value(name = "echo_64")]
    Echo64,
    #[value(name = "echo_1000")]
    Echo1000,
    IdleConnectionBytes,
    HyperHello,
    RecorderOff,
    #[value(name = "cores_2")]
    Cores2,
}

/// What a row asks of cotask.
pub(crate) struct Reach {
    pub(crate) against: Against,
    /// What the ratio to it has to keep.
    pub(crate) limit: Limit,
    /// Further peers, each with the most that cotask's ratio to it may be.
    pub(crate) also: &'static [(Peer, f64)],
}

/// What a row's ratio is taken against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    Tokio,
    /// cotask built without the recorder.
    WithoutRecorder,
    /// cotask on one core. This ratio is one of rates, so that more is better.
    OneCore,
}

/// A bound of a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Limit {
    pub(crate) fn is_kept_by(self, ratio: f64) -> bool {
        match self {
            Limit::AtMost(most) => ratio <= most,
            Limit::AtLeast(least) => ratio >= least,
        }
    }

    pub(crate) fn bound(self) -> f64 {
        match self {
            Limit::AtMost(bound) | Limit::AtLeast(bound) => bound,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::AtMost(most) => write!(f, "at most {most:.2}"),
            Limit::AtLeast(least) => write!(f, "at least {least:.2}"),
        }
    }
}

impl Row {
    /// The name on the command line and in the JSON.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value().expect("no row is hidden");
        value.get_name().to_owned()
    }

    /// One line for `--list`.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Row::SpawnJoin1m => "spawn 1,000,000 tasks that end at once, then join them all; a task",
            Row::SpawnJoinBatch => "the same in batches of 1,000, so that memory is used again; a task",
            Row::Yield2 => "2 tasks that do nothing but yield to each other; a yield",
            Row::Yield1000 => "1,000 tasks that do nothing but yield to each other; a yield",
            Row::PingpongOwn => {
                "2 tasks and the runtime's own thread-safe bounded channel of capacity 1; a round trip"
            }
            Row::PingpongAsyncChannel => "the same over the async-channel crate; a round trip",
            Row::WakeRemote => {
                "another thread wakes a sleeping task and is unparked by it, on one core; a round trip"
            }
            Row::TimerFire1m => "arm 1,000,000 sleeps, then wait until all have fired; a sleep",
            Row::TimerCancel1m => "arm 1,000,000 sleeps and drop each 1,000 sleeps later; a sleep",
            Row::Echo1 => "TCP echo of 64 bytes, 1 connection: CPU time of the server; a request",
            Row::Echo64 => "TCP echo of 64 bytes, 64 connections: CPU time of the server; a request",
            Row::Echo1000 => "TCP echo of 64 bytes, 1,000 connections: CPU time of the server; a request",
            Row::IdleConnectionBytes => {
                "resident memory of an open, idle connection with its task and a 128-byte buffer, 10,000 open"
            }
            Row::HyperHello => {
                "a greeting over HTTP/1.1 by hyper, 64 connections: CPU time of the server; a request"
            }
            Row::Cores2 => "TCP echo, 64 connections, on two runtimes of two threads against one; a request",
            Row::RecorderOff => {
                "yield_1000 with the recorder compiled in but off, against built without it; a yield"
            }
        }
    }

    /// The unit of the row's figures.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Row::IdleConnectionBytes => "bytes",
            _ => "ns",
        }
    }

    /// Operations in one run: `quick` trades precision for time.
    pub(crate) fn operations(self, quick: bool) -> u64 {
        let (full, quick_run) = match self {
            Row::SpawnJoin1m => (1_000_000, 1_000_000),
            Row::SpawnJoinBatch => (2_000_000, 500_000),
            Row::Yield2 => (2_000_000, 500_000),
            Row::Yield1000 | Row::RecorderOff => (5_000_000, 1_000_000),
            Row::PingpongOwn | Row::PingpongAsyncChannel => (500_000, 200_000),
            Row::WakeRemote => (50_000, 20_000),
            Row::TimerFire1m => (1_000_000, 200_000),
            Row::TimerCancel1m => (1_000_000, 300_000),
            Row::Echo1 | Row::Echo64 => (60_000, 15_000),
            Row::Echo1000 => (100_000, 20_000),
            Row::Cores2 => (60_000, 20_000),
            Row::HyperHello => (60_000, 15_000),
            Row::IdleConnectionBytes => (10_000, 10_000),
        };
        if quick { quick_run } else { full }
    }

    /// Open connections of the rows that have a server.
    pub(crate) fn connections(self) -> Option<usize> {
        match self {
            Row::Echo1 => Some(1),
            Row::Echo64 | Row::HyperHello | Row::Cores2 => Some(64),
            Row::Echo1000 => Some(1_000),
            Row::IdleConnectionBytes => Some(10_000),
            _ => None,
        }
    }

    /// What cotask is asked to reach here.
    pub(crate) fn reach(self) -> Reach {
        use Peer::{Compio, Monoio, RawMio, Smol};
        let tokio = |most, also| Reach { against: Against::Tokio, limit: Limit::AtMost(most), also };
        let itself = |against, limit| Reach { against, limit, also: &[] };
        match self {
            Row::SpawnJoin1m => tokio(0.30, &[(Smol, 1.0), (Monoio, 1.0)]),
            Row::SpawnJoinBatch => tokio(0.22, &[(Smol, 1.0), (Monoio, 1.0)]),
            Row::Yield2 => tokio(0.12, &[(Smol, 1.0), (Compio, 1.0)]),
            Row::Yield1000 => tokio(0.30, &[(Smol, 1.0), (Compio, 1.0)]),
            Row::PingpongOwn => tokio(0.50, &[(Smol, 1.0), (Monoio, 1.0), (Compio, 1.0)]),
            Row::PingpongAsyncChannel => tokio(0.90, &[(Smol, 1.0), (Monoio, 1.0), (Compio, 1.0)]),
            Row::WakeRemote => tokio(0.98, &[(Smol, 1.0)]),
            Row::TimerFire1m => tokio(0.42, &[(Smol, 1.0), (Compio, 1.0)]),
            Row::TimerCancel1m => tokio(0.13, &[(Smol, 1.0), (Compio, 1.0)]),
            Row::Echo1 | Row::Echo64 | Row::Echo1000 => {
                tokio(0.97, &[(RawMio, 1.03), (Smol, 1.0), (Monoio, 1.0), (Compio, 1.0)])
            }
            Row::IdleConnectionBytes => tokio(0.50, &[(Smol, 1.0)]),
            Row::HyperHello => tokio(1.0, &[]),
            Row::RecorderOff => itself(Against::WithoutRecorder, Limit::AtMost(1.02)),
            Row::Cores2 => itself(Against::OneCore, Limit::AtLeast(1.8)),
        }
    }
}
