//! A job's result, as a future.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::base::error::{JoinError, panic_message};
use crate::base::key::TaskKey;
use crate::sync::oneshot;

/// The task in the error of a job: none, because a job is not a task.
const NO_TASK: Option<TaskKey> = None;

// ANCHOR: task_of
/// The job, and the future of its result. If the job panics, `panicked` gets the message first.
pub(crate) fn task_of<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
    panicked: impl FnOnce(&str) + 'static,
) -> (impl FnOnce(), BlockingTask<T>) {
    let (sender, result) = oneshot::channel();
    let job = move || {
        let outcome = catch_unwind(AssertUnwindSafe(job)).map_err(|payload| {
            panicked(panic_message(payload.as_ref()));
            JoinError::panic(NO_TASK, payload)
        });
        // If no task waits any more, the result is dropped here, on the thread that made it.
        drop(sender.send(outcome));
    };
    (job, BlockingTask { result })
}
// ANCHOR_END: task_of

/// The result of a job on a [`Pool`](super::Pool), as a future.
///
/// Dropping it lets the job go on; its result is then dropped on the pool's thread. Cancel safe by reference.
/// Gives an error if the job panicked, or if the pool was shut down before it started.
///
/// ```
/// use cotask::blocking::{Config, Pool};
///
/// let pool = Pool::new(Config::default());
/// let task = pool.spawn(|| -> u8 { panic!("no such photo") })?;
/// assert!(futures::executor::block_on(task).unwrap_err().is_panic());
/// # std::io::Result::Ok(())
/// ```
#[must_use = "a task is a future: await it for the result of the job"]
#[derive(Debug)]
pub struct BlockingTask<T> {
    result: oneshot::Receiver<Result<T, JoinError>>,
}

impl<T> BlockingTask<T> {
    /// One whose job could not even be queued.
    pub(crate) fn failed(error: JoinError) -> BlockingTask<T> {
        let (sender, result) = oneshot::channel();
        drop(sender.send(Err(error)));
        BlockingTask { result }
    }
}

impl<T> Future for BlockingTask<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.result)
            .poll(cx)
            .map(|sent| sent.unwrap_or_else(|_| Err(JoinError::cancelled(NO_TASK))))
    }
}
