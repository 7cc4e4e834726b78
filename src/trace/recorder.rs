//! The ring of events, and how the rest of the runtime reaches it.
//!
//! The executor holds the recorder, if there is one. What knows no executor (a channel, a readiness) asks
//! [`is_on`] first: one load and one comparison, on any thread.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use super::{Actor, Event, Outcome, Record, Resource, Trace, Want};
use crate::budget;
use crate::clock::{Clock, Instant};
use crate::current;
use crate::driver::Ready;
use crate::join::Id;
use crate::sim::{self, Wait, Watch};
use crate::waker::TaskKey;

// ANCHOR: on
thread_local! {
    /// Whether the runtime that runs on this thread records. Constant and without a destructor, so that to
    /// ask is a single load.
    static ON: Cell<bool> = const { Cell::new(false) };
}

/// A runtime with a recorder, or without one, begins to run on this thread, or ends.
pub(crate) fn switch(on: bool) {
    ON.set(on);
}

/// Whether what happens on this thread is recorded.
#[inline]
pub(crate) fn is_on() -> bool {
    cfg!(feature = "trace") && ON.get()
}

/// Tells the recorder of this thread's runtime, if there is one.
#[inline]
pub(crate) fn here(tell: impl FnOnce(&Recorder, Instant)) {
    if is_on() {
        current::with(|current| {
            if let Some(executor) = current {
                executor.record(tell);
            }
        });
    }
}
// ANCHOR_END: on

/// A number for what has none of its own, counted by the recorder that speaks of it first; 0 without one.
pub(crate) fn number() -> u64 {
    let mut number = 0;
    here(|recorder, _| number = recorder.number());
    number
}

pub(crate) struct Recorder {
    tape: Tape,
    numbers: Cell<u64>,
    /// On whose behalf the thread runs just now.
    actor: Cell<Actor>,
}

// ANCHOR: tape
/// The ring, as every thread has it. The runtime's own thread writes into it, and so do the threads of its blocking
/// pool. Any thread may read it, even while the runtime's own does not come back from a poll. Two threads hardly ever
/// want it at once, and then the lock costs two atomic operations per event.
#[derive(Clone)]
pub(crate) struct Tape(Arc<Mutex<Ring>>);
// ANCHOR_END: tape

#[derive(Default)]
struct Ring {
    name: Option<Box<str>>,
    records: VecDeque<Record>,
    capacity: usize,
    dropped: u64,
    /// The time of the last record.
    last: Option<Instant>,
    /// What a simulation notes of each event, also of those that find no room.
    watch: Option<Watch>,
}

// ANCHOR: push
impl Ring {
    fn push(&mut self, at: Instant, event: Event) {
        // A thread of the pool may take the time first, and the lock second.
        let at = self.last.map_or(at, |last| at.max(last));
        self.last = Some(at);
        if let Some(watch) = &mut self.watch {
            watch.note(at, &event);
        }
        if self.capacity == 0 {
            self.dropped += 1;
            return;
        }
        if self.records.len() == self.capacity {
            self.records.pop_front();
            self.dropped += 1;
        }
        self.records.push_back(Record { at, event });
    }
}
// ANCHOR_END: push

impl Tape {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    #[inline(never)]
    fn push(&self, at: Instant, event: Event) {
        emit(at, &event);
        self.ring().push(at, event);
    }

    /// What has been recorded since the last time.
    pub(crate) fn take(&self) -> Trace {
        let mut ring = self.ring();
        let records = ring.records.drain(..).collect();
        Trace { name: ring.name.clone(), records, dropped: std::mem::take(&mut ring.dropped) }
    }
}

/// Called with nothing locked or borrowed: a subscriber is foreign code.
#[inline]
fn emit(at: Instant, event: &Event) {
    #[cfg(feature = "tracing")]
    tracing::trace!(target: "cotask", at = at.nanos(), "{event}");
    let _ = (at, event);
}

impl Recorder {
    pub(crate) fn new(capacity: usize, name: Option<Box<str>>) -> Recorder {
        assert!(capacity > 0, "a trace needs room for at least one event");
        let records = VecDeque::with_capacity(capacity);
        Recorder::with(Ring { name, records, capacity, ..Ring::default() })
    }

    /// That of a simulation. Its ring may have no room at all.
    pub(crate) fn watching(capacity: usize) -> Recorder {
        Recorder::with(Ring { capacity, watch: Some(Watch::new()), ..Ring::default() })
    }

