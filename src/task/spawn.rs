//! How tasks and blocking jobs come to be.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::base::error::JoinError;
use crate::blocking::{self, BlockingTask};
use crate::executor::Executor;
use crate::executor::current;
use crate::executor::run::Run;
use crate::trace::QueuedJob;

use super::cell::Task;
use super::join::JoinHandle;

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
    spawn_on(&current::executor("`spawn`"), future, None, Location::caller())
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
    spawn_on(&current::executor("`spawn_named`"), future, Some(name), Location::caller())
}

/// Runs a job that blocks on a thread of the runtime's [pool](crate::blocking), and waits for its result.
///
/// The job is queued at once, whether the future is polled or not, and runs to its end also when the future is
/// dropped. When the runtime ends, jobs that have not started are dropped, and the others are waited for, without a
/// limit unless [`Runtime::shutdown_timeout`](crate::Runtime::shutdown_timeout) sets one.
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
    let queued = executor.recorder().map(|recorder| recorder.job(source));
    let job = move || {
        let _running = queued.map(QueuedJob::start);
        job()
    };
    if let Some(simulator) = executor.driver.simulator() {
        let teller = Rc::clone(simulator);
        let (job, task) = blocking::task_of(job, move |message| teller.panicked(None, message));
        simulator.job(Box::new(job));
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

// ANCHOR: spawn_on
/// Makes a task and queues it. When the runtime is ending, the future is dropped at once, and its handle reports that
/// it was cancelled.
#[inline(always)]
pub(crate) fn spawn_on<F: Future + 'static>(
    executor: &Executor,
    future: F,
    name: Option<&str>,
    source: &'static Location<'static>,
) -> JoinHandle<F::Output> {
    let task = Task::new(future);
    start_on(executor, &task, Rc::clone(&task) as Rc<dyn Run>, name, source);
    JoinHandle(task)
}

/// The same for a task that is made already. `body` is what runs it.
#[inline(always)]
pub(crate) fn start_on<F: Future + 'static>(
    executor: &Executor,
    task: &Task<F>,
    body: Rc<dyn Run>,
    name: Option<&str>,
    source: &'static Location<'static>,
) {
    let key = executor.insert_task(body, name, source);
    task.set_key(key);
    executor.admit(key);
}
// ANCHOR_END: spawn_on
