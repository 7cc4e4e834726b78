//! What is noted of every event as it is recorded: a hash of them all, and who waits for what.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::clock::Instant;
use crate::base::key::Id;
use crate::trace::{Actor, Event, Observer, Outcome, Resource, Want};

use super::oracle::{Broken, Oracle};

/// FNV-1a over whole words. The standard library's hasher may change with its version, and this must not.
#[derive(Clone)]
pub(crate) struct Digest(u64);

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x0100_0000_01b3);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

/// The last part of a path, which a machine may write with other separators, and from another folder.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Hashes an event so that it has the same hash on every machine: of a path in it, only the file's name counts.
fn hash_event(event: &Event, digest: &mut Digest) {
    let line = |source: &'static Location| (file_name(source.file()), source.line(), source.column());
    match event {
        Event::Spawned { task, by, name, source } => ("spawned", task, by, name, line(source)).hash(digest),
        Event::JobQueued { job, by, source } => ("queued", job, by, line(source)).hash(digest),
        event => event.hash(digest),
    }
}

/// What a task was last seen waiting for.
#[derive(Clone)]
pub(crate) enum Wait {
    For(Resource, Want),
    Until(Instant),
    In(Cow<'static, str>),
}

pub(crate) struct Seen {
    pub(crate) task: Id,
    /// Its name in the trace, which begins with that of its host.
    pub(crate) name: Box<str>,
    pub(crate) source: &'static Location<'static>,
    pub(crate) waits: Vec<Wait>,
    /// The waits are of an earlier poll.
    stale: bool,
}

pub(crate) struct Watch {
    digest: Digest,
    /// Until it has found something, or the simulation has ended.
    oracle: Option<Oracle>,
    broken: Option<Broken>,
    /// By slot.
    tasks: Vec<Option<Seen>>,
}

impl Watch {
    pub(crate) fn new() -> Watch {
        Watch {
            digest: Digest(0xcbf2_9ce4_8422_2325),
            oracle: Some(Oracle::new()),
            broken: None,
            tasks: Vec::new(),
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.digest.finish()
    }

    /// How the runtime has broken its contract, if it has.
    pub(crate) fn broken(&self) -> Option<Broken> {
        self.broken.clone()
    }

    /// The tasks that are alive.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Seen> {
        self.tasks.iter().flatten()
    }

    pub(crate) fn title(&mut self, task: Id) -> Option<String> {
        self.at(task).map(|seen| seen.name.to_string())
    }

    fn at(&mut self, task: Id) -> Option<&mut Seen> {
        self.tasks.get_mut(task.0.slot() as usize)?.as_mut().filter(|seen| seen.task == task)
    }

    fn gone(&mut self, slot: u32) {
        if let Some(place) = self.tasks.get_mut(slot as usize) {
            *place = None;
        }
    }

    /// The simulation is broken off, maybe while its thread sleeps: what is dropped then is nothing for the oracle.
    pub(crate) fn break_off(&mut self) {
        self.oracle = None;
    }

    pub(crate) fn wait(&mut self, task: Id, wait: Wait) {
        if let Some(seen) = self.at(task) {
            if std::mem::take(&mut seen.stale) {
                seen.waits.clear();
            }
            seen.waits.push(wait);
        }
    }

    pub(crate) fn note(&mut self, at: Instant, event: &Event) {
        at.hash(&mut self.digest);
        hash_event(event, &mut self.digest);
        if let Some(oracle) = &mut self.oracle
            && let Err(broken) = oracle.see(at, event)
        {
            self.broken = Some(broken);
            self.oracle = None;
        }
        match event {
            Event::Spawned { task, name, source, .. } => {
                let slot = task.0.slot() as usize;
                if self.tasks.len() <= slot {
                    self.tasks.resize_with(slot + 1, || None);
                }
                let name = name.clone().unwrap_or_default();
                self.tasks[slot] = Some(Seen { task: *task, name, source, waits: Vec::new(), stale: false });
            }
            Event::PollBegan { task } => {
                if let Some(seen) = self.at(*task) {
                    seen.stale = true;
                }
            }
            Event::Dropped { task } => self.gone(task.0.slot()),
            Event::PollEnded { task, outcome }
                if !matches!(outcome, Outcome::Pending | Outcome::BudgetSpent) =>
            {
                self.gone(task.0.slot());
            }
            Event::Waits { by: Actor::Task(task), on, want } => self.wait(*task, Wait::For(*on, *want)),
            Event::TimerSet { by: Actor::Task(task), deadline, .. } => {
                self.wait(*task, Wait::Until(*deadline));
            }
            _ => {}
        }
    }
}

/// A watch, as the recorder and the world have it. Both are on one thread, so the lock is always free.
#[derive(Clone)]
pub(crate) struct SharedWatch(Arc<Mutex<Watch>>);

impl SharedWatch {
    pub(crate) fn new() -> SharedWatch {
        SharedWatch(Arc::new(Mutex::new(Watch::new())))
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut Watch) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for SharedWatch {
    fn event(&mut self, at: Instant, event: &Event) {
        self.look(|watch| watch.note(at, event));
    }

    fn waits_in(&mut self, task: Id, what: Cow<'static, str>) {
        self.look(|watch| watch.wait(task, Wait::In(what)));
    }
}

/// A task, and what it waits for: as far as it is known from its last poll.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiter {
    /// The host, and the task's name or the line that spawned it.
    pub task: String,
    /// The line that spawned it.
    pub spawned: String,
    /// In words, one entry for each thing that it waits for at once.
    pub waits_for: Vec<String>,
}

impl fmt::Display for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (spawned at {}) waits for ", self.task, self.spawned)?;
        if self.waits_for.is_empty() {
            return f.write_str("something that no room of the runtime knows");
        }
        f.write_str(&self.waits_for.join(", or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_code_is_the_same_wherever_the_code_lies() {
        let here = "src/sim/watch.rs";
        for elsewhere in
            ["/home/ann/cotask/src/sim/watch.rs", r"src\sim\watch.rs", r"C:\cotask\src\sim\watch.rs"]
        {
            assert_eq!(file_name(elsewhere), file_name(here));
        }
        assert_ne!(file_name(here), file_name("src/sim/world.rs"));
    }

    /// No other field of an event depends on the machine.
    #[test]
    fn a_hash_has_the_line_and_not_the_path() {
        let hash = |event: &Event| {
            let mut digest = Digest(1);
            hash_event(event, &mut digest);
            digest.finish()
        };
        let source = Location::caller();
        let (task, by) = (Id(Default::default()), Actor::Outside);
        let spawned = |source, by| hash(&Event::Spawned { task, by, name: None, source });
        assert_eq!(spawned(source, by), spawned(source, by));
        assert_ne!(spawned(source, by), spawned(Location::caller(), by));
        assert_ne!(spawned(source, by), spawned(source, Actor::Timer));
        let job = |job| hash(&Event::JobQueued { job: Resource::Job(job), by, source });
        assert_ne!(job(1), job(2));
        let mut path = Digest(1);
        Event::Spawned { task, by, name: None, source }.hash(&mut path);
        assert_ne!(path.finish(), spawned(source, by), "the whole path is a part of the event's own hash");
    }
}
