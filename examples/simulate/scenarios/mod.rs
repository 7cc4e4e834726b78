//! The programs that `simulate` runs: the teaching scenarios, each with a bug that only some seeds show and each repaired;
//! and the kit's own workloads, of which none may fail.

mod leader;
mod lock;
mod payment;
mod wire;

use std::time::Duration;

use cotask::sim::{Builder, Kind, Plan, Simulation};
use futures::FutureExt;
use futures::future::LocalBoxFuture;

use crate::{chat, echo, rates, webapp};

/// With the bug, or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Buggy,
    Repaired,
}

/// A program of a few hosts.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What it is, in a line.
    pub(crate) about: &'static str,
    /// Whether there is a version with a bug and one without.
    pub(crate) has_bug: bool,
    pub(crate) hosts: &'static [&'static str],
    /// What may befall each host, and how many of them, the first ones, may crash.
    pub(crate) faults: &'static [Kind],
    pub(crate) crashes: usize,
    /// When the last fault has ended.
    pub(crate) horizon: Duration,
    pub(crate) program: fn(Version) -> LocalBoxFuture<'static, ()>,
}

/// What a network does to a program.
const NETWORK: &[Kind] = &[
    Kind::Latency,
    Kind::Loss,
    Kind::Bandwidth,
    Kind::Partition,
    Kind::PartitionOneWay,
    Kind::Reset,
    Kind::ShortRead,
    Kind::Spurious,
];

/// All that can happen, to programs that should bear it.
const ALL_BUT_CRASHES: &[Kind] = &[
    Kind::Latency,
    Kind::Loss,
    Kind::Bandwidth,
    Kind::Partition,
    Kind::PartitionOneWay,
    Kind::Reset,
    Kind::Refused,
    Kind::BacklogFull,
    Kind::Descriptors,
    Kind::ClockSkew,
    Kind::ClockJump,
    Kind::ShortRead,
    Kind::Spurious,
];

/// A run that takes longer, on the simulation's clock, hangs.
const LIMIT: Duration = Duration::from_secs(600);

pub(crate) static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "payment",
        about: "a customer hears nothing, and pays again: a retry that is not idempotent",
        has_bug: true,
        hosts: &["bank", "ann", "bob", "cid", "dora"],
        faults: NETWORK,
        crashes: 1,
        horizon: Duration::from_secs(5),
        program: |version| payment::run(version).boxed_local(),
    },
    Scenario {
        name: "lock",
        about: "a lock that ends by the clock of one host is still held by the clock of another",
        has_bug: true,
        hosts: &["locks", "store", "ann", "bob", "cid"],
        faults: &[Kind::Latency, Kind::Loss, Kind::ClockSkew, Kind::ClockJump],
        crashes: 2,
        horizon: Duration::from_secs(5),
        program: |version| lock::run(version).boxed_local(),
    },
    Scenario {
        name: "leader",
        about: "a leader is cut off, does not notice, and answers from what it knows",
        has_bug: true,
        hosts: &["north", "south", "west", "writer", "reader"],
        faults: NETWORK,
        crashes: 3,
        horizon: Duration::from_secs(5),
        program: |version| leader::run(version).boxed_local(),
    },
    Scenario {
        name: "echo",
        about: "the workload: every message comes back, and as no other one",
        has_bug: false,
        hosts: &["server", "ann", "bob", "cid", "dora"],
        faults: ALL_BUT_CRASHES,
        crashes: 5,
        horizon: Duration::from_secs(10),
        program: |_| echo::simulated::run(10, Duration::from_millis(500)).boxed_local(),
    },
    Scenario {
        name: "rates",
        about: "the workload: every rate comes, once and right",
        has_bug: false,
        hosts: &["market", "ann", "bob", "cid"],
        faults: ALL_BUT_CRASHES,
        crashes: 4,
        horizon: Duration::from_secs(10),
        program: |_| rates::simulated::run(3, 5, Duration::from_secs(1)).boxed_local(),
    },
    Scenario {
        name: "webapp",
        about: "the workload: every visitor sees their own page in the end, and never another one",
        has_bug: false,
        hosts: &["database", "web", "ann", "bob", "cid"],
        faults: ALL_BUT_CRASHES,
        crashes: 5,
        horizon: Duration::from_secs(10),
        program: |_| webapp::simulated::run(5, Duration::from_millis(500)).boxed_local(),
    },
    Scenario {
        name: "chat",
        about: "the workload: a listener that stays connected hears each message once, whole and in order",
        has_bug: false,
        hosts: &["server", "speaker", "ann", "bob", "cid"],
        faults: ALL_BUT_CRASHES,
        crashes: 5,
        horizon: Duration::from_secs(10),
        program: |_| chat::simulated::run(20, Duration::from_millis(200)).boxed_local(),
    },
];

impl Scenario {
    /// The simulation of a seed, with the faults that belong to it.
    pub(crate) fn prepare(&self, seed: u64) -> Builder {
        Simulation::builder().seed(seed).limit(LIMIT).plan(self.plan(seed, self.horizon))
    }

    /// What goes wrong before `horizon`.
    pub(crate) fn plan(&self, seed: u64, horizon: Duration) -> Plan {
        let mut plan = Plan::draw(seed, self.hosts, horizon, self.faults);
        plan.faults.extend(Plan::draw(seed, &self.hosts[..self.crashes], horizon, &[Kind::Crash]).faults);
        plan.faults.sort_by_key(|&(at, _)| at);
        plan
    }
}
