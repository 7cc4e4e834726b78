//! What can be recorded, and the words in which the outputs tell it.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::key::Id;

/// What can happen.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A task came to be. The future of `block_on` is one too.
    Spawned {
        /// The new task.
        task: Id,
        /// The actor that spawned it.
        by: Actor,
        /// Its name, when it was given one.
        name: Option<Box<str>>,
        /// The line that spawned it.
        source: &'static Location<'static>,
    },
    /// A task was put into the run queue. What its waker did just before is the record before this one.
    Scheduled {
        /// The task that became runnable.
        task: Id,
        /// The actor that woke it.
        by: Actor,
    },
    /// The executor begins to poll a task.
    PollBegan {
        /// The task.
        task: Id,
    },
    /// A poll ended.
    PollEnded {
        /// The task.
        task: Id,
        /// How.
        outcome: Outcome,
    },
    /// A task's future was dropped out of its turn: in a [simulation](crate::sim) its host has stopped.
    Dropped {
        /// The task.
        task: Id,
    },
    /// A task's result was taken from its handle.
    Joined {
        /// The task that was awaited.
        task: Id,
        /// The actor that has its result now.
        by: Actor,
    },
    /// A task that had not ended was asked to end, for the first time.
    AbortRequested {
        /// The task that is to end.
        task: Id,
        /// The actor that asked.
        by: Actor,
    },
    /// The thread goes to sleep until something happens, but for this long at most.
    Parked {
        /// The time to the next timer, if one is set.
        at_most: Option<Duration>,
    },
    /// The thread is awake again.
    Unparked,
    /// An actor found nothing to be had yet, and left its waker.
    Waits {
        /// The actor that waits.
        by: Actor,
        /// What it waits on.
        on: Resource,
        /// What it wants of that.
        want: Want,
    },
    /// The reactor began to watch a socket.
    SocketOpened {
        /// The socket.
        socket: Resource,
        /// The actor that opened it.
        by: Actor,
        /// Its type.
        kind: &'static str,
    },
    /// The system reported that something became possible.
    SocketReady {
        /// The socket.
        socket: Resource,
        /// There is something to read or to accept, or the end of the stream.
        readable: bool,
        /// There is room to write, or a connection was made or refused.
        writable: bool,
        /// The peer has closed, or an error ended the connection.
        closed: bool,
    },
    /// The reactor stopped watching a socket.
    SocketClosed {
        /// The socket.
        socket: Resource,
        /// The actor that closed it.
        by: Actor,
    },
    /// A deadline was given to the timer wheel.
    TimerSet {
        /// The timer.
        timer: Resource,
        /// The actor that waits for it.
        by: Actor,
        /// When it is to fire.
        deadline: Instant,
    },
    /// A deadline passed.
    TimerFired {
        /// The timer.
        timer: Resource,
    },
    /// A timer was given up before its time.
    TimerCancelled {
        /// The timer.
        timer: Resource,
        /// The actor that gave it up.
        by: Actor,
    },
    /// A job was handed to the blocking pool.
    JobQueued {
        /// The job.
        job: Resource,
        /// The actor that handed it over.
        by: Actor,
        /// The line that did.
        source: &'static Location<'static>,
    },
    /// A thread of the blocking pool began a job.
    JobStarted {
        /// The job.
        job: Resource,
    },
    /// A job ended, well or with a panic.
    JobDone {
        /// The job.
        job: Resource,
    },
    /// A value went into a channel.
    Sent {
        /// The channel.
        channel: Resource,
        /// The actor that sent.
        by: Actor,
        /// Values in the channel now.
        queued: usize,
    },
    /// A value came out of a channel.
    Received {
        /// The channel.
        channel: Resource,
        /// The actor that received.
        by: Actor,
        /// Values in the channel now.
        queued: usize,
    },
    /// In a [simulation](crate::sim): a fault began or ended, or really acted.
    Fault {
        /// In words.
        what: Box<str>,
    },
    /// From here on something has a name.
    Named {
        /// What was named.
        resource: Resource,
        /// Its name.
        name: Box<str>,
    },
}

/// What caused an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Actor {
    /// A task, in its poll.
    Task(Id),
    /// A socket or pipe became ready.
    Reactor,
    /// A deadline passed.
    Timer,
    /// Another thread, or code that does as one: a `RemoteJoinHandle` that is used on the runtime's own thread.
    Thread,
    /// Code on this thread outside of any poll.
    Outside,
}

/// How a poll ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// The task waits.
    Pending,
    /// The task gave way, its budget being spent.
    BudgetSpent,
    /// The task finished.
    Finished,
    /// The task panicked.
    Panicked,
    /// The task was aborted: its future was dropped.
    Aborted,
}

/// Something that tasks wait on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Resource {
    /// A task.
    Task(Id),
    /// A socket or pipe: its slot in the reactor, and how many were in it before.
    Socket(u32, u32),
    /// A timer: its slot in the wheel, and how many were in it before.
    Timer(u32, u32),
    /// A channel of [`sync::mpsc`](crate::sync::mpsc), in the order in which the recorder met them.
    Channel(u64),
    /// A job of the blocking pool, in order.
    Job(u64),
}

