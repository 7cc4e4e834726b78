//! The outcome of a simulation, and the words in which it is reported.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::fault::Kind;
use super::oracle::Broken;
use super::watch::{Seen, Wait, Waiter};
use super::world::State;
use crate::trace::{Resource, Trace, Want};

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

impl State {
    /// Every task, and what it waits for.
    pub(super) fn waiters(&self) -> Vec<Waiter> {
        self.waiters_where(|_| true)
    }

    pub(super) fn waiters_where(&self, meant: impl Fn(u32) -> bool) -> Vec<Waiter> {
        self.watch.look(|watch| {
            let tasks: Vec<&Seen> = watch.tasks().collect();
            let chosen = tasks.iter().filter(|seen| meant(seen.task.0.slot()));
            chosen.map(|seen| self.waiter(seen, &tasks)).collect()
        })
    }

    fn waiter(&self, seen: &Seen, tasks: &[&Seen]) -> Waiter {
        let words = |wait: &Wait| match wait {
            Wait::For(Resource::Socket(number, _), Want::Write) => {
                format!("room in {}", self.describe(*number))
            }
            Wait::For(Resource::Socket(number, _), _) => self.describe(*number),
            Wait::For(Resource::Task(task), _) => match tasks.iter().find(|other| other.task == *task) {
                Some(other) => format!("the end of task {} ({})", other.name, other.source),
                None => format!("the end of task {task}"),
            },
            Wait::For(resource, Want::Room) => format!("room in {resource}"),
            Wait::For(resource, _) => format!("a value in {resource}"),
            Wait::Until(deadline) => format!("a timer at {deadline:?}"),
            Wait::In(what) => in_words(what),
        };
        // A channel tells more of itself: which it is, and what it lacks.
        let known = |wait: &&Wait| !matches!(wait, Wait::In(what) if what.contains("::mpsc::"));
        let mut waits_for: Vec<String> = seen.waits.iter().filter(known).map(words).collect();
        // A task that waits for a host's end also waits for a notification: the first says more.
        if waits_for.len() > 1 && waits_for.iter().any(|wait| wait.starts_with("the end of host")) {
            waits_for.retain(|wait| wait != NOTIFICATION);
        }
        waits_for.dedup();
        Waiter { task: seen.name.to_string(), spawned: seen.source.to_string(), waits_for }
    }
}

const NOTIFICATION: &str = "a notification";

/// What waits under a lock of `sync` is known by the type of what is locked.
fn in_words(what: &str) -> String {
    let known = [
        ("mutex::State", "a mutex"),
        ("Permits", "a permit of a semaphore"),
        ("notify::State", NOTIFICATION),
        ("oneshot::State", "the value of a oneshot channel"),
    ];
    let words = known.iter().find(|(name, _)| what.contains(name)).map_or(what, |&(_, words)| words);
    words.to_string()
}
