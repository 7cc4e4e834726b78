//! The trace-event format of Chrome's tracing tools, which Perfetto opens.
//!
//! | here | there |
//! |---|---|
//! | the loop, and each task | a thread: loop 1, tasks from 2 |
//! | a poll, a sleep | a slice (`X`) |
//! | a wake by what is no task | a slice of no length on the loop's thread |
//! | from a wake to the poll that it caused | a flow (`s`, `f`) |
//! | a timer, a job in the queue, a running job | an async slice (`b`, `e`) |
//! | what has begun and has not ended | a slice without its end (`B`; async: `b`), named "...: not ended" |
//!
//! The last line is what a run that hangs is asked for: the poll that does not return, the task that is woken and not
//! polled, the job that still runs. What ended and began before the ring did is left out, so that no flow dangles.
//!
//! Source: "Trace Event Format", Google, 2016.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::base::clock::Instant;
use crate::base::key::Id;

use super::events::{Fields, Value, text};
use super::json::write_object;
use super::{Actor, Event, Outcome, Resource, Trace};

/// The number of the process and of the loop's thread.
const LOOP: u64 = 1;

/// When a task was woken, and on which thread.
type Wake = (Instant, u64);

#[derive(Default)]
struct Chrome {
    events: Vec<Fields>,
    /// The thread number of each task.
    threads: HashMap<Id, u64>,
    names: HashMap<Id, String>,
    /// What woke each task that is runnable.
    wakes: HashMap<Id, Wake>,
    /// When each timer was set, each job queued or started, and what that is called.
    begun: HashMap<Resource, (Instant, String)>,
    /// Which poll is under way, when it began, and what woke its task.
    poll: Option<(Id, Instant, Option<Wake>)>,
    sleep: Option<Instant>,
    flows: u64,
}

impl Trace {
    /// Writes the trace in the trace-event format, one JSON object, which <https://ui.perfetto.dev> and
    /// `chrome://tracing` open: a track for the loop and one for each task, with arrows from wake to poll.
    ///
    /// # Errors
    /// Those of `out`.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Builder::new().trace(1_000).build()?;
    /// runtime.block_on(cotask::yield_now());
    /// runtime.take_trace().write_chrome(std::io::sink())?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn write_chrome(&self, mut out: impl Write) -> io::Result<()> {
        let mut chrome = Chrome::default();
        let name = self.name.as_deref().unwrap_or("cotask");
        chrome.meta("process_name", LOOP, name);
        chrome.meta("thread_name", LOOP, "the loop");
        for record in &self.records {
            chrome.add(record.at, &record.event);
        }
        chrome.not_ended();
        out.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        for (place, event) in chrome.events.iter().enumerate() {
            out.write_all(if place == 0 { b"\n" } else { b",\n" })?;
            write_object(&mut out, event)?;
        }
        out.write_all(b"\n]}\n")
    }
}

