//! The oracle: reads the events of a run, and reports which invariant of the [contract](crate) it breaks.
//!
//! It knows nothing of how the executor works. It keeps its own account of which tasks are alive, queued, polled and
//! awaited, from the events alone, and so it finds a runtime that does not do what it says, and a recorder that does
//! not say what happens.
//!
//! Of the twelve invariants the events show eleven in part: 1, 2, 3, 4, 5 (of sockets), 6, 7 (of the run queue), 9
//! (values of channels), 10, 11 and 12. They do not show whether a panic reaches the code that joins (8).

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::Id;
use crate::time::Instant;
use crate::trace::{Actor, Event, Outcome, Record, Resource};

/// A run did something that a runtime that keeps its contract does not do.
///
/// # Examples
/// ```
/// use cotask::sim::Oracle;
///
/// let runtime = cotask::Builder::new().virtual_time().trace(1_000).build()?;
/// runtime.block_on(async { cotask::spawn(cotask::yield_now()).await.unwrap() });
/// let mut records = runtime.take_trace().records;
/// assert_eq!(Oracle::check(&records), Ok(()));
///
/// // The same run without the record that says why the task was polled again.
/// let scheduled = records.iter().rposition(|record| record.event.to_string().starts_with("scheduled"));
/// records.remove(scheduled.unwrap());
/// let broken = Oracle::check(&records).unwrap_err();
/// assert_eq!(broken.invariant, Some(4));
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Its number in the [contract](crate); `None` for what no trace can say, whatever the runtime does.
    pub invariant: Option<u8>,
    /// The event at which it showed, counted from 0.
    pub event: u64,
    /// What was wrong, with the event.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.invariant {
            Some(number) => write!(f, "invariant {number} is broken at event {}: {}", self.event, self.why),
            None => write!(f, "event {} makes no sense: {}", self.event, self.why),
        }
    }
}

impl std::error::Error for Broken {}

/// How many polls a runnable task may be passed over for, for each task that was in the queue with it: with a queue
/// drawn from a seed that happens once in e^200 times.
const PATIENCE: u64 = 200;

/// How often in a row the thread may go to sleep at one moment, with nothing having happened between.
const DROWSY: u32 = 100;

/// The account of a run, event by event from its start.
///
/// # Examples
/// See [`Broken`].
#[derive(Default, Debug)]
pub struct Oracle {
    events: u64,
    now: Option<Instant>,
    polls: u64,
    alive: HashMap<Id, Life>,
    /// How many are queued, and the most that ever were.
    queued: u64,
    longest: u64,
    polled: Option<Id>,
    /// Over, and not joined.
    over: HashSet<Id>,
    asleep: bool,
    /// How often the thread has slept since anything else happened, at this moment.
    naps: (u32, Option<Instant>),
    /// The tasks that wait to read, and to write.
    sockets: HashMap<Resource, [HashSet<Id>; 2]>,
    /// The tasks that waited for a socket that is ready since the last poll.
    expectant: HashSet<Id>,
    /// Whether a timer has fired since the last poll.
    fired: bool,
    timers: HashMap<Resource, Instant>,
    jobs: HashMap<Resource, bool>,
    channels: HashMap<Resource, usize>,
}

/// A task that is not over.
#[derive(Clone, Copy, Default, Debug)]
struct Life {
    /// How many polls there had been when it was queued, and whether that was in its own poll.
    queued: Option<(u64, bool)>,
    aborted: bool,
}