    fn with(ring: Ring) -> Recorder {
        let tape = Tape(Arc::new(Mutex::new(ring)));
        Recorder { tape, numbers: Cell::new(0), actor: Cell::new(Actor::Outside) }
    }

    /// What is recorded, for other threads.
    pub(crate) fn tape(&self) -> &Tape {
        &self.tape
    }

    /// From now on what happens is this one's doing.
    pub(crate) fn enter(&self, actor: Actor) {
        self.actor.set(actor);
    }

    /// Whose doing it is.
    pub(crate) fn actor(&self) -> Actor {
        self.actor.get()
    }

    fn number(&self) -> u64 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    pub(crate) fn spawned(
        &self,
        at: Instant,
        task: TaskKey,
        name: Option<&str>,
        source: &'static Location<'static>,
    ) {
        let name = match sim::world() {
            None => name.map(Box::from),
            Some(world) => Some(world.title(name, source).into()),
        };
        self.push(at, Event::Spawned { task: Id(task), by: self.actor(), name, source });
    }

    pub(crate) fn scheduled(&self, at: Instant, task: TaskKey) {
        self.push(at, Event::Scheduled { task: Id(task), by: self.actor() });
    }

    /// Does a poll of `task` between its two events.
    #[cold]
    #[inline(never)]
    pub(crate) fn poll<T>(
        &self,
        clock: &Clock,
        key: TaskKey,
        poll: impl FnOnce() -> Poll<T>,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> Poll<T> {
        let task = Id(key);
        self.enter(Actor::Task(task));
        self.push(clock.now(), Event::PollBegan { task });
        let polled = poll();
        let outcome = match &polled {
            Poll::Ready(value) => outcome(value),
            Poll::Pending if budget::spent() => Outcome::BudgetSpent,
            Poll::Pending => Outcome::Pending,
        };
        self.enter(Actor::Outside);
        self.push(clock.now(), Event::PollEnded { task, outcome });
        polled
    }

    pub(crate) fn socket_ready(&self, at: Instant, socket: Resource, ready: Ready) {
        let Ready { readable, writable, .. } = ready;
        let closed = ready.read_closed || ready.write_closed;
        self.push(at, Event::SocketReady { socket, readable, writable, closed });
    }

    pub(crate) fn waits(&self, at: Instant, on: Resource, want: Want) {
        self.push(at, Event::Waits { by: self.actor(), on, want });
    }

    /// The task that is being polled waits in `what`, which has no identity in a trace. Only noted in a simulation.
    pub(crate) fn waits_in(&self, what: impl Into<Cow<'static, str>>) {
        self.watch(|watch, actor| {
            if let Actor::Task(task) = actor {
                watch.wait(task, Wait::In(what.into()));
            }
        });
    }

    /// Lends what a simulation has noted.
    pub(crate) fn watch<T>(&self, look: impl FnOnce(&mut Watch, Actor) -> T) -> Option<T> {
        self.tape.ring().watch.as_mut().map(|watch| look(watch, self.actor()))
    }

    /// Notes that a job is handed to the blocking pool. What it gives goes with the job.
    pub(crate) fn job(&self, clock: &Clock, source: &'static Location<'static>) -> QueuedJob {
        let (at, job) = (clock.now(), Resource::Job(self.number()));
        self.push(at, Event::JobQueued { job, by: self.actor(), source });
        // A virtual clock stands still while a job is out.
        let frozen = matches!(clock, Clock::Virtual(_)).then_some(at);
        QueuedJob { tape: self.tape.clone(), job, frozen }
    }

    pub(crate) fn push(&self, at: Instant, event: Event) {
        self.tape.push(at, event);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.tape.ring();
        let (capacity, dropped) = (ring.capacity, ring.dropped);
        f.debug_struct("Recorder").field("capacity", &capacity).field("dropped", &dropped).finish()
    }
}

/// A job of the blocking pool that has not started.
pub(crate) struct QueuedJob {
    tape: Tape,
    job: Resource,
    frozen: Option<Instant>,
}

/// A job that runs, on this thread. Dropped when the job has finished.
pub(crate) struct RunningJob(QueuedJob);

impl QueuedJob {
    pub(crate) fn start(self) -> RunningJob {
        self.push(Event::JobStarted { job: self.job });
        RunningJob(self)
    }

    fn push(&self, event: Event) {
        self.tape.push(self.frozen.unwrap_or_else(Instant::real), event);
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        self.0.push(Event::JobDone { job: self.0.job });
    }
}
