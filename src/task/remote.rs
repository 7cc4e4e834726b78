//! Tasks that another thread spawned: how that thread waits for them and aborts them.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use crate::base::error::JoinError;
use crate::base::panics::catch_and_discard_panic;
use crate::base::shim::{Arc, Mutex};
use crate::executor::run::{Ending, Run};
use crate::sync::{block_thread_on, oneshot};
use crate::trace::Actor;

use super::cell::{Join, Task};

/// The right to wait for a task of another thread's runtime, and to abort it: [`Handle::spawn`](crate::Handle::spawn).
///
/// A future of the task's output, on any runtime. Dropping it detaches the task. When it is ready, the task's
/// future has been dropped.
///
/// Cancel safety: as that of [`JoinHandle`](crate::JoinHandle).
///
/// # Errors
/// [`JoinError`] when the task panicked, was aborted, or its runtime ended before it did.
#[derive(Debug)]
pub struct RemoteJoinHandle<T> {
    result: oneshot::Receiver<Result<T, JoinError>>,
    abort: Arc<Abort>,
}

type ResultSender<T> = oneshot::Sender<Result<T, JoinError>>;

/// What the task's own thread has of a [`RemoteJoinHandle`].
pub struct RemoteOwner<T> {
    result: ResultSender<T>,
    abort: Arc<Abort>,
}

/// A request that the task be ended. One lock holds the request and the waker, so a poll either sees the request or leaves
/// its waker for it.
#[derive(Debug, Default)]
struct Abort(Mutex<Request>);

#[derive(Debug, Default)]
struct Request {
    made: bool,
    task: Option<Waker>,
}

impl Abort {
    /// Any thread.
    fn request(&self) {
        let mut request = self.0.lock();
        // Stored for a task that has not started yet.
        request.made = true;
        let task = request.task.take();
        drop(request);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// The task's own thread, at the start of each poll.
    fn is_requested(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut request = self.0.lock();
        let before = request.task.replace(waker);
        let made = request.made;
        drop(request);
        drop(before);
        made
    }
}

/// The body of a task that another thread spawned: runs the task, and sends that thread the result.
///
/// Models: `abort`, `abort_against_completion`, `abort_against_the_end` (`cargo loom abort`).
struct Remote<T> {
    /// The two sides of one task, as its owners have them in every runtime.
    run: Rc<dyn Run>,
    join: Rc<dyn Join<T>>,
    abort: Arc<Abort>,
    result: Cell<Option<ResultSender<T>>>,
}

impl<T: 'static> RemoteOwner<T> {
    /// What is run of the task.
    pub(crate) fn body<F: Future<Output = T> + 'static>(self, task: Rc<Task<F>>) -> Rc<dyn Run> {
        let (run, result) = (Rc::clone(&task) as Rc<dyn Run>, Cell::new(Some(self.result)));
        Rc::new(Remote { run, join: task, abort: self.abort, result })
    }
}

impl<T> Run for Remote<T> {
    fn run(&self, cx: &mut Context<'_>) -> Poll<Ending> {
        if self.abort.is_requested(cx.waker()) {
            self.join.request_abort(Some(Actor::Thread));
        }
        let ending = ready!(self.run.run(cx));
        self.send_result();
        Poll::Ready(ending)
    }

    fn cancel(&self) {
        self.run.cancel();
        self.send_result();
    }
}

impl<T> Remote<T> {
    /// The task has ended, and its future is dropped.
    fn send_result(&self) {
        let taken = self.join.poll_join(&mut Context::from_waker(Waker::noop()));
        if let (Poll::Ready(result), Some(sender)) = (taken, self.result.take()) {
            // If no thread waits for the output it is dropped here, and that may panic.
            catch_and_discard_panic(|| drop(sender.send(result)));
        }
    }
}

impl<T> RemoteJoinHandle<T> {
    /// Both halves: for the thread that waits, and for the task's own.
    pub(crate) fn new() -> (RemoteJoinHandle<T>, RemoteOwner<T>) {
        let (sender, result) = oneshot::channel();
        let abort = Arc::new(Abort::default());
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
        self.abort.request();
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
