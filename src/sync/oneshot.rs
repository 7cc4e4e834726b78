//! A channel for one value: the answer to a question, the result of a job.
//!
//! ```
//! use cotask::sync::oneshot;
//!
//! let (sender, receiver) = oneshot::channel();
//! std::thread::spawn(move || sender.send("done"));
//! assert_eq!(cotask::block_on(receiver), Ok("done"));
//! ```
//!
//! All the state is under one lock, and each end may be dropped at any time. What the other end then sees:
//!
//! | | value not sent | value sent, not received |
//! |---|---|---|
//! | sender dropped | the receiver gets [`RecvError`] | the receiver gets the value |
//! | receiver closed | `send` returns the value | the receiver still gets the value |
//! | receiver dropped | `send` returns the value | the value is dropped with the receiver |

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::base::shim::{Arc, Mutex};
use error::{RecvError, TryRecvError};

use super::block_thread_on;
use super::critical::{locked, poll_locked};

// ANCHOR: state
#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    /// The sender has sent or has been dropped.
    sender_done: bool,
    /// The receiver was closed or dropped: it takes no value any more, but may fetch one that it has.
    closed: bool,
    receiver: Option<Waker>,
    sender: Option<Waker>,
}

impl<T> State<T> {
    fn receive(&mut self) -> Result<T, TryRecvError> {
        match self.value.take() {
            Some(value) => Ok(value),
            None if self.sender_done || self.closed => Err(TryRecvError::Closed),
            None => Err(TryRecvError::Empty),
        }
    }
}
// ANCHOR_END: state

/// Makes a channel for one value.
///
/// ```
/// let (sender, mut receiver) = cotask::sync::oneshot::channel();
/// sender.send(7).unwrap();
/// assert_eq!(receiver.try_recv(), Ok(7));
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state = State { value: None, sender_done: false, closed: false, receiver: None, sender: None };
    let shared = Arc::new(Mutex::new(state));
    (Sender { shared: Some(shared.clone()) }, Receiver { shared })
}

/// The end that sends. If it is dropped before it has sent, the receiver gets a [`RecvError`].
///
/// ```
/// use cotask::sync::oneshot;
///
/// let (sender, receiver) = oneshot::channel::<()>();
/// drop(sender);
/// assert!(cotask::block_on(receiver).is_err());
/// ```
#[derive(Debug)]
pub struct Sender<T> {
    /// `None` once sent, so that the drop that follows has nothing left to do.
    shared: Option<Arc<Mutex<State<T>>>>,
}

impl<T> Sender<T> {
    /// Sends the value, without waiting.
    ///
    /// # Errors
    ///
    /// Gives the value back if the receiver was closed or dropped. `Ok` does not mean that the value will
    /// be received: the receiver may still be dropped.
    ///
    /// ```
    /// let (sender, receiver) = cotask::sync::oneshot::channel();
    /// drop(receiver);
    /// assert_eq!(sender.send(7), Err(7));
    /// ```
    pub fn send(mut self, value: T) -> Result<(), T> {
        let Some(shared) = self.shared.take() else { return Err(value) };
        locked(&shared, |state, after| {
            after.discard(state.sender.take());
            if state.closed {
                return Err(value);
            }
            state.value = Some(value);
            state.sender_done = true;
            after.wake(state.receiver.take());
            Ok(())
        })
    }

    /// Whether the receiver was closed or dropped, so that to compute the value is no use any more.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = cotask::sync::oneshot::channel::<u8>();
    /// assert!(!sender.is_closed());
    /// drop(receiver);
    /// assert!(sender.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.shared.as_ref().is_none_or(|shared| shared.lock().closed)
    }

    /// Waits until the receiver is closed or dropped.
    ///
    /// Cancel safe: dropping the future loses nothing.
    ///
    /// ```
    /// use futures::future::{self, FutureExt};
    ///
    /// let (mut sender, receiver) = cotask::sync::oneshot::channel::<()>();
    /// assert!(sender.closed().now_or_never().is_none());
    /// drop(receiver);
    /// assert!(sender.closed().now_or_never().is_some());
    /// ```
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.poll_closed(cx)).await;
    }

    /// Ready when the receiver is closed or dropped. The last waker given is the one that is woken.
    ///
    /// # Examples
    /// ```
    /// let (mut sender, mut receiver) = cotask::sync::oneshot::channel::<u8>();
    /// receiver.close();
    /// cotask::block_on(std::future::poll_fn(|cx| sender.poll_closed(cx)));
    /// ```
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(shared) = &self.shared else { return Poll::Ready(()) };
        poll_locked(shared, cx, |state, turn| {
            if state.closed {
                return Poll::Ready(());
            }
            turn.wait_in(&mut state.sender);
            Poll::Pending
        })
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        locked(&shared, |state, after| {
            state.sender_done = true;
            after.discard(state.sender.take());
            after.wake(state.receiver.take());
        });
    }
}

