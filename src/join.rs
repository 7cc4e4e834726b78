//! What a user holds of a task: its handle, its identity, and why it has no output.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use crate::budget;
use crate::current;
use crate::sim;
use crate::task::Join;
use crate::trace::{self, Event, Resource, Traced, Want};
use crate::waker::TaskKey;

/// The right to wait for a task, and to abort it.
///
/// A future of the task's output. Dropping the handle detaches the task: it goes on, and its output is dropped on
/// completion. An output that is there already is dropped with the handle; a panic in that drop reaches the code that
/// drops the handle, unless another panic is unwinding. A handle stays on the thread of its runtime, as the task
/// does; for other threads and other runtimes there is [`Handle::spawn`](crate::Handle::spawn).
///
/// Cancel safety: dropping this future, or the one around it, loses the handle and nothing else; await
/// `&mut handle` to keep it.
///
/// A handle keeps its task's memory, and with it an output that was not taken. So a task whose *output* holds its own
/// handle is never freed, as with every cycle of `Rc`: no other code can reach that handle, and the runtime cannot
/// see whether an output holds one.
///
/// # Errors
/// [`JoinError`] when the task panicked, was aborted, or its runtime ended before it did.
///
/// # Panics
/// A poll that has to wait panics outside of the task's runtime: while another executor has the thread, the task does
/// not run, so the wait would not end. Where the task has finished, or its runtime has ended, the handle returns the
/// result on any executor. And a poll panics after the result has been returned.
///
/// # Examples
/// ```
/// cotask::block_on(async {
///     let answer = cotask::spawn(async { 6 * 7 });
///     assert_eq!(answer.await.unwrap(), 42);
/// });
/// ```
pub struct JoinHandle<T>(pub(crate) Rc<dyn Join<T>>);

impl<T> JoinHandle<T> {
    /// Asks the task to end: at its next turn its future is dropped instead of polled.
    ///
    /// A task that has ended is not affected, and one that ends in its current poll keeps that result. To know
    /// that the future has been dropped, await the handle.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let forever = cotask::spawn(std::future::pending::<()>());
    ///     forever.abort();
    ///     assert!(forever.await.unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn abort(&self) {
        if self.0.request_abort(None) {
            self.0.key().wake();
        }
    }

    /// Whether the task has ended: finished, panicked or aborted.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let mut task = cotask::spawn(async {});
    ///     assert!(!task.is_finished());
    ///     (&mut task).await.unwrap();
    ///     assert!(task.is_finished());
    /// });
    /// ```
    pub fn is_finished(&self) -> bool {
        self.0.is_over()
    }

    /// The task's identity.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let task = cotask::spawn(async {});
    ///     let id = task.id();
    ///     task.abort();
    ///     assert_eq!(task.await.unwrap_err().id(), Some(id));
    /// });
    /// ```
    pub fn id(&self) -> Id {
        Id(self.0.key())
    }
}

impl<T> Traced for JoinHandle<T> {
    fn resource(&self) -> Resource {
        Resource::Task(self.id())
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(budget::poll_proceed(cx));
        let joined = self.0.poll_join(cx);
        if joined.is_pending() {
            budget::refund();
        }
        trace::here(|recorder, at| match joined {
            Poll::Pending => recorder.waits(at, Resource::Task(self.id()), Want::End),
            Poll::Ready(_) => recorder.push(at, Event::Joined { task: self.id(), by: recorder.actor() }),
        });
        joined
    }
}

/// # Panics
/// Outside of that runtime, whose tasks do not run while another executor has the thread. (A model has no executor.)
pub(crate) fn assert_inside(runtime: u16) {
    assert!(
        cfg!(cotask_loom) || current::is(|here| here.number() == runtime),
        "a task was awaited outside of the runtime that it was spawned on, which alone runs it: await its handle inside \
         that runtime's `block_on`, or in a task spawned there; the handle that `Handle::spawn` returns may be awaited \
         on any thread"
    );
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        self.0.detach();
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .field("is_finished", &self.is_finished())
            .finish()
    }
}

/// Which task: unique among those alive, and used again for another only after a very long time.
///
/// # Examples
/// ```
/// cotask::block_on(async {
///     let (a, b) = (cotask::spawn(async {}), cotask::spawn(async {}));
///     assert_ne!(a.id(), b.id());
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub(crate) TaskKey);

/// `3.17.2`: runtime 3, slot 17, and how many tasks lived in that slot before.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.0)
    }
}

/// Why a task has no output: it panicked, or it was cancelled (aborted, or its runtime ended).
///
/// # Examples
/// ```
/// # std::panic::set_hook(Box::new(|_| ()));
/// cotask::block_on(async {
///     let error = cotask::spawn(async { panic!("out of luck") }).await.unwrap_err();
///     assert!(error.is_panic());
///     assert!(error.to_string().ends_with("panicked: out of luck"));
/// });
/// ```
pub struct JoinError(Box<Inner>);

