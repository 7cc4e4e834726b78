//! What happened in the execution that runs now: a list of steps, in an ordinary thread-local of the thread that
//! explores. Loom runs all threads of a model as coroutines on that one thread and knows nothing of the list, so what
//! it explores is the same with recording and without.

use std::any::type_name;
use std::cell::RefCell;
use std::mem;
use std::panic::{Location, panic_any, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread::panicking;

use loom::thread::ThreadId;

use crate::failure::{Complaint, Kind};
use crate::kept::{self, Kept};
use crate::repeat::{Beginning, Repeat};
pub(crate) use crate::step::*;
use crate::thread::Token;

/// What is said of a model that does not do the same each time.
pub(crate) const OUTLIVES: &str =
    "the model took a different path the second time: some state outlives an execution";

/// What the exploring thread keeps.
#[derive(Default)]
pub(crate) struct Recorder {
    pub recording: Recording,
    pub repeat: Repeat,
    /// The panic came where the execution before went on.
    pub panicked_on_the_same_path: bool,
    /// How many executions have begun.
    pub executions: usize,
    /// The execution that runs, unlike every other in this process. 0: none does.
    pub stamp: u32,
    pub on: bool,
    /// Whether the failure has been reported already.
    pub told: bool,
    pub handles: u32,
    pub lane: u8,
    pub inside: bool,
    /// How many threads this execution has, beside the model's own.
    pub spawned: usize,
    /// What each thread of this execution parks on.
    pub tokens: Vec<(ThreadId, Arc<Token>)>,
    pub kept: Vec<Kept>,
}

/// How many executions there were in this process.
static STAMPS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Begins to explore on this thread, or ends it: returns what was here before.
pub(crate) fn replace(recorder: Option<Recorder>) -> Option<Recorder> {
    RECORDER.replace(recorder)
}

/// `with` on the recorder of this thread, if it explores, and if no other call is at it.
pub(crate) fn with<R>(with: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
    // A thread-local is gone when its thread ends, and loom's objects may be dropped later than that.
    RECORDER.try_with(|recorder| Some(with(recorder.try_borrow_mut().ok()?.as_mut()?))).ok().flatten()
}

/// A new execution begins, on the model's own thread.
#[track_caller]
pub(crate) fn execution() {
    let spawned = Location::caller();
    let on = with(|recorder| {
        recorder.executions += 1;
        recorder.stamp = STAMPS.fetch_add(1, Relaxed) + 1;
        let recording = &mut recorder.recording;
        recorder.repeat.execution(&mut recording.steps);
        recording.lanes.clear();
        recording.objects.clear();
        recording.panic = None;
        recorder.tokens.clear();
        recorder.kept.clear();
        (recorder.lane, recorder.handles, recorder.spawned) = (0, 0, 0);
        recorder.inside = recorder.on;
        recorder.on
    });
    if on == Some(true) {
        let id = loom::thread::current().id();
        with(|recorder| {
            recorder.recording.lanes.push(Lane {
                spawned,
                name: Some("main".into()),
                id: Some(id),
                doing: None,
            });
        });
    }
}

/// What this thread parks on, if it was said.
pub(crate) fn token(thread: ThreadId) -> Option<Arc<Token>> {
    let find = |recorder: &mut Recorder| {
        recorder.tokens.iter().find(|(id, _)| *id == thread).map(|(_, token)| token.clone())
    };
    with(find).flatten()
}

/// This thread parks on this token.
pub(crate) fn new_token(thread: ThreadId, token: &Arc<Token>) {
    with(|recorder| recorder.tokens.push((thread, token.clone())));
}

/// One thread more.
pub(crate) fn count_thread(at: At) {
    let spawned = with(|recorder| {
        recorder.spawned += 1;
        recorder.spawned
    });
    if spawned.is_some_and(|spawned| spawned >= loom::MAX_THREADS) {
        let message = "loom explores models of at most five threads, the model's own among them";
        complain(Kind::Limit, message.into(), at);
    }
}

/// Ends this execution, and so the exploration: it cannot go on, and loom would say why in words of its own at best.
pub(crate) fn complain(kind: Kind, message: String, at: At) -> ! {
    panic_any(Complaint { kind, message, at })
}

/// The model has not done what it must.
fn complain_of_another_path(differs: Result<(), String>, at: At) {
    if let Err(differs) = differs {
        complain(Kind::Outlives, format!("{OUTLIVES}. Now it came to {differs}"), at);
    }
}

/// What an operation is on was made in another execution: loom does not know it any more.
fn complain_of_what_is_old(method: &str, object: Id, at: At) {
    let stamp = with(|recorder| recorder.stamp).unwrap_or_default();
    if is_old(object, stamp) && !panicking() {
        let message = format!("{OUTLIVES}. `{method}` is on what was made in an earlier execution");
        complain(Kind::Outlives, message, at);
    }
}

fn is_old(object: Id, stamp: u32) -> bool {
    object.execution != 0 && object.execution != stamp
}

/// Before a thread's next operation: it has caught the panic that it had.
fn settle() {
    if panicking() {
        return;
    }
    kept::drop_those_of_this_thread();
    let complaint = with(|recorder| {
        let panic = recorder.recording.panic.as_ref()?;
        Some(matches!(panic.kind, Kind::Limit | Kind::Outlives))
    });
    if complaint.flatten() == Some(true) {
        // What the model has caught was not for it. It has been noted already.
        resume_unwind(Box::new("a complaint of interleave's, for the second time"));
    }
}

/// Nothing more belongs to this execution.
#[track_caller]
pub(crate) fn execution_over() {
    settle();
    let on = with(|recorder| mem::take(&mut recorder.inside));
    if on == Some(true) {
        let differs = with(|recorder| recorder.repeat.ends()).unwrap_or(Ok(()));
        complain_of_another_path(differs, Location::caller());
    }
}

/// Whether what happens now is to be recorded. Not during a panic: then loom's threads are taken down, in no order
/// that means anything.
pub(crate) fn is_on() -> bool {
    !panicking() && with(|recorder| recorder.inside).unwrap_or(false)
}

/// Whether loom has given this execution up, and unwinds. Its objects may not be touched any more then: it would
/// panic again, in a destructor, and the process would be aborted. A panic of the model itself is another matter:
/// the model may catch it.
fn is_given_up() -> bool {
    let given_up = |panic: &Panic| match panic.kind {
        Kind::Deadlock | Kind::Endless | Kind::Leak => true,
        Kind::Limit | Kind::Outlives => panic.by_loom,
        Kind::Panic | Kind::Race => false,
    };
    panicking() && with(|recorder| recorder.recording.panic.as_ref().is_some_and(given_up)).unwrap_or(false)
}

/// Whether loom no longer knows this object, so that loom's part of it must not be dropped.
pub(crate) fn is_lost(object: Id) -> bool {
    is_given_up() || is_old(object, with(|recorder| recorder.stamp).unwrap_or_default())
}

/// The lane of the running thread. Loom is asked each time: it may have switched since.
pub(crate) fn lane(recorder: &mut Recorder, id: ThreadId, at: At) -> u8 {
    let lanes = &mut recorder.recording.lanes;
    let lane = lanes.iter().position(|lane| lane.id == Some(id)).unwrap_or_else(|| {
        // A thread that was not spawned through here.
        lanes.push(Lane { spawned: at, name: None, id: Some(id), doing: None });
        lanes.len() - 1
    });
    recorder.lane = lane as u8;
    recorder.lane
}

/// An operation that has begun. Loom may switch to another thread before it takes effect.
#[must_use]
pub(crate) struct Begun {
    lane: Option<u8>,
    object: u32,
    at: At,
}

impl Recorder {
    /// All is explored. Whether to run the first execution once more, and to compare it with what it was.
    pub(crate) fn is_to_be_repeated(&mut self) -> bool {
        if self.on {
            self.repeat.start_over();
        }
        self.on
    }

    /// How many executions loom has explored.
    pub(crate) fn explored(&self) -> usize {
        self.executions - usize::from(self.repeat.has_started_over())
    }

    pub(crate) fn step(&mut self, step: Step) {
        self.lane = step.lane;
        self.repeat.steps(self.recording.steps.len(), &step);
        self.recording.steps.push(step);
    }
}

/// The running thread begins an operation.
pub(crate) fn begin(method: &'static str, object: Id, at: At) -> Begun {
    settle();
    complain_of_what_is_old(method, object, at);
    // One that did not end the execution was caught.
    let caught = if panicking() { None } else { with(|recorder| recorder.recording.panic.take()).flatten() };
    let number = object.number;
    if !is_on() {
        return Begun { lane: None, object: number, at };
    }
    let id = loom::thread::current().id();
    let lane = with(|recorder| {
        let lane = lane(recorder, id, at);
        if let Some(panic) = caught {
            recorder.step(Step { lane, object: UNNUMBERED, at, op: Op::Caught(panic.message) });
            recorder.repeat.loses_track();
        }
        recorder.recording.lanes[usize::from(lane)].doing = Some(Doing { method, object: number, at });
        lane
    });
    if let Some(lane) = lane {
        begins(Beginning { lane, method, object: number, at });
    }
    Begun { lane, object: number, at }
}

fn begins(beginning: Beginning) {
    let differs = with(|recorder| recorder.repeat.begins(beginning, recorder.recording.steps.len()));
    complain_of_another_path(differs.unwrap_or(Ok(())), beginning.at);
}

impl Begun {
    /// It has taken effect, just now: no other thread has run since.
    pub(crate) fn done(self, op: Op) {
        self.step(op);
        if let Some(lane) = self.lane {
            with(|recorder| recorder.recording.lanes[usize::from(lane)].doing = None);
        }
    }

    /// A step on the way, which has taken effect just now: the operation goes on.
    pub(crate) fn step(&self, op: Op) {
        let Some(lane) = self.lane else { return };
        with(|recorder| recorder.step(Step { lane, object: self.object, at: self.at, op }));
    }

    /// What the operation waits for from now on.
    pub(crate) fn goes_on(&self, method: &'static str, object: Id) {
        let Some(lane) = self.lane else { return };
        let doing = Doing { method, object: object.number, at: self.at };
        with(|recorder| recorder.recording.lanes[usize::from(lane)].doing = Some(doing));
    }

    /// The lane that it happens on, if it is recorded.
    pub(crate) fn lane(&self) -> Option<u8> {
        self.lane
    }
}

/// Something that takes effect at once.
pub(crate) fn record(object: Id, at: At, op: Op) {
    begin("", object, at).done(op);
}

/// A primitive was made.
pub(crate) fn object(kind: &'static str, made: At) -> Id {
    object_of(kind, "", made)
}

/// A primitive was made that holds a `T`.
pub(crate) fn object_with<T: ?Sized>(kind: &'static str, made: At) -> Id {
    object_of(kind, type_name::<T>(), made)
}

fn object_of(kind: &'static str, of: &'static str, made: At) -> Id {
    let id = nameless();
    if !is_on() {
        return id;
    }
    let number = with(|recorder| {
        recorder.recording.objects.push(Object { kind, of, made });
        recorder.recording.objects.len() as u32 - 1
    });
    Id { number: number.unwrap_or(UNNUMBERED), ..id }
}

/// What belongs to this execution and is no primitive with a name.
pub(crate) fn nameless() -> Id {
    Id { number: UNNUMBERED, execution: with(|recorder| recorder.stamp).unwrap_or_default() }
}

/// A number for a handle of an `Arc`, unlike all others of this execution.
pub(crate) fn handle() -> u32 {
    with(|recorder| {
        recorder.handles += 1;
        recorder.handles
    })
    .unwrap_or(0)
}

/// A lane for a thread that is about to be spawned.
pub(crate) fn new_lane(spawned: At, name: Option<String>) -> Option<u8> {
    if !is_on() {
        return None;
    }
    with(|recorder| {
        recorder.recording.lanes.push(Lane { spawned, name, id: None, doing: None });
        recorder.recording.lanes.len() as u8 - 1
    })
}

/// The running thread is the one that this lane was made for.
pub(crate) fn enter_lane(lane: Option<u8>) {
    if let Some(lane) = lane.filter(|_| is_on()) {
        let id = loom::thread::current().id();
        let spawned = with(|recorder| {
            recorder.lane = lane;
            recorder.recording.lanes[usize::from(lane)].id = Some(id);
            recorder.recording.lanes[usize::from(lane)].spawned
        });
        if let Some(at) = spawned {
            begins(Beginning { lane, method: "its first step", object: UNNUMBERED, at });
        }
    }
}

/// The exploring thread panics. Whether it is the first time that it does, or the first since one was caught; and
/// nothing, where this thread explores nothing.
pub(crate) fn panicked(panic: Panic) -> Option<bool> {
    with(|recorder| {
        let lane = recorder.inside.then_some(recorder.lane);
        let first = recorder.recording.panic.is_none();
        if first {
            recorder.recording.panic = Some(Panic { lane, ..panic });
            recorder.panicked_on_the_same_path = recorder.repeat.is_the_same();
        }
        first
    })
}
