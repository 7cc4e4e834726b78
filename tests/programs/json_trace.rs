//! A trace in a file, lines of JSON: read, and held to the contract. What `cotask::sim::Oracle` is for one in memory.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The events of a whole trace.
///
/// # Panics
/// When it is not a trace, or breaks the contract: a task that is polled was queued, a task that is queued lives and
/// is queued once, and the thread does not sleep while a task can run.
#[track_caller]
pub fn read(text: &str) -> Vec<Value> {
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    let header = lines.next().expect("a header");
    assert_eq!((&header["cotask_trace"], &header["dropped"]), (&1.into(), &0.into()));
    let events: Vec<Value> = lines.collect();
    let mut tasks = Tasks::default();
    for (index, event) in events.iter().enumerate() {
        let before = &events[index.saturating_sub(8)..=index];
        tasks.take(event).unwrap_or_else(|rule| panic!("{rule}: {before:#?}"));
    }
    events
}

#[derive(Default)]
struct Tasks {
    /// All that were ever spawned, and whether each has ended.
    over: BTreeMap<String, bool>,
    queued: BTreeSet<String>,
    polled: Option<String>,
    last: u64,
}

impl Tasks {
    fn take(&mut self, event: &Value) -> Result<(), &'static str> {
        let holds = |rule, holds: bool| if holds { Ok(()) } else { Err(rule) };
        let at = event["at"].as_u64().ok_or("an event has a time")?;
        holds("time goes on", at >= self.last)?;
        self.last = at;
        let task = event["task"].as_str().unwrap_or_default().to_string();
        match event["event"].as_str().ok_or("an event has a kind")? {
            "spawned" => holds("a task is spawned once", self.over.insert(task, false).is_none()),
            "scheduled" => {
                holds("a queued task lives", self.over.get(&task) == Some(&false))?;
                holds("a task is queued once", self.queued.insert(task))
            }
            "poll_began" => {
                holds("a poll comes after a wake", self.queued.remove(&task))?;
                holds("a poll ends before the next begins", self.polled.replace(task).is_none())
            }
            "poll_ended" => {
                if !["pending", "budget"].contains(&event["outcome"].as_str().unwrap_or_default()) {
                    self.end(&task);
                }
                holds("the poll that ends is the one that began", self.polled.take() == Some(task))
            }
            "dropped" => holds("a dropped task lived", self.end(&task)),
            "parked" => {
                holds("no sleep while a task can run", self.queued.is_empty() && self.polled.is_none())
            }
            _ => Ok(()),
        }
    }

    /// Ends a task, and returns whether it lived. A wake in its last poll finds it ended when its turn comes.
    fn end(&mut self, task: &str) -> bool {
        self.queued.remove(task);
        self.over.insert(task.to_string(), true) == Some(false)
    }
}
