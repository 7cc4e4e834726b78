//! A set of tasks that end together.

use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::FuturesUnordered;
use futures::{Stream, StreamExt};

use crate::base::budget;
use crate::base::error::JoinError;
use crate::base::panics::catch_and_discard_panic;
use crate::executor::current;

use super::join::JoinHandle;
use super::spawn::spawn_on;

/// Tasks whose outputs are taken in the order in which they finish. Dropping the set aborts the tasks that have not
/// finished, and drops the outputs that were not taken. If the drop of one panics, the panic hook reports it, and the
/// others are dropped all the same.
///
/// # Examples
/// ```
/// use cotask::JoinSet;
/// use std::time::Duration;
///
/// cotask::block_on(async {
///     let mut set = JoinSet::new();
///     for milliseconds in [20, 1, 10] {
///         set.spawn(async move {
///             cotask::time::sleep(Duration::from_millis(milliseconds)).await;
///             milliseconds
///         });
///     }
///     let mut order = Vec::new();
///     while let Some(done) = set.join_next().await {
///         order.push(done.unwrap());
///     }
///     assert_eq!(order, [1, 10, 20]);
/// });
/// ```
pub struct JoinSet<T> {
    tasks: FuturesUnordered<JoinHandle<T>>,
}

impl<T> JoinSet<T> {
    /// An empty set.
    ///
    /// # Examples
    /// ```
    /// let set = cotask::JoinSet::<u8>::new();
    /// assert!(set.is_empty());
    /// ```
    pub fn new() -> JoinSet<T> {
        JoinSet { tasks: FuturesUnordered::new() }
    }

    /// Spawns a task into the set.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let mut set = cotask::JoinSet::new();
    ///     (1..=3).for_each(|n| set.spawn(async move { n * n }));
    ///     assert_eq!(set.len(), 3);
    /// });
    /// ```
    #[track_caller]
    pub fn spawn(&mut self, future: impl Future<Output = T> + 'static)
    where
        T: 'static,
    {
        let executor = current::executor("`JoinSet::spawn`");
        self.tasks.push(spawn_on(&executor, future, None, Location::caller()));
    }

    /// Waits for the next task to finish and takes it out of the set; `None` when the set is empty.
    ///
    /// Cancel safety: dropping this future leaves every task in the set.
    ///
    /// # Errors
    /// [`JoinError`] when that task panicked or was aborted.
    ///
    /// # Panics
    /// When it has to wait outside of the tasks' runtime, as [`JoinHandle`] does.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let mut set = cotask::JoinSet::new();
    ///     set.spawn(async { "done" });
    ///     assert_eq!(set.join_next().await.unwrap().unwrap(), "done");
    ///     assert!(set.join_next().await.is_none());
    /// });
    /// ```
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.next().await
    }

    /// Asks every task to end. [`join_next`](JoinSet::join_next) then returns each, cancelled or finished.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let mut set = cotask::JoinSet::new();
    ///     set.spawn(std::future::pending::<()>());
    ///     set.abort_all();
    ///     assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn abort_all(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    /// How many tasks have not been taken.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let mut set = cotask::JoinSet::new();
    ///     set.spawn(async {});
    ///     assert_eq!(set.len(), 1);
    ///     set.join_next().await;
    ///     assert_eq!(set.len(), 0);
    /// });
    /// ```
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether all have been taken.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let mut set = cotask::JoinSet::new();
    ///     set.spawn(async {});
    ///     assert!(!set.is_empty());
    /// });
    /// ```
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        JoinSet::new()
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.abort_all();
        // One by one: the drop of an output that was not taken may panic, and the others must get theirs.
        for task in mem::take(&mut self.tasks) {
            catch_and_discard_panic(|| drop(task));
        }
    }
}

/// As [`JoinSet::join_next`]; ends whenever the set is empty.
impl<T> Stream for JoinSet<T> {
    type Item = Result<T, JoinError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_empty() {
            // No task that would count: and a loop may ask again and again.
            ready!(budget::poll_proceed(cx));
        }
        Pin::new(&mut self.tasks).poll_next(cx)
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}
