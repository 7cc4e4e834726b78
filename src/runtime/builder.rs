//! How a runtime is made.

use std::future::Future;
use std::io;

use crate::base::clock::Clock;
use crate::base::rng::Rng;
use crate::base::shim::Arc;
use crate::blocking;
use crate::executor::Executor;
use crate::executor::driver::Driver;
use crate::executor::reactor::Reactor;
use crate::executor::run_queue::Order;
use crate::trace::Recorder;

use super::Runtime;

/// Configuration of a [`Runtime`].
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// let runtime = cotask::Builder::new().seed(7).virtual_time().build()?;
/// let day = runtime.block_on(async {
///     let start = cotask::time::Instant::now();
///     cotask::time::sleep(Duration::from_secs(86_400)).await;
///     start.elapsed()
/// });
/// assert_eq!(day, Duration::from_secs(86_400));
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    seed: Option<u64>,
    virtual_time: bool,
    trace: Option<usize>,
    name: Option<Box<str>>,
    pool: blocking::Config,
}

impl Builder {
    /// The defaults: first come first served, the machine's clock, no recorder.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Builder::new().build()?;
    /// assert_eq!(runtime.block_on(async { 6 * 7 }), 42);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Draws the next task to poll from the runnable ones with this seed, instead of first come, first served. The
    /// same seed leads to the same schedule, as long as nothing from outside (sockets, threads, the machine's
    /// clock) decides.
    ///
    /// # Examples
    /// ```
    /// let order = |seed| {
    ///     let runtime = cotask::Builder::new().seed(seed).build().unwrap();
    ///     runtime.block_on(async {
    ///         let (mut tasks, mut order) = (cotask::JoinSet::new(), Vec::new());
    ///         (0..10).for_each(|n| tasks.spawn(async move { n }));
    ///         while let Some(done) = tasks.join_next().await {
    ///             order.push(done.unwrap());
    ///         }
    ///         order
    ///     })
    /// };
    /// assert_eq!(order(7), order(7));
    /// assert_ne!(order(7), order(8));
    /// ```
    pub fn seed(mut self, seed: u64) -> Builder {
        self.seed = Some(seed);
        self
    }

    /// The clock stands still while anything can run, and jumps to the next deadline when nothing can. For
    /// programs that wait for timers and for each other, not for sockets: those take real time.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Builder::new().virtual_time().build()?;
    /// let year = std::time::Duration::from_secs(365 * 86_400);
    /// runtime.block_on(async { cotask::time::sleep(year).await }); // at once
    /// # std::io::Result::Ok(())
    /// ```
    pub fn virtual_time(mut self) -> Builder {
        self.virtual_time = true;
        self
    }

    /// Records what the executor does, the last `events` of it. Needs the crate's feature `trace`, which is on
    /// by default.
    ///
    /// # Panics
    /// [`build`](Builder::build) panics when `events` is 0.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Builder::new().trace(2).build()?;
    /// runtime.block_on(cotask::yield_now());
    /// let trace = runtime.take_trace();
    /// assert_eq!(trace.records.len(), 2);
    /// assert!(trace.dropped > 0, "the older ones");
    /// # std::io::Result::Ok(())
    /// ```
    pub fn trace(mut self, events: usize) -> Builder {
        self.trace = Some(events);
        self
    }

    /// What the runtime is called in its [trace](Builder::trace).
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Builder::new().trace(100).name("clerk").build()?;
    /// assert_eq!(runtime.take_trace().name.as_deref(), Some("clerk"));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn name(mut self, name: &str) -> Builder {
        self.name = Some(name.into());
        self
    }

    /// Bounds the pool of threads behind [`spawn_blocking`](crate::spawn_blocking).
    ///
    /// # Examples
    /// ```
    /// use cotask::blocking::Config;
    ///
    /// let one_at_a_time = Config { max_threads: 1, ..Config::default() };
    /// let runtime = cotask::Builder::new().blocking(one_at_a_time).build()?;
    /// runtime.block_on(async { cotask::spawn_blocking(|| ()).await.unwrap() });
    /// # std::io::Result::Ok(())
    /// ```
    pub fn blocking(mut self, config: blocking::Config) -> Builder {
        self.pool = config;
        self
    }

    /// # Errors
    /// As [`Runtime::new`].
    ///
    /// # Panics
    /// When [`trace`](Builder::trace) was given 0, or the blocking pool no thread.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Builder::new().seed(7).virtual_time().build()?;
    /// assert_eq!(runtime.block_on(async { 6 * 7 }), 42);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn build(self) -> io::Result<Runtime> {
        assert!(self.pool.max_threads > 0, "a blocking pool needs max_threads of at least 1");
        let order = self.seed.map_or(Order::Fifo, |seed| Order::Seeded(Rng::new(seed)));
        let clock = if self.virtual_time { Clock::new_virtual() } else { Clock::Real };
        let recorder = self.trace.map(|events| Recorder::new(&clock, events, self.name));
        let executor = Executor::new(Driver::Os(Reactor::new()?), order, clock, recorder, self.pool)?;
        Ok(Runtime { executor, stop: Arc::default() })
    }
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
