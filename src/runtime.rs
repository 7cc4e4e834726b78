//! What a user holds: the runtime, the ways to make one, and the functions that use the current one.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::blocking::{self, BlockingTask};
use crate::builder::Builder;
use crate::current::{self, Entered};
use crate::executor::Executor;
use crate::handle::Handle;
use crate::join::{JoinError, JoinHandle};
use crate::shim::Arc;
use crate::sync::Notify;
use crate::trace::{QueuedJob, Recorder, Trace};
use crate::waker::TaskKey;

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
    /// A runtime as it comes: first come first served, on the machine's clock.
    ///
    /// # Errors
    /// When the system has no poller to give (it needs three descriptors), or 4,095 runtimes are alive.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Runtime::new()?;
    /// assert_eq!(runtime.tasks(), 0);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn new() -> io::Result<Runtime> {
        Builder::new().build()
    }

    pub(crate) fn executor(&self) -> &Rc<Executor> {
        &self.executor
    }

    pub(crate) fn of(executor: Rc<Executor>) -> Runtime {
        Runtime { executor, stop: Arc::default() }
    }

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
        self.block_on_from(future, Location::caller())
    }

    #[track_caller]
    pub(crate) fn block_on_from<F: Future>(
        &self,
        future: F,
        source: &'static Location<'static>,
    ) -> F::Output {
        let _entered = Entered::new(&self.executor);
        let root = Root::new(&self.executor, source);
        // Declared last and so dropped first: also the future's drop finds its runtime.
        let mut future = pin!(future);
        loop {
            self.executor.drive();
            if let Poll::Ready(output) = self.executor.poll_root(root.key, |cx| future.as_mut().poll(cx)) {
                // Before the future's drop, which may wake what it waited with.
                drop(root);
                return output;
            }
        }
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
        let tape = self.executor.recorder().map(Recorder::tape).cloned();
        Handle::new(Arc::clone(self.executor.inbox()), Arc::clone(&self.stop), tape)
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
        self.executor.spawn(future, None, Location::caller())
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
        self.executor.tasks()
    }

    /// What was recorded since the last time; empty when no recorder was [asked for](Builder::trace).
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
        self.executor.shutdown(Some(limit))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.executor.shutdown(None);
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("tasks", &self.tasks()).finish_non_exhaustive()
    }
}

/// The key of the future of `block_on`, given back however `block_on` ends.
struct Root<'a> {
    executor: &'a Executor,
    key: TaskKey,
}

impl<'a> Root<'a> {
    fn new(executor: &'a Executor, source: &'static Location<'static>) -> Root<'a> {
        Root { executor, key: executor.insert_root(source) }
    }
}

impl Drop for Root<'_> {
    fn drop(&mut self) {
        self.executor.remove_root(self.key);
    }
}

/// Makes a runtime, runs `future` on it, and drops the runtime.
///
/// # Panics
/// When the future panics, when the system cannot provide a runtime ([`Runtime::new`] gives that as an error),
/// and when called inside a runtime.
///
/// # Examples
/// ```
/// assert_eq!(cotask::block_on(async { 6 * 7 }), 42);
/// ```
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    match Runtime::new() {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => panic!("cannot make a runtime: {error}"),
    }
}

/// Spawns a task on the runtime of this thread. The future need not be `Send`: it never leaves the thread.
///
/// The task is queued and first polled when its turn comes, not here.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use std::rc::Rc;
///
/// cotask::block_on(async {
///     let words = Rc::new(String::from("not Send"));
///     let task = cotask::spawn({
///         let words = Rc::clone(&words);
///         async move { words.len() }
///     });
///     assert_eq!(task.await.unwrap(), words.len());
/// });
/// ```
// Always inlined, like what it calls: otherwise the future is copied through the stack, half the cost of a spawn.
#[inline(always)]
#[track_caller]
pub fn spawn<F: Future + 'static>(future: F) -> JoinHandle<F::Output> {
    current::executor("`spawn`").spawn(future, None, Location::caller())
}

/// As [`spawn`], with a name for the recorder to show.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// cotask::block_on(async {
///     cotask::spawn_named("greeter", async { println!("hello") }).await.unwrap();
/// });
/// ```
#[track_caller]
pub fn spawn_named<F: Future + 'static>(name: &str, future: F) -> JoinHandle<F::Output> {
    current::executor("`spawn_named`").spawn(future, Some(name), Location::caller())
}

/// Runs a job that blocks on a thread of the runtime's [pool](crate::blocking), and waits for its result.
///
/// The job is queued at once, whether the future is polled or not, and runs to its end also when the future is
/// dropped. When the runtime ends, jobs that have not started are dropped, and the others are waited for, without a
/// limit unless [`Runtime::shutdown_timeout`] sets one.
///
/// # Errors
/// [`JoinError`] when the job panicked, when the runtime ended before it started, or when the system has no
/// thread for it.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// cotask::block_on(async {
///     let manifest = cotask::spawn_blocking(|| std::fs::read_to_string("Cargo.toml")).await.unwrap();
///     assert!(manifest.unwrap().contains("cotask"));
/// });
/// ```
#[track_caller]
pub fn spawn_blocking<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> BlockingTask<T> {
    let executor = current::executor("`spawn_blocking`");
    let source = Location::caller();
    let queued = executor.recorder().map(|recorder| recorder.job(executor.clock(), source));
    let job = move || {
        let _running = queued.map(QueuedJob::start);
        job()
    };
    if let Some(world) = executor.driver().world() {
        let (job, task) = blocking::task_of(job);
        world.job(job);
        return task;
    }
    executor.pool().spawn(job).unwrap_or_else(|error| BlockingTask::failed(JoinError::not_started(error)))
}

/// Lets every other task that is runnable now have its turn first.
///
/// # Examples
/// ```
/// cotask::block_on(async {
///     let other = cotask::spawn(async {});
///     cotask::yield_now().await;
///     assert!(other.is_finished());
/// });
/// ```
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`]. Cancel safety: it holds nothing.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
