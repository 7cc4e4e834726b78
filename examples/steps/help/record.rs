//! Writes what the runtime of a step did in the format of cotask's own recorder
//! (`src/trace`), so that the example `timeline` and the book can show it. Without
//! `--trace` every function here does nothing.

use std::cell::Cell;
use std::fs;
use std::panic::Location;
use std::path::PathBuf;
use std::process::exit;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What tells the time: the step's own clock where it has one.
type Clock = Box<dyn Fn() -> Duration + Send>;

struct Log {
    file: PathBuf,
    clock: Clock,
    lines: Vec<String>,
}

static LOG: Mutex<Option<Log>> = Mutex::new(None);

thread_local! {
    /// On whose behalf this thread runs just now. `None` on every thread but the
    /// loop's.
    static ACTOR: Cell<Option<Actor>> = const { Cell::new(None) };
    /// The poll under way ends because its budget is spent.
    static BUDGET_SPENT: Cell<bool> = const { Cell::new(false) };
}

#[derive(Clone, Copy)]
enum Actor {
    Outside,
    Task(u64),
    Named(&'static str),
}

/// Records while it lives, and then writes the file.
#[must_use = "when it is dropped the recording ends"]
pub struct Recording(());

impl Recording {
    pub(super) fn start(file: Option<PathBuf>) -> Recording {
        let begun = Instant::now();
        ACTOR.set(Some(Actor::Outside));
        *log() = file.map(|file| Log {
            file,
            clock: Box::new(move || begun.elapsed()),
            lines: Vec::new(),
        });
        Recording(())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let Some(log) = log().take() else { return };
        let header =
            json!({ "cotask_trace": 1, "dropped": 0, "records": log.lines.len() });
        let text = [vec![header.to_string()], log.lines].concat().join("\n") + "\n";
        if let Err(error) = fs::write(&log.file, text) {
            eprintln!("error: --trace {}: {error}", log.file.display());
            exit(1);
        }
    }
}

fn log() -> MutexGuard<'static, Option<Log>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on times are those of this clock.
pub fn clock(now: impl Fn() -> Duration + Send + 'static) {
    if let Some(log) = &mut *log() {
        log.clock = Box::new(now);
    }
}

/// Forgets what was recorded so far, so that the timeline shows what comes now.
pub fn restart() {
    if let Some(log) = &mut *log() {
        log.lines.clear();
    }
}

fn push(event: &str, fields: &[(&str, Value)]) {
    if let Some(log) = &mut *log() {
        let at = log.clock.as_ref()().as_nanos();
        let fields: String =
            fields.iter().map(|(key, value)| format!(",\"{key}\":{value}")).collect();
        log.lines.push(format!("{{\"at\":{at},\"event\":\"{event}\"{fields}}}"));
    }
}

fn by() -> (&'static str, Value) {
    let by = match ACTOR.get() {
        None => "thread".to_string(),
        Some(Actor::Outside) => "outside".to_string(),
        Some(Actor::Task(id)) => format!("task {}", name(id)),
        Some(Actor::Named(name)) => name.to_string(),
    };
    ("by", Value::String(by))
}

fn name(id: u64) -> String {
    format!("0.{id}.0")
}

fn task(id: u64) -> (&'static str, Value) {
    ("task", Value::String(name(id)))
}

/// A task came to be.
#[track_caller]
pub fn spawned(id: u64, called: &str) {
    let place = Location::caller();
    push(
        "spawned",
        &[task(id), by(), ("source", json!(place.to_string())), ("name", json!(called))],
    );
}

/// A task was put into the run queue.
pub fn scheduled(id: u64) {
    push("scheduled", &[task(id), by()]);
}

/// From here on the task acts.
pub fn poll_began(id: u64) {
    push("poll_began", &[task(id)]);
    ACTOR.set(Some(Actor::Task(id)));
}

/// `outcome` is `pending` or `finished`.
pub fn poll_ended(id: u64, outcome: &str) {
    ACTOR.set(Some(Actor::Outside));
    let outcome = if BUDGET_SPENT.take() { "budget" } else { outcome };
    push("poll_ended", &[task(id), ("outcome", json!(outcome))]);
}

/// The thread goes to sleep.
pub fn parked(at_most: Option<Duration>) {
    let at_most = at_most.map(|time| ("at_most", json!(time.as_nanos() as u64)));
    push("parked", at_most.as_slice());
}

/// The thread is awake again.
pub fn unparked() {
    push("unparked", &[]);
}

/// What `f` wakes is woken by `who`: `reactor` or `timer`.
pub fn acting<T>(who: &'static str, f: impl FnOnce() -> T) -> T {
    let before = ACTOR.replace(Some(Actor::Named(who)));
    let value = f();
    ACTOR.set(before);
    value
}

/// The task that runs left a waker with a resource, as `channel 1` or `socket 0.0`, of
/// which it wants something: `value`, `read`, `write`.
pub fn waits(on: &str, want: &str) {
    push("waits", &[by(), ("on", json!(on)), ("want", json!(want))]);
}

/// The task that runs left a waker with another task.
pub fn waits_for_end(id: u64) {
    waits(&format!("task {}", name(id)), "end");
}

/// The task that runs gives way, because its budget is spent.
pub fn budget_spent() {
    BUDGET_SPENT.set(true);
}

/// A deadline was set.
pub fn timer_set(timer: u64, deadline: Duration) {
    let deadline = ("deadline", json!(deadline.as_nanos() as u64));
    push("timer_set", &[("timer", json!(format!("timer {timer}.0"))), by(), deadline]);
}

/// A deadline passed.
pub fn timer_fired(timer: u64) {
    push("timer_fired", &[("timer", json!(format!("timer {timer}.0")))]);
}

/// A deadline was given up.
pub fn timer_cancelled(timer: u64) {
    push("timer_cancelled", &[("timer", json!(format!("timer {timer}.0"))), by()]);
}

/// A value went into a channel (`sent`) or came out of it (`received`).
pub fn channel(event: &str, number: u64, queued: usize) {
    push(
        event,
        &[
            ("channel", json!(format!("channel {number}"))),
            by(),
            ("queued", json!(queued)),
        ],
    );
}