/// What is wrong: the number of the invariant, 0 for none, and the fault.
type Fault = (u8, &'static str);

fn ensure(holds: bool, invariant: u8, fault: &'static str) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err((invariant, fault)) }
}

impl Oracle {
    /// One that has seen nothing.
    pub fn new() -> Oracle {
        Oracle::default()
    }

    /// Judges a whole trace, from the start of its runtime to a moment between two polls.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(records: &[Record]) -> Result<(), Broken> {
        let mut oracle = Oracle::new();
        records.iter().try_for_each(|record| oracle.see(record.at, &record.event))?;
        oracle.end()
    }

    /// Takes note of the next event.
    ///
    /// # Errors
    /// When the event should not have happened. Results for later events then mean nothing.
    pub fn see(&mut self, at: Instant, event: &Event) -> Result<(), Broken> {
        let seen = self.step(at, event);
        self.events += 1;
        seen.map_err(|(invariant, fault)| Broken {
            invariant: (invariant > 0).then_some(invariant),
            event: self.events - 1,
            why: format!("{fault}: {event}"),
        })
    }

    /// The run has ended, or stands still between two polls.
    ///
    /// # Errors
    /// When it cannot end so.
    pub fn end(&self) -> Result<(), Broken> {
        let awake = self.polled.is_none() && !self.asleep;
        let why = || "the run ends in a poll, or asleep".to_string();
        if awake { Ok(()) } else { Err(Broken { invariant: None, event: self.events, why: why() }) }
    }

    /// The runtime has been dropped (invariant 10).
    ///
    /// # Errors
    /// When tasks or sockets are left.
    pub fn end_of_runtime(&self) -> Result<(), Broken> {
        self.end()?;
        let (tasks, sockets) = (self.alive.len(), self.sockets.len());
        if tasks + sockets == 0 {
            return Ok(());
        }
        let why = format!("the runtime has ended, and {tasks} tasks and {sockets} sockets are left");
        Err(Broken { invariant: Some(10), event: self.events, why })
    }

    fn actor(&self, by: Actor) -> Result<(), Fault> {
        match by {
            Actor::Task(task) => ensure(self.polled == Some(task), 0, "by a task that is not being polled"),
            _ => ensure(self.polled.is_none(), 0, "within a poll, but not by its task"),
        }
    }

    fn step(&mut self, at: Instant, event: &Event) -> Result<(), Fault> {
        ensure(self.now <= Some(at), 0, "earlier than the event before it")?;
        self.now = Some(at);
        if !matches!(event, Event::Parked { .. } | Event::Unparked) {
            self.naps.0 = 0;
        }
        if self.asleep {
            // Threads of the pool go on with their jobs.
            let job = matches!(event, Event::JobStarted { .. } | Event::JobDone { .. });
            ensure(job || *event == Event::Unparked, 0, "while the thread sleeps")?;
        }
        match *event {
            Event::Spawned { task, by, .. } => {
                self.actor(by)?;
                ensure(self.alive.insert(task, Life::default()).is_none(), 0, "spawned twice")
            }
            Event::Scheduled { task, by } => self.scheduled(task, by),
            Event::PollBegan { task } => self.poll_began(task),
            Event::PollEnded { task, outcome } => self.poll_ended(task, outcome),
            Event::Dropped { task } => {
                self.actor(Actor::Outside)?;
                let life = self.alive.remove(&task).ok_or((3, "dropped, but not alive"))?;
                self.queued -= u64::from(life.queued.is_some());
                self.over.insert(task);
                Ok(())
            }
            Event::Joined { task, by } => {
                self.actor(by)?;
                ensure(self.over.remove(&task), 3, "joined before its end, or twice")
            }
            Event::AbortRequested { task, by } => {
                self.actor(by)?;
                let life = self.alive.get_mut(&task).ok_or((3, "an abort of a task that has ended"))?;
                ensure(!std::mem::replace(&mut life.aborted, true), 12, "aborted twice")
            }
            Event::Parked { .. } => self.parked(at),
            Event::Unparked => ensure(std::mem::take(&mut self.asleep), 0, "the thread was not asleep"),
            Event::Waits { by, on, want } => {
                self.actor(by)?;
                match (on, by) {
                    (Resource::Socket(..), Actor::Task(task)) => {
                        let waiters = self.sockets.get_mut(&on).ok_or((10, "waits on a closed socket"))?;
                        waiters[usize::from(want == crate::trace::Want::Write)].insert(task);
                        Ok(())
                    }
                    (Resource::Task(task), _) => {
                        ensure(!self.over.contains(&task), 3, "waits for a task that has ended")
                    }
                    _ => Ok(()),
                }
            }
            Event::SocketOpened { socket, by, .. } => {
                self.actor(by)?;
                ensure(self.sockets.insert(socket, Default::default()).is_none(), 0, "opened twice")
            }
            Event::SocketReady { socket, readable, writable, .. } => {
                let waiters = self.sockets.get_mut(&socket).ok_or((10, "ready, but not open"))?;
                self.expectant.extend(waiters.iter().flatten());
                for (waiters, woken) in waiters.iter_mut().zip([readable, writable]) {
                    waiters.retain(|_| !woken);
                }
                Ok(())
            }
            Event::SocketClosed { socket, by } => {
                self.actor(by)?;
                ensure(self.sockets.remove(&socket).is_some(), 10, "closed, but not open")
            }
            Event::TimerSet { timer, by, deadline } => {
                self.actor(by)?;
                ensure(self.timers.insert(timer, deadline).is_none(), 0, "set twice")
            }
            Event::TimerFired { timer } => {
                self.fired = true;
                let deadline = self.timers.remove(&timer).ok_or((11, "fired, but not set"))?;
                ensure(deadline <= at, 11, "fired early")
            }
            Event::TimerCancelled { timer, by } => {
                self.actor(by)?;
                ensure(self.timers.remove(&timer).is_some(), 11, "cancelled, but not set")
            }
            Event::JobQueued { job, by, .. } => {
                self.actor(by)?;
                ensure(self.jobs.insert(job, false).is_none(), 0, "queued twice")
            }
            Event::JobStarted { job } => {
                ensure(self.jobs.insert(job, true) == Some(false), 0, "started twice, or not queued")
            }
            Event::JobDone { job } => {
                ensure(self.jobs.remove(&job) == Some(true), 0, "done, but not started")
            }
            Event::Sent { channel, by, queued } => {
                self.actor(by)?;
                let count = self.channels.entry(channel).or_default();
                *count += 1;
                ensure(*count == queued, 9, "a value came from nowhere")
            }
            Event::Received { channel, by, queued } => {
                self.actor(by)?;
                let count = self.channels.entry(channel).or_default();
                let before = std::mem::replace(count, queued);
                ensure(before == queued + 1, 9, "a value was lost")
            }
            _ => Ok(()),
        }
    }

    fn scheduled(&mut self, task: Id, by: Actor) -> Result<(), Fault> {
        self.actor(by)?;
        match by {
            Actor::Timer => ensure(self.fired, 11, "woken by a timer, but none fired")?,
            Actor::Reactor => {
                ensure(self.expectant.contains(&task), 5, "woken by a socket that it does not wait for")?;
            }
            _ => {}
        }
        let life = self.alive.get_mut(&task).ok_or((3, "scheduled, but not alive"))?;
        ensure(life.queued.is_none(), 1, "scheduled while queued")?;
        life.queued = Some((self.polls, self.polled == Some(task)));
        self.queued += 1;
        self.longest = self.longest.max(self.queued);
        Ok(())
    }

    fn poll_began(&mut self, task: Id) -> Result<(), Fault> {
        self.fired = false;
        self.expectant.clear();
        let life = self.alive.get_mut(&task).ok_or((3, "polled, but not alive"))?;
        let (since, _) = life.queued.take().ok_or((4, "polled without having been scheduled"))?;
        ensure(self.polls - since <= PATIENCE * self.longest, 7, "had to wait for too many others")?;
        self.polls += 1;
        self.queued -= 1;
        ensure(self.polled.replace(task).is_none(), 0, "a poll within a poll")
    }

    fn poll_ended(&mut self, task: Id, outcome: Outcome) -> Result<(), Fault> {
        ensure(self.polled.take() == Some(task), 0, "the end of a poll that did not begin")?;
        let life = *self.alive.get(&task).ok_or((3, "polled, but not alive"))?;
        match outcome {
            Outcome::Pending => ensure(!life.aborted, 12, "aborted, and goes on"),
            Outcome::BudgetSpent => ensure(life.queued.is_some(), 2, "gave way for good"),
            Outcome::Finished | Outcome::Panicked | Outcome::Aborted => {
                ensure(
                    outcome != Outcome::Aborted || life.aborted,
                    12,
                    "ended as aborted, without a request",
                )?;
                self.alive.remove(&task);
                self.queued -= u64::from(life.queued.is_some());
                self.over.insert(task);
                Ok(())
            }
        }
    }

    fn parked(&mut self, at: Instant) -> Result<(), Fault> {
        ensure(self.polled.is_none() && !self.asleep, 0, "in a poll, or while asleep")?;
        if self.queued > 0 {
            let woke_itself = |life: &Life| life.queued.is_some_and(|(_, own)| own);
            let invariant = if self.alive.values().any(woke_itself) { 2 } else { 6 };
            return Err((invariant, "asleep while something can run"));
        }
        self.asleep = true;
        let naps = if self.naps.1 == Some(at) { self.naps.0 + 1 } else { 0 };
        self.naps = (naps, Some(at));
        ensure(naps < DROWSY, 6, "asleep again and again for nothing")
    }
}
