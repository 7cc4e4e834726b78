//! What a user holds of a task: its handle.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::base::budget;
use crate::base::error::JoinError;
use crate::base::key::Id;
use crate::trace::{self, Event, Resource, Traced, Want};

use super::cell::Join;

/// The right to wait for a task, and to abort it.
///
/// A future of the task's output. Dropping the handle detaches the task: it goes on, and its output is dropped on
/// completion. An output that is there already is dropped with the handle; a panic in that drop reaches the code that
/// drops the handle, unless another panic is unwinding. A handle stays on the thread of its runtime, as the task
/// does; for other threads and other runtimes there is [`Handle::spawn`](crate::Handle::spawn).
///
/// Cancel safety: dropping this future, or the one around it, loses the handle and nothing else; await
/// `&mut handle` to keep it.
///
/// A handle keeps its task's memory, and with it an output that was not taken. So a task whose *output* holds its own
/// handle is never freed, as with every cycle of `Rc`: no other code can reach that handle, and the runtime cannot
/// see whether an output holds one.
///
/// # Errors
/// [`JoinError`] when the task panicked, was aborted, or its runtime ended before it did.
///
/// # Panics
/// A poll that has to wait panics outside of the task's runtime: while another executor has the thread, the task does
/// not run, so the wait would not end. Where the task has finished, or its runtime has ended, the handle returns the
/// result on any executor. And a poll panics after the result has been returned.
///
/// # Examples
/// ```
/// cotask::block_on(async {
///     let answer = cotask::spawn(async { 6 * 7 });
///     assert_eq!(answer.await.unwrap(), 42);
/// });
/// ```
pub struct JoinHandle<T>(pub(crate) Rc<dyn Join<T>>);

impl<T> JoinHandle<T> {
    /// Asks the task to end: at its next turn its future is dropped instead of polled.
    ///
    /// A task that has ended is not affected, and one that ends in its current poll keeps that result. To know
    /// that the future has been dropped, await the handle.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let forever = cotask::spawn(std::future::pending::<()>());
    ///     forever.abort();
    ///     assert!(forever.await.unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn abort(&self) {
        if self.0.request_abort(None) {
            self.0.key().wake();
        }
    }

    /// Whether the task has ended: finished, panicked or aborted.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let mut task = cotask::spawn(async {});
    ///     assert!(!task.is_finished());
    ///     (&mut task).await.unwrap();
    ///     assert!(task.is_finished());
    /// });
    /// ```
    pub fn is_finished(&self) -> bool {
        self.0.is_over()
    }

    /// The task's identity.
    ///
    /// # Examples
    /// ```
    /// cotask::block_on(async {
    ///     let task = cotask::spawn(async {});
    ///     let id = task.id();
    ///     task.abort();
    ///     assert_eq!(task.await.unwrap_err().id(), Some(id));
    /// });
    /// ```
    pub fn id(&self) -> Id {
        Id(self.0.key())
    }
}

impl<T> Traced for JoinHandle<T> {
    fn resource(&self) -> Resource {
        Resource::Task(self.id())
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(budget::poll_proceed(cx));
        let joined = self.0.poll_join(cx);
        if joined.is_pending() {
            budget::refund();
        }
        trace::here(|recorder| match joined {
            Poll::Pending => recorder.waits(Resource::Task(self.id()), Want::End),
            Poll::Ready(_) => recorder.push(Event::Joined { task: self.id(), by: recorder.actor() }),
        });
        joined
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        self.0.detach();
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .field("is_finished", &self.is_finished())
            .finish()
    }
}
