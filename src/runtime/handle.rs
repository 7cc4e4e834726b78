//! A runtime seen from other threads: to spawn there, and to stop it.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

use crate::base::shim::Arc;
use crate::executor::current;
use crate::executor::inbox::{Inbox, Job};
use crate::sync::Notify;
use crate::task::Task;
use crate::task::remote::RemoteJoinHandle;
use crate::task::spawn::start_on;
use crate::trace::{Tape, Trace};

/// A way to a runtime that may be cloned and sent to other threads: [`Runtime::handle`](crate::Runtime::handle).
///
/// It does not keep the runtime alive.
///
/// # Examples
/// ```
/// let runtime = cotask::Runtime::new()?;
/// let handle = runtime.handle();
/// let elsewhere = std::thread::spawn(move || {
///     let answer = handle.spawn(|| async { 6 * 7 }).join();
///     handle.shutdown();
///     answer
/// });
/// runtime.run();
/// assert_eq!(elsewhere.join().unwrap().unwrap(), 42);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct Handle {
    inbox: Arc<Inbox>,
    stop: Arc<Notify>,
    tape: Option<Tape>,
}

impl Handle {
    pub(crate) fn new(inbox: Arc<Inbox>, stop: Arc<Notify>, tape: Option<Tape>) -> Handle {
        Handle { inbox, stop, tape }
    }

    /// Spawns a task on the runtime's thread. What is sent there is the closure; the future that it makes never
    /// leaves that thread, and so need not be `Send`.
    ///
    /// The task starts when the runtime runs. If the runtime has ended, or ends first, joining returns a
    /// [`JoinError`](crate::JoinError) that says "cancelled". What threads send waits in a queue without a bound, in the order in which
    /// it was sent. In each round of its run queue the runtime starts at most 61 tasks out of it, and so the tasks
    /// that it has already keep their turns, however fast other threads spawn.
    ///
    /// # Examples
    /// ```
    /// use std::rc::Rc;
    ///
    /// let runtime = cotask::Runtime::new()?;
    /// // The closure is `Send`; the future, which holds an `Rc`, is not.
    /// let task = runtime.handle().spawn(|| {
    ///     let words = Rc::new("made there");
    ///     async move { words.len() }
    /// });
    /// assert_eq!(runtime.block_on(task).unwrap(), 10);
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn spawn<F: Future + 'static>(
        &self,
        make: impl FnOnce() -> F + Send + 'static,
    ) -> RemoteJoinHandle<F::Output>
    where
        F::Output: Send + 'static,
    {
        let source = Location::caller();
        let (handle, owner) = RemoteJoinHandle::new();
        // When the runtime has ended, the job is dropped, and the owner with it: the thread that joins sees that.
        drop(self.send(Box::new(move || {
            let task = Task::new(async move { make().await });
            let body = owner.body(Rc::clone(&task));
            start_on(&current::executor("`Handle::spawn`"), &task, body, None, source);
        })));
        handle
    }

    /// Runs a closure on the runtime's thread, between two polls. Returns it when the runtime has ended.
    pub(crate) fn send(&self, job: Job) -> Result<(), Job> {
        self.inbox.send_job(job)
    }

    /// Makes [`Runtime::run`](crate::Runtime::run) return: the current call, or the next one if there is none.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Runtime::new()?;
    /// let handle = runtime.handle();
    /// runtime.spawn(async move { handle.shutdown() });
    /// runtime.run();
    /// # std::io::Result::Ok(())
    /// ```
    pub fn shutdown(&self) {
        self.stop.notify_one();
    }

    /// Returns what was recorded since the last call, as [`Runtime::take_trace`](crate::Runtime::take_trace) does,
    /// while the runtime runs or after its end. Use it on a runtime that hangs: the runtime's thread need not answer,
    /// so the last event may be a poll that has not returned.
    ///
    /// # Examples
    /// ```
    /// use cotask::trace::Event;
    ///
    /// let runtime = cotask::Builder::new().trace(100).build()?;
    /// let handle = runtime.handle();
    /// runtime.block_on(async {
    ///     let trace = std::thread::spawn(move || handle.take_trace()).join().unwrap();
    ///     // The poll of this future, which waits for the thread.
    ///     assert!(matches!(trace.records.last().unwrap().event, Event::PollBegan { .. }));
    /// });
    /// # std::io::Result::Ok(())
    /// ```
    pub fn take_trace(&self) -> Trace {
        self.tape.as_ref().map(Tape::take).unwrap_or_default()
    }

    /// Whether the runtime has ended.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Runtime::new()?;
    /// let handle = runtime.handle();
    /// drop(runtime);
    /// assert!(handle.is_closed());
    /// # std::io::Result::Ok(())
    /// ```
    pub fn is_closed(&self) -> bool {
        self.inbox.is_closed()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("is_closed", &self.is_closed()).finish()
    }
}
