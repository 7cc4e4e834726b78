//! The grammar of a trace, as a checker.

// Each test program uses its own part of it.
#![allow(dead_code)]

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Once;

use cotask::Id;
use cotask::trace::{Actor, Event, Outcome, Record, Resource};

/// What a panic says that is a part of the test, and need not be printed.
pub const AS_ASKED: &str = "as asked";

/// Prints nothing of panics that are as asked.
pub fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<String>().is_none_or(|message| message != AS_ASKED) {
                loud(panic);
            }
        }));
    });
}

#[derive(Default)]
struct State {
    queued: HashSet<Id>,
    alive: HashSet<Id>,
    polled: Option<Id>,
    over: HashSet<Id>,
    asleep: bool,
    sockets: HashSet<Resource>,
    /// Whose time has come, and when that is.
    timers: HashMap<Resource, cotask::time::Instant>,
    queued_jobs: HashSet<Resource>,
    running_jobs: HashSet<Resource>,
    channels: HashMap<Resource, usize>,
    /// Whether a timer fired, or a socket became ready, and not yet woke more than its due.
    fired: bool,
}

/// Whether the events could have come from a runtime that keeps its contract, and from its start; if not, why
/// not.
pub fn check(records: &[Record]) -> Result<(), String> {
    let mut state = State::default();
    for (place, record) in records.iter().enumerate() {
        let earlier = place > 0 && record.at < records[place - 1].at;
        let told = if earlier { Err("before the event that precedes it".into()) } else { state.step(record) };
        told.map_err(|fault| {
            let before: Vec<_> =
                records[place.saturating_sub(8)..=place].iter().map(|r| r.event.to_string()).collect();
            format!("event {place}: {fault}\n  {}", before.join("\n  "))
        })?;
    }
    let ended = state.polled.is_none() && !state.asleep;
    ended.then_some(()).ok_or_else(|| "the trace ends within a poll or asleep".into())
}

fn ensure(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_string()) }
}

fn take<T: Hash + Eq + Debug>(set: &mut HashSet<T>, value: &T, what: &str) -> Result<(), String> {
    ensure(set.remove(value), what)
}

impl State {
    fn actor(&self, by: Actor) -> Result<(), String> {
        match by {
            Actor::Task(task) => ensure(self.polled == Some(task), "by a task that is not being polled"),
            _ => ensure(self.polled.is_none(), "within a poll, but not by its task"),
        }
    }

    fn step(&mut self, record: &Record) -> Result<(), String> {
        if self.asleep {
            // Threads of the pool go on with their jobs.
            let job = matches!(record.event, Event::JobStarted { .. } | Event::JobDone { .. });
            ensure(job || record.event == Event::Unparked, "something else while asleep")?;
        }
        match record.event {
            Event::Spawned { task, by, .. } => {
                self.actor(by)?;
                self.over.remove(&task);
                ensure(self.alive.insert(task), "spawned twice")
            }
            Event::Scheduled { task, by } => {
                self.actor(by)?;
                ensure(by != Actor::Timer || self.fired, "woken by a timer, but none fired")?;
                ensure(self.alive.contains(&task), "scheduled, but not alive")?;
                ensure(self.queued.insert(task), "scheduled while queued")
            }
            Event::PollBegan { task } => {
                self.fired = false;
                ensure(self.alive.contains(&task), "polled, but not alive")?;
                take(&mut self.queued, &task, "polled without having been scheduled")?;
                ensure(self.polled.replace(task).is_none(), "a poll within a poll")
            }
            Event::PollEnded { task, outcome } => {
                ensure(self.polled.take() == Some(task), "the end of a poll that did not begin")?;
                ensure(outcome != Outcome::BudgetSpent || self.queued.contains(&task), "gave way for good")?;
                if !matches!(outcome, Outcome::Pending | Outcome::BudgetSpent) {
                    self.alive.remove(&task);
                    self.queued.remove(&task);
                    self.over.insert(task);
                }
                Ok(())
            }
            Event::Joined { task, by } => {
                self.actor(by)?;
                take(&mut self.over, &task, "joined before its end, or twice")
            }
            Event::AbortRequested { task, by } => {
                self.actor(by)?;
                ensure(self.alive.contains(&task), "an abort of what is not alive")
            }
            Event::Parked { .. } => {
                ensure(self.queued.is_empty(), "asleep while something can run")?;
                ensure(self.polled.is_none() && !self.asleep, "asleep in a poll, or twice")?;
                self.asleep = true;
                Ok(())
            }
            Event::Unparked => ensure(std::mem::take(&mut self.asleep), "awake, but was not asleep"),
            Event::Waits { by, on, .. } => {
                self.actor(by)?;
                match on {
                    Resource::Socket(..) => ensure(self.sockets.contains(&on), "waits on a closed socket"),
                    Resource::Task(task) => {
                        ensure(!self.over.contains(&task), "waits on a task that is over")
                    }
                    _ => Ok(()),
                }
            }
            Event::SocketOpened { socket, by, .. } => {
                self.actor(by)?;
                ensure(self.sockets.insert(socket), "opened twice")
            }
            Event::SocketReady { socket, .. } => ensure(self.sockets.contains(&socket), "ready, but closed"),
            Event::SocketClosed { socket, by } => {
                self.actor(by)?;
                take(&mut self.sockets, &socket, "closed, but not open")
            }
            Event::TimerSet { timer, by, deadline } => {
                self.actor(by)?;
                ensure(self.timers.insert(timer, deadline).is_none(), "a timer set twice")
            }
            Event::TimerFired { timer } => {
                self.fired = true;
                let deadline = self.timers.remove(&timer).ok_or("fired, but was not set")?;
                ensure(deadline <= record.at, "fired early")
            }
            Event::TimerCancelled { timer, by } => {
                self.actor(by)?;
                ensure(self.timers.remove(&timer).is_some(), "cancelled, but was not set")
            }
            Event::JobQueued { job, by, .. } => {
                self.actor(by)?;
                ensure(self.queued_jobs.insert(job), "queued twice")
            }
            Event::JobStarted { job } => {
                take(&mut self.queued_jobs, &job, "started, but not queued")?;
                ensure(self.running_jobs.insert(job), "started twice")
            }
            Event::JobDone { job } => take(&mut self.running_jobs, &job, "done, but not started"),
            Event::Sent { channel, by, queued } => {
                self.actor(by)?;
                let count = self.channels.entry(channel).or_default();
                *count += 1;
                ensure(*count == queued, "a value came from nowhere")
            }
            Event::Received { channel, by, queued } => {
                self.actor(by)?;
                let count = self.channels.entry(channel).or_default();
                ensure(*count == queued + 1, "a value was lost")?;
                *count = queued;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
