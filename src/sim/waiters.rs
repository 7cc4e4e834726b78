//! Which tasks wait, and for what, in words.

use crate::trace::{Resource, Want};

use super::state::State;
use super::watch::{Seen, Wait, Waiter};

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
