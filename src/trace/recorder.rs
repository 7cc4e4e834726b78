//! The ring of events, and how the rest of the runtime reaches it.
//!
//! The executor holds the recorder, if there is one. What knows no executor (a channel, a readiness) asks
//! [`is_on`] first: one load and one comparison, on any thread.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use super::{Actor, Event, Outcome, Record, Resource, Trace, Want};
use crate::budget;
use crate::clock::{Clock, Instant};
use crate::current;
use crate::driver::Ready;
use crate::join::Id;
use crate::sim::{self, Wait, Watch};
use crate::waker::Name;

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
    name: Option<Box<str>>,
    ring: RefCell<Ring>,
    outside: Arc<Outside>,
    numbers: Cell<u64>,
    /// On whose behalf the thread runs just now.
    actor: Cell<Actor>,
}

#[derive(Default)]
struct Ring {
    records: VecDeque<Record>,
    capacity: usize,
    dropped: u64,
    /// The time of the last record.
    last: Option<Instant>,
    /// What a simulation notes of each event, also of those that find no room.
    watch: Option<Watch>,
}

/// What threads of the blocking pool have to tell. The runtime's thread puts it into the ring before it records
/// anything itself; so it needs no lock for its own events, two atomic operations each.
#[derive(Default)]
struct Outside {
    /// A hint that decides nothing: who learns of a job's end from its result has synchronised with its thread.
    told: AtomicBool,
    records: Mutex<Vec<Record>>,
}

// ANCHOR: push
impl Ring {
    fn push(&mut self, at: Instant, event: Event) {
        // What came from outside may have a later time than what is told now.
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

impl Outside {
    fn tell(&self, at: Instant, event: Event) {
        emit(at, &event);
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(Record { at, event });
        self.told.store(true, Ordering::Relaxed);
    }

    #[cold]
    fn take(&self, ring: &mut Ring) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        self.told.store(false, Ordering::Relaxed);
        for Record { at, event } in records.drain(..) {
            ring.push(at, event);
        }
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
        Recorder::with(name, Ring { records: VecDeque::with_capacity(capacity), capacity, ..Ring::default() })
    }

    /// That of a simulation. Its ring may have no room at all.
    pub(crate) fn watching(capacity: usize) -> Recorder {
        Recorder::with(None, Ring { capacity, watch: Some(Watch::new()), ..Ring::default() })
    }

    fn with(name: Option<Box<str>>, ring: Ring) -> Recorder {
        Recorder {
            name,
            ring: RefCell::new(ring),
            outside: Arc::default(),
            numbers: Cell::new(0),
            actor: Cell::new(Actor::Outside),
        }
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
        task: Name,
        name: Option<&str>,
        source: &'static Location<'static>,
    ) {
        let name = match sim::world() {
            None => name.map(Box::from),
            Some(world) => Some(world.title(name, source).into()),
        };
        self.push(at, Event::Spawned { task: Id(task), by: self.actor(), name, source });
    }

    pub(crate) fn scheduled(&self, at: Instant, task: Name) {
        self.push(at, Event::Scheduled { task: Id(task), by: self.actor() });
    }

    /// Does a poll of `task` between its two events.
    #[cold]
    #[inline(never)]
    pub(crate) fn poll<T>(
        &self,
        clock: &Clock,
        name: Name,
        poll: impl FnOnce() -> Poll<T>,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> Poll<T> {
        let task = Id(name);
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
        self.ring.borrow_mut().watch.as_mut().map(|watch| look(watch, self.actor()))
    }

    /// Notes that a job is handed to the blocking pool. What it gives goes with the job.
    pub(crate) fn job(&self, clock: &Clock, source: &'static Location<'static>) -> QueuedJob {
        let (at, job) = (clock.now(), Resource::Job(self.number()));
        self.push(at, Event::JobQueued { job, by: self.actor(), source });
        // A virtual clock stands still while a job is out.
        let frozen = matches!(clock, Clock::Virtual(_)).then_some(at);
        QueuedJob { outside: Arc::clone(&self.outside), job, frozen }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn push(&self, at: Instant, event: Event) {
        emit(at, &event);
        let mut ring = self.ring.borrow_mut();
        if self.outside.told.load(Ordering::Relaxed) {
            self.outside.take(&mut ring);
        }
        ring.push(at, event);
    }

    /// What has been recorded since the last time.
    pub(crate) fn take(&self) -> Trace {
        let mut ring = self.ring.borrow_mut();
        self.outside.take(&mut ring);
        let records = ring.records.drain(..).collect();
        Trace { name: self.name.clone(), records, dropped: std::mem::take(&mut ring.dropped) }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.ring.borrow();
        let (capacity, dropped) = (ring.capacity, ring.dropped);
        f.debug_struct("Recorder").field("capacity", &capacity).field("dropped", &dropped).finish()
    }
}

/// A job of the blocking pool that has not started.
pub(crate) struct QueuedJob {
    outside: Arc<Outside>,
    job: Resource,
    frozen: Option<Instant>,
}

/// One that has, on this thread. Dropped when it is over.
pub(crate) struct RunningJob(QueuedJob);

impl QueuedJob {
    pub(crate) fn start(self) -> RunningJob {
        self.push(Event::JobStarted { job: self.job });
        RunningJob(self)
    }

    fn push(&self, event: Event) {
        self.outside.tell(self.frozen.unwrap_or_else(Instant::real), event);
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        self.0.push(Event::JobDone { job: self.0.job });
    }
}
