//! What happened in one execution: steps, threads, primitives.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::Ordering;

use loom::thread::ThreadId;

use crate::failure::Kind;

pub(crate) type At = &'static Location<'static>;

/// A value that an atomic held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Bool(bool),
    Int(i128),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => value.fmt(f),
            // Flags packed into the upper bits read better so.
            Value::Int(value) if *value > 0xffff => write!(f, "{value:#x}"),
            Value::Int(value) => value.fmt(f),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

macro_rules! value_from {
    ($($int:ty)*) => {
        $(impl From<$int> for Value {
            fn from(value: $int) -> Value {
                // No integer is wider than 64 bits here, so that all fit.
                Value::Int(value as i128)
            }
        })*
    };
}
value_from!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

/// What a thread did, once it was done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    /// An atomic was made, with this value.
    New(Value),
    Load {
        order: Ordering,
        value: Value,
    },
    Store {
        order: Ordering,
        value: Value,
    },
    /// A read-modify-write that always writes, such as `fetch_add`.
    Update {
        method: &'static str,
        operand: Option<Value>,
        order: Ordering,
        old: Value,
        new: Value,
    },
    /// A read-modify-write that writes only if it finds what it expects. `found` is that, or what was there instead.
    Exchange {
        method: &'static str,
        expected: Value,
        new: Value,
        order: Ordering,
        found: Value,
    },
    Fence(Ordering),
    Lock {
        method: &'static str,
    },
    /// A try that found the lock held.
    Refused {
        method: &'static str,
    },
    Unlock,
    /// A thread is in the queue of a condition variable, this mutex is unlocked, and the thread sleeps.
    WaitFrom(u32),
    /// The wait has ended, and this mutex is locked again.
    WaitOver(u32),
    /// A condition variable woke the threads of these lanes.
    Notify {
        method: &'static str,
        woke: Vec<u8>,
    },
    /// A `Notify` has its permit now.
    Permit,
    /// A wait for the permit of a `Notify` that is not there.
    Sleeps,
    /// The permit of a `Notify` was there, or came. Spurious: it was neither.
    Notified {
        spurious: bool,
    },
    Sends {
        accepted: bool,
    },
    Receives {
        method: &'static str,
        found: bool,
    },
    Spawn(u8),
    Join(u8),
    Ends,
    /// `park` found no token: the thread sleeps.
    Parks,
    /// `park` has taken the token.
    Parked,
    /// The thread has its token. `found`: it had one already.
    Unpark {
        thread: ThreadId,
        found: bool,
    },
    Yield,
    /// `block_on` polls its future, and what came of it.
    Poll,
    /// Woken: the waker has been called already, so that `block_on` need not sleep.
    Pending {
        woken: bool,
    },
    Ready,
    /// The waker of the `block_on` on this lane was called.
    Wake(u8),
    /// `block_on` goes on: woken, or spuriously.
    Awake {
        spurious: bool,
    },
    /// A plain cell was read or written.
    Cell {
        method: &'static str,
        value: String,
    },
    /// A handle of an `Arc` appeared (its number) or went.
    Handle(u32),
    Clone(u32),
    Drop(u32),
    /// A look at how many handles there are: so many; this one alone; more than this one.
    StrongCount(usize),
    Only {
        method: &'static str,
    },
    Shared {
        method: &'static str,
    },
    /// A remark by the model itself.
    Note(String),
    /// A panic that the model caught itself.
    Caught(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub lane: u8,
    /// Its number in [`Recording::objects`], or [`UNNUMBERED`].
    pub object: u32,
    pub at: At,
    pub op: Op,
}

/// What an operation is on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Id {
    /// Its number in [`Recording::objects`], if it is recorded.
    pub number: u32,
    /// The execution that made it, unlike every other in this process. 0 is none.
    pub execution: u32,
}

/// No object: a fence, a note.
pub(crate) const NONE: Id = Id { number: UNNUMBERED, execution: 0 };

pub(crate) const UNNUMBERED: u32 = u32::MAX;

/// What a thread has begun and not ended: where it stands when the execution breaks off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doing {
    pub method: &'static str,
    pub object: u32,
    pub at: At,
}

#[derive(Clone, Debug)]
pub(crate) struct Lane {
    /// Where it was spawned, and its name, if it has one. The first lane is the model's own.
    pub spawned: At,
    pub name: Option<String>,
    pub id: Option<ThreadId>,
    pub doing: Option<Doing>,
}

/// A synchronization primitive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object {
    pub kind: &'static str,
    /// The type that it holds, where its kind does not tell.
    pub of: &'static str,
    pub made: At,
}

/// How an execution ended before its end.
#[derive(Clone, Debug)]
pub(crate) struct Panic {
    pub kind: Kind,
    pub message: String,
    pub at: Option<(String, u32)>,
    /// It comes out of loom's own sources.
    pub by_loom: bool,
    /// The lane that did the last thing, where it was one's doing.
    pub lane: Option<u8>,
}

/// One execution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    pub steps: Vec<Step>,
    pub lanes: Vec<Lane>,
    pub objects: Vec<Object>,
    pub panic: Option<Panic>,
}
