//! Why a task or a blocking job has no output.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};

use super::key::{Id, TaskKey};

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
