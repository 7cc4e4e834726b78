//! A trace in the trace-event format of Chrome's tracing tools, which <https://ui.perfetto.dev> opens.
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
//! It reads what [`Trace::write_json_lines`] writes, whose documentation says which fields an event has.
//!
//! Source: "Trace Event Format", Google, 2016.

use std::collections::HashMap;
use std::io::{self, Write};

use cotask::trace::Trace;
use serde_json::{Map, Value, json};

/// The number of the process and of the loop's thread.
const LOOP: u64 = 1;

/// When a task was woken, and on which thread.
type Wake = (u64, u64);

/// What an event says of itself.
type Fields = Map<String, Value>;

/// Times are nanoseconds on the runtime's clock.
#[derive(Default)]
struct Perfetto {
    events: Vec<String>,
    /// The thread number of each task.
    threads: HashMap<String, u64>,
    names: HashMap<String, String>,
    /// What woke each task that is runnable.
    wakes: HashMap<String, Wake>,
    /// When each timer was set, each job queued or started, and what that is called.
    begun: HashMap<String, (u64, String)>,
    /// Which poll is under way, when it began, and what woke its task.
    poll: Option<(String, u64, Option<Wake>)>,
    sleep: Option<u64>,
    flows: u64,
}

/// Writes one JSON object: a track for the loop and one for each task, with arrows from wake to poll.
///
/// # Errors
///
/// Those of `out`.
pub fn write(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    let mut lines = Vec::new();
    trace.write_json_lines(&mut lines)?;
    let mut perfetto = Perfetto::default();
    perfetto.meta("process_name", LOOP, trace.name.as_deref().unwrap_or("cotask"));
    perfetto.meta("thread_name", LOOP, "the loop");
    for line in lines.split(|&byte| byte == b'\n').skip(1).filter(|line| !line.is_empty()) {
        perfetto.add(serde_json::from_slice(line)?);
    }
    perfetto.not_ended();
    write!(out, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}\n]}}\n", perfetto.events.join(",\n"))
}

impl Perfetto {
    fn add(&mut self, mut event: Fields) {
        let at = event.remove("at").and_then(|at| at.as_u64()).unwrap_or_default();
        let kind = event.remove("event").unwrap_or_default();
        let text = |field: &str| event.get(field).and_then(Value::as_str).unwrap_or_default().to_string();
        match kind.as_str().unwrap_or_default() {
            "spawned" => {
                let task = text("task");
                let name = text(if event.contains_key("name") { "name" } else { "source" });
                self.names.insert(task.clone(), format!("{name} ({task})"));
                self.thread(&task);
            }
            "scheduled" => {
                let (task, by) = (text("task"), text("by"));
                let thread = match by.strip_prefix("task ") {
                    // In a poll whose beginning is lost there is nothing for an arrow to start from.
                    Some(_) if self.poll.is_none() => return,
                    Some(waker) => self.thread(waker),
                    None => {
                        let what = format!("{by} wakes {}", self.name(&task));
                        self.slice(LOOP, &what, at, at, Fields::new());
                        LOOP
                    }
                };
                self.wakes.insert(task, (at, thread));
            }
            "poll_began" => {
                let wake = self.wakes.remove(&text("task"));
                self.poll = Some((text("task"), at, wake));
            }
            "poll_ended" => {
                let task = text("task");
                if !matches!(text("outcome").as_str(), "pending" | "budget") {
                    // Woken once more in its last poll: the task has finished, and is not runnable.
                    self.wakes.remove(&task);
                }
                let Some((_, began, wake)) = self.poll.take() else { return };
                let (thread, name) = (self.thread(&task), self.name(&task));
                self.slice(thread, &name, began, at, event);
                if let Some((woken, waker)) = wake {
                    self.flows += 1;
                    self.push("s", waker, "wake", woken, json!({ "id": self.flows }));
                    self.push("f", thread, "wake", began, json!({ "id": self.flows, "bp": "e" }));
                }
            }
            "parked" => self.sleep = Some(at),
            "unparked" => {
                if let Some(parked) = self.sleep.take() {
                    self.slice(LOOP, "asleep", parked, at, Fields::new());
                }
            }
            "timer_set" => self.begin(text("timer"), text("timer"), at),
            "timer_fired" | "timer_cancelled" => self.end(&text("timer"), at, event),
            "job_queued" => self.begin(text("job"), format!("{} queued", text("job")), at),
            "job_started" => {
                let job = text("job");
                self.end(&job, at, event);
                let name = format!("{job} runs");
                self.begin(job, name, at);
            }
            "job_done" => self.end(&text("job"), at, event),
            kind => self.push("i", LOOP, kind, at, json!({ "s": "t", "args": event })),
        }
    }

    fn name(&self, task: &str) -> String {
        self.names.get(task).cloned().unwrap_or_else(|| format!("task {task}"))
    }

    fn thread(&mut self, task: &str) -> u64 {
        let next = LOOP + 1 + self.threads.len() as u64;
        if let Some(thread) = self.threads.get(task) {
            return *thread;
        }
        self.threads.insert(task.to_string(), next);
        let name = self.name(task);
        self.meta("thread_name", next, &name);
        next
    }

    fn begin(&mut self, resource: String, name: String, at: u64) {
        self.begun.insert(resource, (at, name));
    }

    fn end(&mut self, resource: &str, at: u64, event: Fields) {
        let Some((begun, name)) = self.begun.remove(resource) else { return };
        self.push("b", LOOP, &name, begun, json!({ "id": resource }));
        self.push("e", LOOP, &name, at, json!({ "id": resource, "args": event }));
    }

    /// What was under way when the trace was taken, each once and in the order in which it began.
    fn not_ended(&mut self) {
        let mut slices = Vec::new();
        for (task, (woken, _)) in std::mem::take(&mut self.wakes) {
            slices.push((woken, self.thread(&task), format!("{} is runnable", self.name(&task))));
        }
        if let Some((task, began, _)) = self.poll.take() {
            slices.push((began, self.thread(&task), self.name(&task)));
        }
        slices.extend(self.sleep.map(|parked| (parked, LOOP, "asleep".to_string())));
        slices.sort();
        for (at, thread, name) in slices {
            self.push("B", thread, &format!("{name}: not ended"), at, json!({}));
        }
        let mut begun: Vec<_> =
            self.begun.drain().map(|(resource, (at, name))| (at, name, resource)).collect();
        begun.sort();
        for (at, name, resource) in begun {
            self.push("b", LOOP, &format!("{name}: not ended"), at, json!({ "id": resource }));
        }
    }

    fn slice(&mut self, thread: u64, name: &str, from: u64, to: u64, args: Fields) {
        self.push("X", thread, name, from, json!({ "dur": micros(to - from), "args": args }));
    }

    fn meta(&mut self, what: &str, thread: u64, name: &str) {
        self.push("M", thread, what, 0, json!({ "args": { "name": name } }));
    }

    fn push(&mut self, phase: &str, thread: u64, name: &str, at: u64, more: Value) {
        let mut event = json!({
            "ph": phase, "name": name, "cat": "cotask", "pid": LOOP, "tid": thread, "ts": micros(at),
        });
        if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
            event.extend(more);
        }
        self.events.push(event.to_string());
    }
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1_000.0
}
