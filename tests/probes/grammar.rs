//! The contract as a grammar of the recorder's events. Whatever a run did, its trace must be a sentence of it.

use std::collections::HashMap;

use cotask::Id;
use cotask::trace::{Event, Outcome, Trace};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Idle,
    Queued,
    Polled,
    /// Woken in the poll that is under way.
    PolledAndQueued,
    Over,
}

/// Checks a whole trace, from the runtime's first event on, and gives how many polls each task had.
///
/// # Panics
/// At the first event that breaks a rule, with the events before it.
pub fn check(trace: &Trace) -> HashMap<Id, usize> {
    assert_eq!(trace.dropped, 0, "the ring was too small: the rules are about whole traces");
    let mut grammar = Grammar::default();
    for (index, record) in trace.records.iter().enumerate() {
        if let Err(rule) = grammar.take(&record.event) {
            let before = &trace.records[index.saturating_sub(12)..=index];
            panic!("{rule}: event {index} of {}\n{before:#?}", trace.records.len());
        }
    }
    assert!(grammar.polled.is_none(), "a poll that began ends");
    grammar.polls
}

/// Whether a rule is about this event; the others concern sockets, timers and channels.
#[allow(dead_code)]
pub fn speaks_of(event: &Event) -> bool {
    matches!(
        event,
        Event::Spawned { .. }
            | Event::Scheduled { .. }
            | Event::PollBegan { .. }
            | Event::PollEnded { .. }
            | Event::Parked { .. }
            | Event::Unparked
    )
}

#[derive(Default)]
struct Grammar {
    states: HashMap<Id, State>,
    polls: HashMap<Id, usize>,
    polled: Option<Id>,
    parked: bool,
}

impl Grammar {
    fn take(&mut self, event: &Event) -> Result<(), &'static str> {
        if self.parked && matches!(event, Event::PollBegan { .. } | Event::Parked { .. }) {
            return Err("a thread that sleeps polls nothing");
        }
        match event {
            Event::Spawned { task, .. } => match self.states.insert(*task, State::Idle) {
                None => Ok(()),
                Some(_) => Err("a task is spawned once"),
            },
            Event::Scheduled { task, .. } => self.step(*task, |state| match state {
                State::Idle => Ok(State::Queued),
                State::Polled => Ok(State::PolledAndQueued),
                State::Queued | State::PolledAndQueued => Err("a task is in the run queue at most once (1)"),
                State::Over => Err("a finished task is never scheduled again (3)"),
            }),
            Event::PollBegan { task } => {
                if self.polled.replace(*task).is_some() {
                    return Err("a poll ends before the next begins");
                }
                *self.polls.entry(*task).or_default() += 1;
                self.step(*task, |state| match state {
                    State::Queued => Ok(State::Polled),
                    State::Over => Err("a finished task is never polled again (3)"),
                    _ => Err("a poll comes after the wake that caused it (4)"),
                })
            }
            Event::PollEnded { task, outcome } => {
                if self.polled.take() != Some(*task) {
                    return Err("the poll that ends is the one that began");
                }
                let over = matches!(outcome, Outcome::Finished | Outcome::Panicked | Outcome::Aborted);
                self.step(*task, |state| match state {
                    _ if over => Ok(State::Over),
                    State::Polled if *outcome == Outcome::BudgetSpent => {
                        Err("a task that gives way is queued again (7)")
                    }
                    State::Polled => Ok(State::Idle),
                    // A wake during a poll means that the task is polled again (2).
                    State::PolledAndQueued => Ok(State::Queued),
                    _ => Err("a poll that ends has begun"),
                })
            }
            Event::Parked { .. } => {
                self.parked = true;
                let runnable = self.states.values().any(|&state| state == State::Queued);
                if runnable { Err("a thread sleeps only when nothing can run (6)") } else { Ok(()) }
            }
            Event::Unparked => {
                if std::mem::take(&mut self.parked) {
                    Ok(())
                } else {
                    Err("only a sleeper awakes")
                }
            }
            _ => Ok(()),
        }
    }

    fn step(
        &mut self,
        task: Id,
        next: impl FnOnce(State) -> Result<State, &'static str>,
    ) -> Result<(), &'static str> {
        let state =
            self.states.get_mut(&task).ok_or("a task is spawned before anything else happens to it")?;
        *state = next(*state)?;
        Ok(())
    }
}
