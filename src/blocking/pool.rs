//! The pool: its threads, its queue, and how it ends.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::mem;
use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::memory::{GiveBack, OF_ALL};
use crate::base::panics::catch_and_discard_panic;
use crate::base::shim::thread::{self, JoinHandle};
use crate::base::shim::{Arc, Condvar, Mutex};

use super::task::{BlockingTask, task_of};

/// The bounds of a [`Pool`].
///
/// ```
/// use cotask::blocking::Config;
///
/// let config = Config { max_threads: 4, ..Config::default() };
/// assert_eq!(config.keep_alive.as_secs(), 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The most threads at once, 512 by default: many, because they mostly sleep in a system call, and
    /// because a job that waits for another job must not wait for its thread. At least one.
    pub max_threads: usize,
    /// How long a thread stays without a job before it ends, 10 seconds by default.
    pub keep_alive: Duration,
    /// The stack of each thread in bytes; by default what [`std::thread`] gives.
    pub stack_size: Option<usize>,
}

impl Default for Config {
    fn default() -> Self {
        Config { max_threads: 512, keep_alive: Duration::from_secs(10), stack_size: None }
    }
}

pub(crate) type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// Threads without a job: just started, between two jobs, or asleep.
    free: usize,
    /// Those that still serve, by number.
    threads: BTreeMap<u64, JoinHandle<()>>,
    /// How many were ever started: the number of the next.
    started: u64,
    /// The last thread that ended for want of work. The next one to end joins it, and shutdown the last.
    ended: Option<JoinHandle<()>>,
    closed: bool,
    /// A shutdown with a limit has given up: threads that still have a job are on their own.
    left_behind: bool,
}

impl State {
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.free == self.threads.len()
    }
}

struct Shared {
    config: Config,
    /// Called by a thread of the pool when it has done the last job that there was.
    on_idle: Option<Box<dyn Fn() + Send + Sync>>,
    state: Mutex<State>,
    /// A job was pushed, the pool was closed, or a thread of a closed pool has ended.
    changed: Condvar,
}

/// A pool of threads that grows with the work, shrinks without it, and is joined when it is dropped.
///
/// ```
/// use cotask::blocking::{Config, Pool};
///
/// let pool = Pool::new(Config { max_threads: 2, ..Config::default() });
/// let jobs: Vec<_> = (0..10).map(|n| pool.spawn(move || n * n)).collect::<Result<_, _>>()?;
/// let squares = futures::executor::block_on(futures::future::try_join_all(jobs)).unwrap();
/// assert_eq!(squares[9], 81);
/// assert!(pool.threads() <= 2);
/// # std::io::Result::Ok(())
/// ```
pub struct Pool {
    shared: Arc<Shared>,
}

impl Pool {
    /// A pool without threads: the first job starts the first one.
    ///
    /// # Panics
    ///
    /// If `max_threads` is zero.
    ///
    /// # Examples
    /// ```
    /// use cotask::blocking::{Config, Pool};
    ///
    /// let pool = Pool::new(Config::default());
    /// assert_eq!(pool.threads(), 0);
    /// ```
    pub fn new(config: Config) -> Pool {
        Pool::with_on_idle(config, None)
    }

    /// The same, with something to do whenever the last job is done: after its result has been handed over.
    pub(crate) fn with_on_idle(config: Config, on_idle: Option<Box<dyn Fn() + Send + Sync>>) -> Pool {
        assert!(config.max_threads > 0, "a blocking pool needs max_threads of at least 1");
        let shared = Shared { config, on_idle, state: Mutex::default(), changed: Condvar::default() };
        Pool { shared: Arc::new(shared) }
    }