/// Behind a pointer, so that a task need not keep room for it: the common result is an output.
struct Inner {
    task: Option<TaskKey>,
    cause: Cause,
}

enum Cause {
    Cancelled,
    NotStarted(io::Error),
    /// In a mutex, and never contended: a payload need not be `Sync`, but an error should be.
    Panic(Mutex<Box<dyn Any + Send>>),
}

impl JoinError {
    fn new(task: impl Into<Option<TaskKey>>, cause: Cause) -> JoinError {
        JoinError(Box::new(Inner { task: task.into(), cause }))
    }

    pub(crate) fn cancelled(task: impl Into<Option<TaskKey>>) -> JoinError {
        JoinError::new(task, Cause::Cancelled)
    }

    pub(crate) fn panic(task: impl Into<Option<TaskKey>>, payload: Box<dyn Any + Send>) -> JoinError {
        let task = task.into();
        if let Some(world) = sim::world() {
            world.panicked(task, panic_message(payload.as_ref()));
        }
        JoinError::new(task, Cause::Panic(Mutex::new(payload)))
    }

    /// A blocking job for which the system had no thread.
    pub(crate) fn not_started(error: io::Error) -> JoinError {
        JoinError::new(None, Cause::NotStarted(error))
    }

    /// Whether the task was aborted, or its runtime ended before it did, or a blocking job could not be started.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let task = cotask::spawn(std::future::pending::<()>());
    ///     task.abort();
    ///     assert!(task.await.unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn is_cancelled(&self) -> bool {
        !self.is_panic()
    }

    /// Whether the task panicked: in a poll, or when its future was dropped.
    ///
    /// # Examples
    /// ```
    /// # std::panic::set_hook(Box::new(|_| ()));
    /// cotask::block_on(async {
    ///     let task = cotask::spawn(async { panic!("out of luck") });
    ///     assert!(task.await.unwrap_err().is_panic());
    /// });
    /// ```
    pub fn is_panic(&self) -> bool {
        matches!(self.0.cause, Cause::Panic(_))
    }

    /// Which task. `None` for a job of the blocking pool, and for a task that another thread spawned and whose runtime
    /// ended before the task started.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let job = cotask::spawn_blocking(|| std::panic::resume_unwind(Box::new("no task")));
    ///     assert_eq!(job.await.map(|()| ()).unwrap_err().id(), None);
    /// });
    /// ```
    pub fn id(&self) -> Option<Id> {
        self.0.task.map(Id)
    }

    /// What the task panicked with, to panic on with it or to look at it.
    ///
    /// # Errors
    /// The error itself, when the task was cancelled.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let task = cotask::spawn(async { std::panic::panic_any(7) });
    ///     let payload = task.await.unwrap_err().try_into_panic().unwrap();
    ///     assert_eq!(*payload.downcast::<i32>().unwrap(), 7);
    /// });
    /// ```
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, JoinError> {
        let Inner { task, cause } = *self.0;
        match cause {
            Cause::Panic(payload) => Ok(payload.into_inner().unwrap_or_else(PoisonError::into_inner)),
            cause => Err(JoinError::new(task, cause)),
        }
    }

    /// Panics here as the task did there.
    ///
    /// # Panics
    /// Always: with the task's payload, or, when the task was cancelled, with a message that says so.
    ///
    /// # Examples
    /// ```
    /// # std::panic::set_hook(Box::new(|_| ()));
    /// let panicked = std::panic::catch_unwind(|| {
    ///     cotask::block_on(async {
    ///         let task = cotask::spawn(async { panic!("out of luck") });
    ///         task.await.unwrap_or_else(|error| error.resume())
    ///     });
    /// });
    /// assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "out of luck");
    /// ```
    pub fn resume(self) -> ! {
        match self.try_into_panic() {
            Ok(payload) => resume_unwind(payload),
            Err(error) => panic!("{error}"),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.task, &self.0.cause) {
            (Some(key), _) => write!(f, "task {key} ")?,
            // Which it was is not known any more: a blocking job, or a task sent from another thread.
            (None, Cause::Cancelled) => write!(f, "what was sent to another thread ")?,
            (None, _) => write!(f, "blocking job ")?,
        }
        match &self.0.cause {
            Cause::Cancelled => write!(f, "was cancelled"),
            Cause::NotStarted(error) => write!(f, "was not started: {error}"),
            Cause::Panic(payload) => {
                let payload = payload.lock().unwrap_or_else(PoisonError::into_inner);
                write!(f, "panicked: {}", panic_message(payload.as_ref()))
            }
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}

pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    match payload.downcast_ref::<&str>() {
        Some(message) => message,
        None => payload.downcast_ref::<String>().map_or("(a payload that is no text)", String::as_str),
    }
}