/// What an actor waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Want {
    /// Something to read or to accept.
    Read,
    /// Room to write, or a connection.
    Write,
    /// A value in a channel.
    Value,
    /// Room in a channel.
    Room,
    /// The end of a task.
    End,
}

/// `task 3.17.2`, `reactor`, `timer`, `thread` or `outside`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Task(task) => write!(f, "task {task}"),
            Actor::Reactor => f.write_str("reactor"),
            Actor::Timer => f.write_str("timer"),
            Actor::Thread => f.write_str("thread"),
            Actor::Outside => f.write_str("outside"),
        }
    }
}

/// `task 3.17.2`, `socket 4.0`, `timer 1.12`, `channel 1` or `job 2`.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Task(task) => write!(f, "task {task}"),
            Resource::Socket(slot, generation) => write!(f, "socket {slot}.{generation}"),
            Resource::Timer(slot, generation) => write!(f, "timer {slot}.{generation}"),
            Resource::Channel(number) => write!(f, "channel {number}"),
            Resource::Job(number) => write!(f, "job {number}"),
        }
    }
}

/// In a line: `scheduled task=3.17.2 by=reactor`.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, fields) = self.words();
        f.write_str(kind)?;
        fields.iter().try_for_each(|(key, value)| write!(f, " {key}={value}"))
    }
}

/// The value of a field in an output.
pub(super) enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
}

pub(super) type Fields = Vec<(&'static str, Value)>;

pub(super) fn text(value: impl ToString) -> Value {
    Value::Text(value.to_string())
}

fn word(value: impl fmt::Debug) -> Value {
    Value::Text(format!("{value:?}").to_lowercase())
}

/// Fields that are called as the variables which hold them.
macro_rules! fields {
    ($($name:ident),*) => { vec![$((stringify!($name), Value::from($name))),*] };
}

macro_rules! values {
    ($($kind:ty: |$it:ident| $value:expr;)*) => {
        $(impl From<&$kind> for Value {
            fn from($it: &$kind) -> Value {
                $value
            }
        })*
    };
}

// How the outputs show each of them.
values! {
    Id: |id| text(id);
    Actor: |actor| text(actor);
    Resource: |resource| text(resource);
    Outcome: |outcome| if *outcome == Outcome::BudgetSpent { text("budget") } else { word(outcome) };
    Want: |want| word(want);
    &'static Location<'static>: |line| text(line);
    &'static str: |word| text(word);
    Box<str>: |name| text(name);
    bool: |flag| Value::Flag(*flag);
    usize: |number| Value::Number(*number as u64);
    Instant: |at| Value::Number(at.nanos());
    Duration: |wait| Value::Number(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX));
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Number(number) => write!(f, "{number}"),
            Value::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

impl Event {
    /// Its kind and its fields, as all the outputs have them.
    pub(super) fn words(&self) -> (&'static str, Fields) {
        match self {
            Event::Spawned { task, by, name, source } => {
                let mut fields = fields![task, by, source];
                fields.extend(name.iter().flat_map(|name| fields![name]));
                ("spawned", fields)
            }
            Event::Scheduled { task, by } => ("scheduled", fields![task, by]),
            Event::PollBegan { task } => ("poll_began", fields![task]),
            Event::PollEnded { task, outcome } => ("poll_ended", fields![task, outcome]),
            Event::Dropped { task } => ("dropped", fields![task]),
            Event::Joined { task, by } => ("joined", fields![task, by]),
            Event::AbortRequested { task, by } => ("abort_requested", fields![task, by]),
            Event::Parked { at_most } => {
                ("parked", at_most.iter().flat_map(|at_most| fields![at_most]).collect())
            }
            Event::Unparked => ("unparked", Vec::new()),
            Event::Waits { by, on, want } => ("waits", fields![by, on, want]),
            Event::SocketOpened { socket, by, kind } => ("socket_opened", fields![socket, by, kind]),
            Event::SocketReady { socket, readable, writable, closed } => {
                ("socket_ready", fields![socket, readable, writable, closed])
            }
            Event::SocketClosed { socket, by } => ("socket_closed", fields![socket, by]),
            Event::TimerSet { timer, by, deadline } => ("timer_set", fields![timer, by, deadline]),
            Event::TimerFired { timer } => ("timer_fired", fields![timer]),
            Event::TimerCancelled { timer, by } => ("timer_cancelled", fields![timer, by]),
            Event::JobQueued { job, by, source } => ("job_queued", fields![job, by, source]),
            Event::JobStarted { job } => ("job_started", fields![job]),
            Event::JobDone { job } => ("job_done", fields![job]),
            Event::Sent { channel, by, queued } => ("sent", fields![channel, by, queued]),
            Event::Received { channel, by, queued } => ("received", fields![channel, by, queued]),
            Event::Fault { what } => ("fault", fields![what]),
            Event::Named { resource, name } => ("named", fields![resource, name]),
        }
    }
}