/// The end that receives: a future of the value.
///
/// Cancel safe by reference: `(&mut receiver).await` may be dropped and tried again. Dropping the receiver
/// itself drops a value that was sent. Awaiting it once more after it gave the value gives [`RecvError`].
///
/// ```
/// let (sender, receiver) = cotask::sync::oneshot::channel();
/// sender.send(7).unwrap();
/// assert_eq!(cotask::block_on(receiver), Ok(7));
/// ```
#[derive(Debug)]
#[must_use = "a receiver is a future: await it, or use `try_recv`"]
pub struct Receiver<T> {
    shared: Arc<Mutex<State<T>>>,
}

impl<T> Receiver<T> {
    /// Takes the value if it is there.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if it may still come, [`TryRecvError::Closed`] if it never will.
    ///
    /// ```
    /// use cotask::sync::oneshot::{self, error::TryRecvError};
    ///
    /// let (sender, mut receiver) = oneshot::channel();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.send(7).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(7));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.shared.lock().receive()
    }

    /// Refuses a value that has not been sent yet, and tells the sender. One that has been sent is still
    /// here to receive.
    ///
    /// ```
    /// let (sender, mut receiver) = cotask::sync::oneshot::channel();
    /// receiver.close();
    /// assert_eq!(sender.send(7), Err(7));
    /// assert!(receiver.try_recv().is_err());
    /// ```
    pub fn close(&mut self) {
        locked(&self.shared, |state, after| {
            state.closed = true;
            after.wake(state.sender.take());
        });
    }

    /// Waits for the value on a plain thread, which sleeps meanwhile.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if the sender was dropped without sending.
    ///
    /// # Panics
    ///
    /// Inside a task: it would stop all the tasks of the thread. Await the receiver there.
    ///
    /// ```
    /// let (sender, receiver) = cotask::sync::oneshot::channel();
    /// std::thread::spawn(move || sender.send(7));
    /// assert_eq!(receiver.blocking_recv(), Ok(7));
    /// ```
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        block_thread_on("oneshot::Receiver::blocking_recv", self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_locked(&self.shared, cx, |state, turn| match state.receive() {
            Ok(value) => Poll::Ready(Ok(value)),
            Err(TryRecvError::Closed) => Poll::Ready(Err(RecvError)),
            Err(TryRecvError::Empty) => {
                turn.wait_in(&mut state.receiver);
                Poll::Pending
            }
        })
    }
}

// ANCHOR: drop
impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let unread = locked(&self.shared, |state, after| {
            state.closed = true;
            after.wake(state.sender.take());
            after.discard(state.receiver.take());
            state.value.take()
        });
        drop(unread);
    }
}
// ANCHOR_END: drop

/// What the methods of a oneshot channel fail with.
pub mod error {
    use std::error::Error;
    use std::fmt;

    /// The sender was dropped without sending, or the receiver was closed before.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RecvError;

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no value: the oneshot channel is closed")
        }
    }

    impl Error for RecvError {}

    /// Why [`Receiver::try_recv`](super::Receiver::try_recv) has no value.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum TryRecvError {
        /// It has not been sent yet.
        Empty,
        /// It will never come.
        Closed,
    }

    impl fmt::Display for TryRecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                TryRecvError::Empty => "no value yet: the oneshot channel is empty",
                TryRecvError::Closed => "no value: the oneshot channel is closed",
            })
        }
    }

    impl Error for TryRecvError {}
}
