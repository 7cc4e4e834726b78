//! What a user holds: a runtime, the ways to make one, and the ways to reach it from other threads.
//!
//! A [`Runtime`] owns an executor. A builder makes one, a handle sends tasks to it from other threads, and
//! [`cores`] are several of them, each on a thread of its own. It uses all other folders, and none uses it.

pub(crate) mod builder;
pub mod cores;
pub(crate) mod handle;
#[cfg(cotask_loom)]
pub mod inside;

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use crate::base::shim::Arc;
use crate::executor::Executor;
use crate::executor::root;
use crate::sync::Notify;
use crate::task::join::JoinHandle;
use crate::task::spawn::spawn_on;
use crate::trace::Trace;
use handle::Handle;

/// A thread's executor with its reactor and its timers.
///
/// Tasks run while [`block_on`](Runtime::block_on) does, on the thread that called it. Between two calls they
/// stand still. Dropping the runtime drops the future of every task that is left, on this thread, and waits for the
/// blocking jobs that have started; [`shutdown_timeout`](Runtime::shutdown_timeout) does so with a limit.
///
/// # Examples
/// ```
/// let runtime = cotask::Runtime::new()?;
/// let sum = runtime.block_on(async {
///     let parts = [cotask::spawn(async { 1 }), cotask::spawn(async { 2 })];
///     let mut sum = 0;
///     for part in parts {
///         sum += part.await.unwrap();
///     }
///     sum
/// });
/// assert_eq!(sum, 3);
/// # std::io::Result::Ok(())
/// ```
pub struct Runtime {
    executor: Rc<Executor>,
    /// Notified by [`Handle::shutdown`].
    stop: Arc<Notify>,
}

impl Runtime {
    /// Runs `future` to its end, and the tasks of this runtime while that lasts.
    ///
    /// Tasks that are not over by then stand still until the next call, or are dropped with the runtime.
    ///
    /// # Panics
    /// When the future panics, and when called inside a runtime.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Runtime::new()?;
    /// let task = runtime.block_on(async { cotask::spawn(async { "later" }) });
    /// assert_eq!(runtime.block_on(task).unwrap(), "later");
    /// # std::io::Result::Ok(())
    /// ```
    // ANCHOR: block_on
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        root::block_on(&self.executor, future, Location::caller())
    }
    // ANCHOR_END: block_on

    /// Runs the tasks until [`Handle::shutdown`] is called, from a task or from another thread.
    ///
    /// # Panics
    /// When called inside a runtime.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Runtime::new()?;
    /// let handle = runtime.handle();
    /// std::thread::spawn(move || handle.shutdown());
    /// runtime.run();
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn run(&self) {
        self.block_on(self.stop.notified());
    }

    /// A way to this runtime for other threads.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Runtime::new()?;
    /// let handle = runtime.handle();
    /// let elsewhere = std::thread::spawn(move || handle.spawn(|| async { 6 * 7 }));
    /// assert_eq!(runtime.block_on(elsewhere.join().unwrap()).unwrap(), 42);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn handle(&self) -> Handle {
        let tape = self.executor.recorder().map(|recorder| recorder.tape().clone());
        Handle::new(Arc::clone(&self.executor.inbox), Arc::clone(&self.stop), tape)
    }

    /// Spawns a task that will run in the next [`block_on`](Runtime::block_on) of this runtime, which is also where to
    /// await its handle.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Runtime::new()?;
    /// let task = runtime.spawn(async { "done" });
    /// assert_eq!(runtime.block_on(task).unwrap(), "done");
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn spawn<F: Future + 'static>(&self, future: F) -> JoinHandle<F::Output> {
        spawn_on(&self.executor, future, None, Location::caller())
    }

    /// How many tasks are alive.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Runtime::new()?;
    /// runtime.spawn(std::future::pending::<()>());
    /// assert_eq!(runtime.tasks(), 1);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn tasks(&self) -> usize {
        self.executor.scheduler.tasks()
    }

    /// What was recorded since the last time; empty when no recorder was [asked for](crate::Builder::trace).
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Builder::new().trace(100).build()?;
    /// runtime.block_on(cotask::yield_now());
    /// assert!(!runtime.take_trace().records.is_empty());
    /// assert!(runtime.take_trace().records.is_empty(), "taken");
    /// # std::io::Result::Ok(())
    /// ```
    pub fn take_trace(&self) -> Trace {
        self.executor.recorder().map(|recorder| recorder.tape().take()).unwrap_or_default()
    }

    /// Ends the runtime as its drop does, but waits for its blocking jobs at most for `limit`, on the machine's clock.
    /// Returns whether all jobs that had started have ended; with a limit of zero it only asks.
    ///
    /// First the future of every task is dropped, on this thread, and the jobs that have not started; to this the limit
    /// does not apply. A job that goes on beyond the limit cannot be stopped: its thread is left behind, and ends with
    /// the job or with the process. What the job returns is dropped there, and what it sends to tasks of this runtime
    /// reaches none.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = cotask::Runtime::new()?;
    /// let (started, has_started) = std::sync::mpsc::channel();
    /// runtime.block_on(async {
    ///     // A job that waits for a file server which is gone, say.
    ///     drop(cotask::spawn_blocking(move || {
    ///         started.send(()).unwrap();
    ///         std::thread::sleep(Duration::from_secs(3_600));
    ///     }));
    /// });
    /// has_started.recv().unwrap();
    /// let all_ended = runtime.shutdown_timeout(Duration::from_millis(10));
    /// assert!(!all_ended);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn shutdown_timeout(self, limit: Duration) -> bool {
        root::shutdown(&self.executor, Some(limit))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        root::shutdown(&self.executor, None);
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("tasks", &self.tasks()).finish_non_exhaustive()
    }
}
