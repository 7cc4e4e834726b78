//! The ring of events, and how the rest of the runtime reaches it.
//!
//! A runtime holds its recorder, if it has one, and a thread-local lends the recorder of the runtime that runs on this
//! thread. Ask [`is_on`] first: one load and one comparison, on any thread.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use crate::base::budget;
use crate::base::clock::{Clock, Instant};
use crate::base::key::{Id, TaskKey};

use super::events::{Actor, Event, Outcome, Resource, Want};
use super::record::{Record, Trace};

// ANCHOR: on
thread_local! {
    /// Whether the runtime that runs on this thread records. Constant and without a destructor, so that to
    /// ask is a single load.
    static ON: Cell<bool> = const { Cell::new(false) };
    static RECORDER: RefCell<Option<Rc<Recorder>>> = const { RefCell::new(None) };
}

/// A runtime with a recorder, or without one, begins to run on this thread, or ends.
pub(crate) fn switch(to: Option<Rc<Recorder>>) {
    ON.set(to.is_some());
    // While the thread's locals are torn down, no recorder is here.
    drop(RECORDER.try_with(|recorder| recorder.replace(to)));
}

/// Whether what happens on this thread is recorded.
#[inline]
pub(crate) fn is_on() -> bool {
    cfg!(feature = "trace") && ON.get()
}

/// Tells the recorder of this thread's runtime, if there is one.
#[inline]
pub(crate) fn here(tell: impl FnOnce(&Recorder)) {
    if is_on() {
        out_of_line(|| {
            if let Ok(Some(recorder)) = RECORDER.try_with(|recorder| recorder.borrow().clone()) {
                tell(&recorder);
            }
        });
    }
}
// ANCHOR_END: on

/// Keeps what is only done for a recorder out of the code around it.
#[cold]
#[inline(never)]
pub(crate) fn out_of_line(tell: impl FnOnce()) {
    tell();
}

/// A number for what has none of its own, counted by the recorder that speaks of it first; 0 without one.
pub(crate) fn number() -> u64 {
    let mut number = 0;
    here(|recorder| number = recorder.number());
    number
}

pub(crate) struct Recorder {
    tape: Tape,
    clock: Clock,
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
    observer: Option<Box<dyn Observer>>,
}

/// Sees each event as it is recorded, also those that find no room in the ring.
pub(crate) trait Observer: Send {
    fn event(&mut self, at: Instant, event: &Event);
    /// A task waits in something that has no identity in a trace.
    fn waits_in(&mut self, task: Id, what: Cow<'static, str>);
}

// ANCHOR: push
impl Ring {
    fn push(&mut self, at: Instant, event: Event) {
        // A thread of the pool may take the time first, and the lock second.
        let at = self.last.map_or(at, |last| at.max(last));
        self.last = Some(at);
        if let Some(observer) = &mut self.observer {
            observer.event(at, &event);
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
    pub(crate) fn new(clock: &Clock, capacity: usize, name: Option<Box<str>>) -> Recorder {
        assert!(capacity > 0, "a trace needs room for at least one event");
        let records = VecDeque::with_capacity(capacity);
        Recorder::with(clock, Ring { name, records, capacity, ..Ring::default() })
    }

    /// With an observer. The ring may have no room at all.
    pub(crate) fn observed(clock: &Clock, capacity: usize, observer: Box<dyn Observer>) -> Recorder {
        Recorder::with(clock, Ring { capacity, observer: Some(observer), ..Ring::default() })
    }

    fn with(clock: &Clock, ring: Ring) -> Recorder {
        let (tape, clock) = (Tape(Arc::new(Mutex::new(ring))), clock.clone());
        Recorder { tape, clock, numbers: Cell::new(0), actor: Cell::new(Actor::Outside) }
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

    pub(crate) fn spawned(&self, task: TaskKey, name: Option<Box<str>>, source: &'static Location<'static>) {
        self.push(Event::Spawned { task: Id(task), by: self.actor(), name, source });
    }

    pub(crate) fn scheduled(&self, task: TaskKey) {
        self.push(Event::Scheduled { task: Id(task), by: self.actor() });
    }

    /// Does a poll of `task` between its two events.
    #[cold]
    #[inline(never)]
    pub(crate) fn poll<T>(
        &self,
        key: TaskKey,
        poll: impl FnOnce() -> Poll<T>,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> Poll<T> {
        let task = Id(key);
        self.enter(Actor::Task(task));
        self.push(Event::PollBegan { task });
        let polled = poll();
        let outcome = match &polled {
            Poll::Ready(value) => outcome(value),
            Poll::Pending if budget::spent() => Outcome::BudgetSpent,
            Poll::Pending => Outcome::Pending,
        };
        self.enter(Actor::Outside);
        self.push(Event::PollEnded { task, outcome });
        polled
    }

    pub(crate) fn waits(&self, on: Resource, want: Want) {
        self.push(Event::Waits { by: self.actor(), on, want });
    }

    /// The task that is being polled waits in `what`, which has no identity in a trace. Only an observer notes it.
    pub(crate) fn waits_in(&self, what: impl Into<Cow<'static, str>>) {
        if let (Some(observer), Actor::Task(task)) = (&mut self.tape.ring().observer, self.actor()) {
            observer.waits_in(task, what.into());
        }
    }

    /// Notes that a job is handed to the blocking pool. What it gives goes with the job.
    pub(crate) fn job(&self, source: &'static Location<'static>) -> QueuedJob {
        let job = Resource::Job(self.number());
        self.push(Event::JobQueued { job, by: self.actor(), source });
        // A virtual clock stands still while a job is out.
        let frozen = matches!(self.clock, Clock::Virtual(_)).then(|| self.clock.now());
        QueuedJob { tape: self.tape.clone(), job, frozen }
    }

    pub(crate) fn push(&self, event: Event) {
        self.tape.push(self.clock.now(), event);
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
