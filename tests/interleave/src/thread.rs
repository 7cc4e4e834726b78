//! Threads of a model. With the model's own there are at most five.

use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};

use loom::sync::atomic::AtomicBool as LoomBool;
pub use loom::thread::ThreadId;

use crate::recorder::{self, At, Id, NONE, Op};

/// What a thread parks on. Loom has a token too, and loses it if `unpark` is called while the thread waits for anything
/// but `park`; nor are its `park` and `unpark` points at which threads may switch.
#[derive(Debug)]
pub(crate) struct Token {
    given: LoomBool,
    /// The thread sleeps in [`park`]. Not part of the model.
    asleep: AtomicBool,
}

impl Token {
    fn new() -> Arc<Self> {
        Arc::new(Token { given: LoomBool::new(false), asleep: AtomicBool::new(false) })
    }
}

/// A handle to a thread.
#[derive(Clone, Debug)]
pub struct Thread {
    inner: loom::thread::Thread,
    token: Arc<Token>,
    object: Id,
}

impl Thread {
    /// Its identity, in this execution.
    pub fn id(&self) -> ThreadId {
        self.inner.id()
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }

    /// Gives it the token that [`park`] waits for. A thread has one at most.
    #[track_caller]
    pub fn unpark(&self) {
        let begun = recorder::begin("unpark", self.object, Location::caller());
        let found = self.token.given.swap(true, Release);
        if self.token.asleep.swap(false, Relaxed) {
            self.inner.unpark();
        }
        begun.done(Op::Unpark { thread: self.id(), found });
    }
}

/// The running thread.
pub fn current() -> Thread {
    let inner = loom::thread::current();
    let token = recorder::token(inner.id()).unwrap_or_else(|| {
        let token = Token::new();
        recorder::new_token(inner.id(), &token);
        token
    });
    Thread { inner, token, object: recorder::nameless() }
}

/// What joins a thread.
pub struct JoinHandle<T> {
    inner: loom::thread::JoinHandle<T>,
    thread: Thread,
    lane: Option<u8>,
}

impl<T> JoinHandle<T> {
    /// Waits for its end.
    ///
    /// # Errors
    /// None: a panic of a thread ends the execution.
    #[track_caller]
    pub fn join(self) -> std::thread::Result<T> {
        let begun = recorder::begin("join", self.thread.object, Location::caller());
        let result = self.inner.join();
        begun.done(Op::Join(self.lane.unwrap_or(u8::MAX)));
        result
    }

    /// The thread.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinHandle")
    }
}

/// A new thread. Loom wants no `Send` of what it captures.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    let at = Location::caller();
    recorder::count_thread(at);
    let lane = recorder::new_lane(at, None);
    // Made before the thread is: all that it does comes after.
    let token = Token::new();
    let inner = loom::thread::spawn(on_lane(lane, at, f));
    joins(inner, token, lane, at)
}

/// Runs on the new thread: `f`, on a lane of its own.
fn on_lane<T>(lane: Option<u8>, at: At, f: impl FnOnce() -> T) -> impl FnOnce() -> T {
    move || {
        recorder::enter_lane(lane);
        let result = f();
        recorder::record(NONE, at, Op::Ends);
        result
    }
}

fn joins<T>(
    inner: loom::thread::JoinHandle<T>,
    token: Arc<Token>,
    lane: Option<u8>,
    at: At,
) -> JoinHandle<T> {
    if let Some(lane) = lane {
        recorder::record(NONE, at, Op::Spawn(lane));
    }
    recorder::new_token(inner.thread().id(), &token);
    let thread = Thread { inner: inner.thread().clone(), token, object: recorder::nameless() };
    JoinHandle { inner, thread, lane }
}

/// A new thread with a name, which is that of its lane.
#[derive(Debug)]
pub struct Builder {
    inner: loom::thread::Builder,
    name: Option<String>,
}

impl Builder {
    /// Without a name.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Builder { inner: loom::thread::Builder::new(), name: None }
    }

    /// With this name.
    pub fn name(self, name: String) -> Self {
        Builder { inner: self.inner.name(name.clone()), name: Some(name) }
    }

    /// With a stack of so many bytes.
    pub fn stack_size(self, bytes: usize) -> Self {
        Builder { inner: self.inner.stack_size(bytes), ..self }
    }

    /// Starts it.
    ///
    /// # Errors
    /// None.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let at = Location::caller();
        recorder::count_thread(at);
        let lane = recorder::new_lane(at, self.name);
        let token = Token::new();
        let inner = self.inner.spawn(on_lane(lane, at, f))?;
        Ok(joins(inner, token, lane, at))
    }
}

/// Sleeps until the running thread has its token, and takes it.
#[track_caller]
pub fn park() {
    let begun = recorder::begin("park", NONE, Location::caller());
    let token = current().token;
    while !token.given.swap(false, Acquire) {
        token.asleep.store(true, Relaxed);
        begun.step(Op::Parks);
        loom::thread::park();
    }
    begun.done(Op::Parked);
}

/// Lets other threads run first. In a loop that waits for another thread this is what tells loom so.
#[track_caller]
pub fn yield_now() {
    // Loom switches in here: what the others do comes after this step.
    recorder::record(NONE, Location::caller(), Op::Yield);
    loom::thread::yield_now();
}

/// Begins both orders of what comes next: with the running thread first, and with the others first. For an operation that
/// loom does not come back to when it meets one of another thread's.
pub(crate) fn begin_both_orders() {
    // The one choice that loom offers: a wait for a permit that is there ends at once, and once for no reason, with a
    // yield.
    let permit = loom::sync::Notify::new();
    permit.notify();
    permit.wait();
}