    /// Queues a job, first in, first out, and starts a thread for it if none is free and the bound allows.
    ///
    /// The job runs even if the [`BlockingTask`] is dropped, unless the pool is shut down before it starts; then the
    /// task returns a [`JoinError`](crate::JoinError), cancelled. In a pool that is already shut down the job is
    /// dropped at once.
    ///
    /// # Errors
    ///
    /// If the system starts no thread, and the pool has none that could run the job later.
    ///
    /// ```
    /// use cotask::blocking::{Config, Pool};
    ///
    /// let pool = Pool::new(Config::default());
    /// let length = pool.spawn(|| std::fs::metadata("Cargo.toml").map(|file| file.len()))?;
    /// assert!(futures::executor::block_on(length).unwrap()? > 0);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn spawn<T, F>(&self, job: F) -> io::Result<BlockingTask<T>>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (job, task) = task_of(job, |_| ());
        self.push(Box::new(job))?;
        Ok(task)
    }

    fn push(&self, job: Job) -> io::Result<()> {
        let mut state = self.shared.state.lock();
        if state.closed {
            drop(state);
            drop(job);
            return Ok(());
        }
        state.queue.push_back(job);
        if state.queue.len() > state.free && state.threads.len() < self.shared.config.max_threads {
            // Under the lock, so that the thread finds itself counted and its handle in its place.
            match start(&self.shared, state.started) {
                Ok(thread) => {
                    let number = state.started;
                    state.threads.insert(number, thread);
                    state.started += 1;
                    state.free += 1;
                }
                Err(error) if state.threads.is_empty() => {
                    let job = state.queue.pop_back();
                    drop(state);
                    drop(job);
                    let message = format!("cannot start a thread for a blocking job: {error}");
                    return Err(io::Error::new(error.kind(), message));
                }
                // One of the threads that there are will come to it.
                Err(_) => {}
            }
        }
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// The threads that the pool has now.
    ///
    /// # Examples
    /// ```
    /// # use cotask::blocking::{Config, Pool};
    /// let pool = Pool::new(Config::default());
    /// futures::executor::block_on(pool.spawn(|| ())?).unwrap();
    /// assert_eq!(pool.threads(), 1);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn threads(&self) -> usize {
        self.shared.state.lock().threads.len()
    }

    /// Whether no job is queued or running, and so every result has been handed over.
    pub(crate) fn is_idle(&self) -> bool {
        self.shared.state.lock().is_idle()
    }

    /// Takes no more jobs, drops those that have not started, and waits until the others are done and every
    /// thread has ended. Dropping the pool does the same.
    ///
    /// From within one of its own jobs it waits for all threads but that one. There is no time limit: a job that
    /// never ends keeps its pool from shutting down. [`shutdown_timeout`](Pool::shutdown_timeout) has one.
    ///
    /// ```
    /// use cotask::blocking::{Config, Pool};
    ///
    /// let pool = Pool::new(Config::default());
    /// pool.shutdown();
    /// let late = pool.spawn(|| 1)?;
    /// assert!(futures::executor::block_on(late).unwrap_err().is_cancelled());
    /// # std::io::Result::Ok(())
    /// ```
    pub fn shutdown(&self) {
        self.end(None);
    }

    /// As [`shutdown`](Pool::shutdown), but waits at most for `limit`, on the machine's clock. Returns whether every job
    /// that had started has ended.
    ///
    /// If not, the threads of the others are left behind: a job cannot be stopped from outside. Such a thread ends with
    /// its job, or with the process, and nothing waits for it any more. From within one of the pool's own jobs, that
    /// job does not count.
    ///
    /// ```
    /// use cotask::blocking::{Config, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::new(Config::default());
    /// let (started, has_started) = std::sync::mpsc::channel();
    /// let stuck = pool.spawn(move || {
    ///     started.send(()).unwrap();
    ///     std::thread::sleep(Duration::from_secs(3_600));
    /// })?;
    /// has_started.recv().unwrap();
    /// assert!(!pool.shutdown_timeout(Duration::from_millis(10)));
    /// # drop(stuck);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn shutdown_timeout(&self, limit: Duration) -> bool {
        self.end(Some(limit))
    }

    /// Waits for the end of all jobs that have started, within `limit` if there is one. Whether they have ended.
    pub(crate) fn end(&self, limit: Option<Duration>) -> bool {
        self.close();
        let deadline = limit.map(|limit| Instant::real() + limit);
        let this = thread::current().id();
        let is_other = |thread: &JoinHandle<()>| thread.thread().id() != this;
        let mut state = self.shared.state.lock();
        let mut timed_out = false;
        while !timed_out && state.threads.values().any(is_other) {
            (state, timed_out) = match deadline {
                None => (self.shared.changed.wait(state), false),
                Some(deadline) => {
                    let left = deadline - Instant::real();
                    self.shared.changed.wait_timeout(&self.shared.state, state, left)
                }
            };
        }
        // Not to be waited for when the pool is dropped.
        state.left_behind |= timed_out;
        let own = state.threads.values().any(|thread| !is_other(thread));
        let running = state.threads.len() - state.free - usize::from(own);
        let last = state.ended.take().filter(|_| !timed_out);
        drop(state);
        last.into_iter().for_each(join);
        running == 0
    }

    /// Takes no more jobs, and drops those that have not started.
    fn close(&self) {
        let jobs = {
            let mut state = self.shared.state.lock();
            state.closed = true;
            mem::take(&mut state.queue)
        };
        self.shared.changed.notify_all();
        jobs.into_iter().for_each(|job| catch_and_discard_panic(|| drop(job)));
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let limit = self.shared.state.lock().left_behind.then_some(Duration::ZERO);
        self.end(limit);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.state.lock();
        f.debug_struct("Pool")
            .field("threads", &state.threads.len())
            .field("free", &state.free)
            .finish_non_exhaustive()
    }
}

fn start(shared: &Arc<Shared>, number: u64) -> io::Result<JoinHandle<()>> {
    let mut builder = thread::Builder::new().name(format!("cotask-blocking-{number}"));
    if let Some(bytes) = shared.config.stack_size {
        builder = builder.stack_size(bytes);
    }
    let shared = shared.clone();
    builder.spawn(move || shared.serve(number))
}

// ANCHOR: serve
impl Shared {
    /// What thread `number` does in its life.
    fn serve(&self, number: u64) {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                state.queue.give_back(OF_ALL);
                state.free -= 1;
                drop(state);
                // A panic of the job itself goes to its task; this one comes from the drop of an untaken result.
                catch_and_discard_panic(job);
                state = self.state.lock();
                state.free += 1;
                if let Some(on_idle) = self.on_idle.as_ref().filter(|_| state.is_idle()) {
                    drop(state);
                    on_idle();
                    state = self.state.lock();
                }
                continue;
            }
            if state.closed {
                break;
            }
            let timed_out;
            (state, timed_out) = self.changed.wait_timeout(&self.state, state, self.config.keep_alive);
            // A job may have come between the timeout and the lock: the thread that pushed it counts on this one.
            if timed_out && state.queue.is_empty() {
                break;
            }
        }
        state.free -= 1;
        // The next thread to end joins this one, and a shutdown joins the last.
        let this = state.threads.remove(&number);
        let before = this.and_then(|this| state.ended.replace(this));
        let closed = state.closed;
        drop(state);
        if closed {
            self.changed.notify_all();
        }
        before.into_iter().for_each(join);
    }
}
// ANCHOR_END: serve

fn join(thread: JoinHandle<()>) {
    thread.join().expect("a thread of the pool contains every panic of its jobs");
}
