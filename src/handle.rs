//! A runtime seen from other threads: to spawn there, and to stop it.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures::future::{Either, select};

use crate::inbox::{Inbox, Job};
use crate::join::{JoinError, JoinHandle};
use crate::loom::Arc;
use crate::runtime::spawn;
use crate::sync::{Notify, block_thread_on, oneshot};

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
}

impl Handle {
    pub(crate) fn new(inbox: Arc<Inbox>, stop: Arc<Notify>) -> Handle {
        Handle { inbox, stop }
    }

    /// Spawns a task on the runtime's thread. What is sent there is the closure; the future that it makes never
    /// leaves that thread, and so need not be `Send`.
    ///
    /// The task starts when the runtime runs. If the runtime has ended, or ends first, joining says that it
    /// was cancelled.
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
    pub fn spawn<F: Future + 'static>(
        &self,
        make: impl FnOnce() -> F + Send + 'static,
    ) -> RemoteJoinHandle<F::Output>
    where
        F::Output: Send + 'static,
    {
        let (handle, owner) = RemoteJoinHandle::new();
        let watch = async move || owner.watch(spawn(async move { make().await })).await;
        // Refused when the runtime has ended: then the owner is dropped with the job, which the joiner sees.
        self.send(Box::new(move || drop(spawn(watch()))));
        handle
    }

    /// Runs a closure on the runtime's thread, between two polls. It is dropped when the runtime has ended.
    pub(crate) fn send(&self, job: Job) {
        drop(self.inbox.send_job(job));
    }

    /// Has [`Runtime::run`](crate::Runtime::run) return: the call under way, or else the next.
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

/// The right to wait for a task of another thread's runtime, and to abort it: [`Handle::spawn`].
///
/// A future of the task's output, on any runtime. Dropping it detaches the task. When it is ready, the task's
/// future has been dropped; only where the task's runtime ended, that may be still to come.
///
/// Cancel safety: as that of [`JoinHandle`](crate::JoinHandle).
///
/// # Errors
/// [`JoinError`] when the task panicked, was aborted, or its runtime ended before it did.
#[derive(Debug)]
pub struct RemoteJoinHandle<T> {
    result: oneshot::Receiver<Result<T, JoinError>>,
    abort: Arc<Notify>,
}

/// What the task's own thread has of a [`RemoteJoinHandle`].
pub struct RemoteOwner<T> {
    result: oneshot::Sender<Result<T, JoinError>>,
    abort: Arc<Notify>,
}

impl<T> RemoteOwner<T> {
    /// Waits for the task, aborts it when asked to, and sends what became of it: once its future is dropped, in
    /// either case.
    ///
    /// Models: `abort`, `abort_against_completion`, `abort_against_the_end` (`cargo loom abort`).
    pub(crate) async fn watch(self, task: JoinHandle<T>) {
        let result = match select(task, pin!(self.abort.notified())).await {
            Either::Left((result, _)) => result,
            Either::Right(((), task)) => {
                task.abort();
                task.await
            }
        };
        // Nobody need wait for it.
        drop(self.result.send(result));
    }
}

impl<T> RemoteJoinHandle<T> {
    /// Both halves: for who waits, and for the task's own thread.
    pub(crate) fn new() -> (RemoteJoinHandle<T>, RemoteOwner<T>) {
        let (sender, result) = oneshot::channel();
        let abort = Arc::new(Notify::new());
        (RemoteJoinHandle { result, abort: Arc::clone(&abort) }, RemoteOwner { result: sender, abort })
    }

    /// Asks that the task be ended; see [`JoinHandle::abort`](crate::JoinHandle::abort).
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Runtime::new()?;
    /// let forever = runtime.handle().spawn(std::future::pending::<()>);
    /// forever.abort();
    /// assert!(runtime.block_on(forever).unwrap_err().is_cancelled());
    /// # std::io::Result::Ok(())
    /// ```
    pub fn abort(&self) {
        // Stored for a task that has not started yet.
        self.abort.notify_one();
    }

    /// Waits on a plain thread.
    ///
    /// # Errors
    /// As when awaited.
    ///
    /// # Panics
    /// Inside a task, whose thread it would block: await the handle there.
    ///
    /// # Examples
    /// ```
    /// let cores = cotask::cores::Cores::start(1.try_into().unwrap())?;
    /// let task = cores.next().spawn(|| async { 6 * 7 });
    /// assert_eq!(task.join().unwrap(), 42);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn join(self) -> Result<T, JoinError> {
        block_thread_on("RemoteJoinHandle::join", self)
    }
}

impl<T> Future for RemoteJoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.result)
            .poll(cx)
            .map(|result| result.unwrap_or_else(|_| Err(JoinError::cancelled(None))))
    }
}
