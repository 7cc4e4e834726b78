//! The event recorder: what the executor did, as it did it.
//!
//! Switched on by [`Builder::trace`](crate::Builder::trace), taken out with
//! [`Runtime::take_trace`](crate::Runtime::take_trace). Events go into a ring of a fixed size; when it is full
//! the oldest goes, and is counted. Switched off, an event costs one comparison; without the crate's feature
//! `trace`, nothing.
//!
//! The tests check the runtime's contract on these events: no poll without a schedule, no schedule of a queued
//! task, silence after the end.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::clock::Instant;
use crate::join::Id;
use crate::task::Ending;
use crate::waker::Name;

/// Something that happened, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// On the runtime's clock.
    pub at: Instant,
    /// What happened.
    pub event: Event,
}

/// What can happen.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A task came to be. The future of `block_on` is one too.
    Spawned {
        /// The new task.
        task: Id,
        /// Who spawned it.
        by: Actor,
        /// Its name, when it was given one.
        name: Option<Box<str>>,
        /// The line that spawned it.
        source: &'static Location<'static>,
    },
    /// A task was put into the run queue.
    Scheduled {
        /// The task that became runnable.
        task: Id,
        /// Who woke it.
        by: Actor,
    },
    /// The executor begins to poll a task.
    PollBegan {
        /// The task.
        task: Id,
    },
    /// A poll ended.
    PollEnded {
        /// The task.
        task: Id,
        /// How.
        outcome: Outcome,
    },
    /// The thread goes to sleep until something happens, but for this long at most.
    Parked {
        /// The time to the next timer, if one is set.
        at_most: Option<Duration>,
    },
    /// The thread is awake again.
    Unparked,
}

/// Who caused something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// A task, in its poll.
    Task(Id),
    /// A socket or pipe became ready.
    Reactor,
    /// A deadline passed.
    Timer,
    /// Another thread.
    Thread,
    /// Code on this thread outside of any poll.
    Outside,
}

/// How a poll ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The task waits.
    Pending,
    /// The task gave way, its budget being spent.
    BudgetSpent,
    /// The task finished.
    Finished,
    /// The task panicked.
    Panicked,
    /// The task was aborted: its future was dropped.
    Aborted,
}

impl From<Ending> for Outcome {
    fn from(ending: Ending) -> Outcome {
        match ending {
            Ending::Finished => Outcome::Finished,
            Ending::Panicked => Outcome::Panicked,
            Ending::Aborted => Outcome::Aborted,
        }
    }
}

/// What was recorded.
///
/// # Examples
/// ```
/// use cotask::Builder;
/// use cotask::trace::{Event, Outcome};
///
/// let runtime = Builder::new().trace(1_000).build().unwrap();
/// runtime.block_on(async {
///     cotask::spawn(cotask::yield_now()).await.unwrap();
/// });
/// let trace = runtime.take_trace();
/// let polls = trace.records.iter().filter(|r| matches!(r.event, Event::PollBegan { .. })).count();
/// assert_eq!(polls, 4, "two of the task, two of the future of `block_on`: {trace:#?}");
/// assert_eq!(trace.dropped, 0);
/// ```
#[derive(Clone, Default, Debug)]
pub struct Trace {
    /// The last events, oldest first.
    pub records: Vec<Record>,
    /// How many older ones found no room in the ring.
    pub dropped: u64,
}

pub(crate) struct Recorder {
    ring: RefCell<VecDeque<Record>>,
    capacity: usize,
    dropped: Cell<u64>,
    /// On whose behalf the thread runs just now.
    actor: Cell<Actor>,
}

impl Recorder {
    pub(crate) fn new(capacity: usize) -> Recorder {
        assert!(capacity > 0, "a trace needs room for at least one event");
        Recorder {
            ring: RefCell::new(VecDeque::with_capacity(capacity)),
            capacity,
            dropped: Cell::new(0),
            actor: Cell::new(Actor::Outside),
        }
    }

    /// From now on what happens is this one's doing.
    pub(crate) fn enter(&self, actor: Actor) {
        self.actor.set(actor);
    }

    pub(crate) fn spawned(
        &self,
        at: Instant,
        task: Name,
        name: Option<&str>,
        source: &'static Location<'static>,
    ) {
        let name = name.map(Box::from);
        self.push(at, Event::Spawned { task: Id(task), by: self.actor.get(), name, source });
    }

    pub(crate) fn scheduled(&self, at: Instant, task: Name) {
        self.push(at, Event::Scheduled { task: Id(task), by: self.actor.get() });
    }

    pub(crate) fn poll_began(&self, at: Instant, task: Name) {
        self.enter(Actor::Task(Id(task)));
        self.push(at, Event::PollBegan { task: Id(task) });
    }

    pub(crate) fn poll_ended(&self, at: Instant, task: Name, outcome: Outcome) {
        self.enter(Actor::Outside);
        self.push(at, Event::PollEnded { task: Id(task), outcome });
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn push(&self, at: Instant, event: Event) {
        let mut ring = self.ring.borrow_mut();
        if ring.len() == self.capacity {
            ring.pop_front();
            self.dropped.set(self.dropped.get() + 1);
        }
        ring.push_back(Record { at, event });
    }

    /// What has been recorded since the last time.
    pub(crate) fn take(&self) -> Trace {
        Trace { records: self.ring.borrow_mut().drain(..).collect(), dropped: self.dropped.take() }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("capacity", &self.capacity).field("dropped", &self.dropped).finish()
    }
}
