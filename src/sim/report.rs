//! The outcome of a simulation, and the words in which it is reported.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::trace::Trace;

use super::fault::Kind;
use super::oracle::Broken;
use super::watch::Waiter;

/// What came of a simulation.
#[derive(Debug)]
pub struct Report<T> {
    /// What `main` gave, or what went wrong.
    pub result: Result<T, Failure>,
    /// How long it took, on the machine's virtual clock.
    pub virtual_time: Duration,
    /// The last events, as many as [`Builder::trace`](super::Builder::trace) asked for. Tasks are named after their hosts.
    pub trace: Trace,
    /// Over all events. Two runs of one seed, on any machine, have the same; 0 without the feature `trace`.
    pub hash: u64,
    /// How often each kind of fault really acted.
    pub faults: BTreeMap<Kind, u64>,
    /// Tasks that were alive when their host's future finished, and sockets that were never dropped: what would be
    /// lost, or kept, when the process ends. No failure by itself.
    pub leaks: Vec<String>,
}

/// Why a simulation has no result.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// Code panicked.
    Panic {
        /// On which host.
        host: String,
        /// In which task.
        task: String,
        /// With which words.
        message: String,
    },
    /// Nothing can run, no timer is set, no packet is on its way, and `main` is not over.
    Deadlock {
        /// Every task, and what it waits for.
        waiting: Vec<Waiter>,
    },
    /// The [limit](super::Builder::limit) of virtual time was reached.
    TimeLimit {
        /// Every task, and what it waits for.
        waiting: Vec<Waiter>,
    },
    /// Tasks go on waking each other and the clock never moves.
    Spins {
        /// Where it stands.
        at: Duration,
        /// Every task, and what it waits for.
        waiting: Vec<Waiter>,
    },
    /// The runtime itself did what its [contract](crate) excludes.
    Contract(Broken),
    /// [`invariant`](super::invariant) did not hold.
    Invariant(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = match self {
            Failure::Panic { host, task, message } => {
                return write!(f, "panic on host {host}, in task {task}: {message}");
            }
            Failure::Contract(broken) => return write!(f, "the runtime breaks its contract: {broken}"),
            Failure::Invariant(text) => return write!(f, "an invariant does not hold: {text}"),
            Failure::Deadlock { waiting } => {
                f.write_str("deadlock: nothing can run, no timer is set, no packet is on its way")?;
                waiting
            }
            Failure::TimeLimit { waiting } => {
                f.write_str("the limit of virtual time was reached")?;
                waiting
            }
            Failure::Spins { at, waiting } => {
                write!(f, "tasks go on waking each other at {at:?}, and the clock never moves")?;
                waiting
            }
        };
        waiting.iter().try_for_each(|waiter| write!(f, "\n  {waiter}"))
    }
}

impl std::error::Error for Failure {}