impl Chrome {
    fn add(&mut self, at: Instant, event: &Event) {
        match event {
            Event::Spawned { task, name, source, .. } => {
                let name = name.as_deref().map_or_else(|| source.to_string(), str::to_string);
                self.names.insert(*task, format!("{name} ({task})"));
                self.thread(*task);
            }
            Event::Scheduled { task, by } => {
                let thread = match by {
                    // In a poll whose beginning is lost there is nothing for an arrow to start from.
                    Actor::Task(_) if self.poll.is_none() => return,
                    Actor::Task(waker) => self.thread(*waker),
                    other => {
                        let what = format!("{other} wakes {}", self.name(*task));
                        self.slice(LOOP, &what, at, at, Vec::new());
                        LOOP
                    }
                };
                self.wakes.insert(*task, (at, thread));
            }
            Event::PollBegan { task } => self.poll = Some((*task, at, self.wakes.remove(task))),
            Event::PollEnded { task, outcome } => {
                if !matches!(outcome, Outcome::Pending | Outcome::BudgetSpent) {
                    // Woken once more in its last poll: the task has finished, and is not runnable.
                    self.wakes.remove(task);
                }
                let Some((_, began, wake)) = self.poll.take() else { return };
                let (thread, name) = (self.thread(*task), self.name(*task));
                self.slice(thread, &name, began, at, event.words().1);
                if let Some((woken, waker)) = wake {
                    self.flows += 1;
                    let id = || ("id", Value::Number(self.flows));
                    let (start, end) = (vec![id()], vec![id(), ("bp", text("e"))]);
                    self.push("s", waker, "wake", woken, start);
                    self.push("f", thread, "wake", began, end);
                }
            }
            Event::Parked { .. } => self.sleep = Some(at),
            Event::Unparked => {
                if let Some(parked) = self.sleep.take() {
                    self.slice(LOOP, "asleep", parked, at, Vec::new());
                }
            }
            Event::TimerSet { timer, .. } => self.begin(*timer, timer.to_string(), at),
            Event::TimerFired { timer } | Event::TimerCancelled { timer, .. } => self.end(*timer, at, event),
            Event::JobQueued { job, .. } => self.begin(*job, format!("{job} queued"), at),
            Event::JobStarted { job } => {
                self.end(*job, at, event);
                self.begin(*job, format!("{job} runs"), at);
            }
            Event::JobDone { job } => self.end(*job, at, event),
            other => {
                let (kind, fields) = other.words();
                let more = vec![("s", text("t")), ("args", Value::Object(fields))];
                self.push("i", LOOP, kind, at, more);
            }
        }
    }

    fn name(&self, task: Id) -> String {
        self.names.get(&task).cloned().unwrap_or_else(|| format!("task {task}"))
    }

    fn thread(&mut self, task: Id) -> u64 {
        let next = LOOP + 1 + self.threads.len() as u64;
        if let Some(thread) = self.threads.get(&task) {
            return *thread;
        }
        self.threads.insert(task, next);
        let name = self.name(task);
        self.meta("thread_name", next, &name);
        next
    }

    fn begin(&mut self, resource: Resource, name: String, at: Instant) {
        self.begun.insert(resource, (at, name));
    }

    fn end(&mut self, resource: Resource, at: Instant, event: &Event) {
        let Some((begun, name)) = self.begun.remove(&resource) else { return };
        let id = || ("id", text(resource));
        self.push("b", LOOP, &name, begun, vec![id()]);
        self.push("e", LOOP, &name, at, vec![id(), ("args", Value::Object(event.words().1))]);
    }

    /// What was under way when the trace was taken, each once and in the order in which it began.
    fn not_ended(&mut self) {
        let mut slices = Vec::new();
        for (task, (woken, _)) in std::mem::take(&mut self.wakes) {
            slices.push((woken, self.thread(task), format!("{} is runnable", self.name(task))));
        }
        if let Some((task, began, _)) = self.poll {
            slices.push((began, self.thread(task), self.name(task)));
        }
        slices.extend(self.sleep.map(|parked| (parked, LOOP, "asleep".to_string())));
        slices.sort();
        for (at, thread, name) in slices {
            self.push("B", thread, &format!("{name}: not ended"), at, Vec::new());
        }
        let mut begun: Vec<_> =
            self.begun.drain().map(|(resource, (at, name))| (at, name, resource)).collect();
        begun.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        for (at, name, resource) in begun {
            self.push("b", LOOP, &format!("{name}: not ended"), at, vec![("id", text(resource))]);
        }
    }

    fn slice(&mut self, thread: u64, name: &str, from: Instant, to: Instant, args: Fields) {
        let length = Value::Micros(Instant::of_tick(0) + (to - from));
        self.push("X", thread, name, from, vec![("dur", length), ("args", Value::Object(args))]);
    }

    fn meta(&mut self, what: &str, thread: u64, name: &str) {
        let args = Value::Object(vec![("name", text(name))]);
        self.push("M", thread, what, Instant::of_tick(0), vec![("args", args)]);
    }

    fn push(&mut self, phase: &str, thread: u64, name: &str, at: Instant, more: Fields) {
        let mut event = vec![
            ("ph", text(phase)),
            ("name", text(name)),
            ("cat", text("cotask")),
            ("pid", Value::Number(LOOP)),
            ("tid", Value::Number(thread)),
            ("ts", Value::Micros(at)),
        ];
        event.extend(more);
        self.events.push(event);
    }
}
