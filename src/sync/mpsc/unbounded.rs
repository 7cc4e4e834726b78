//! The channel without a bound: sending never waits.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;

use super::bounded::{Receive, UntilClosed};
use super::error::{SendError, TryRecvError};
use super::shared::{self, ReceiveSide, SendSide};
use crate::sync::block_thread_on;
use crate::sync::permits::MAX_PERMITS;
use crate::trace::{Resource, Traced};

/// Makes a channel that holds as many values as there is memory for.
///
/// A producer that is quicker than its consumer fills the memory: where that can happen, use
/// [`channel`](super::channel).
///
/// ```
/// let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
/// sender.send('a').unwrap();
/// sender.send('b').unwrap();
/// assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok('a'), Ok('b')));
/// ```
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (send_side, receive_side) = shared::new(MAX_PERMITS);
    (UnboundedSender { shared: send_side }, UnboundedReceiver { shared: receive_side })
}

/// The end that sends; clone it for more senders.
///
/// ```
/// let (sender, receiver) = cotask::sync::mpsc::unbounded_channel();
/// drop(receiver);
/// assert_eq!(sender.send(7).unwrap_err().0, 7);
/// ```
#[derive(Debug)]
pub struct UnboundedSender<T> {
    shared: SendSide<T>,
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        UnboundedSender { shared: self.shared.clone() }
    }
}

impl<T> Traced for UnboundedSender<T> {
    fn resource(&self) -> Resource {
        self.shared.resource()
    }
}

impl<T> UnboundedSender<T> {
    /// Sends a value, without waiting.
    ///
    /// # Errors
    ///
    /// Gives the value back if the receiver is closed or dropped.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.shared.try_send(value).map_err(|error| SendError(error.into_inner()))
    }

    /// Waits until the receiver is closed or dropped. Dropping the future loses nothing.
    pub async fn closed(&self) {
        UntilClosed { shared: &self.shared, key: None }.await;
    }

    /// Whether the receiver is closed or dropped, so that every send will fail.
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }
}

/// The end that receives, also as a [`Stream`].
///
/// ```
/// use cotask::block_on;
///
/// let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
/// sender.send(7).unwrap();
/// drop(sender);
/// assert_eq!(block_on(receiver.recv()), Some(7));
/// assert_eq!(block_on(receiver.recv()), None);
/// ```
#[derive(Debug)]
pub struct UnboundedReceiver<T> {
    shared: ReceiveSide<T>,
}

impl<T> Traced for UnboundedReceiver<T> {
    fn resource(&self) -> Resource {
        self.shared.resource()
    }
}

impl<T> UnboundedReceiver<T> {
    /// Waits for the next value; `None` when the queue is empty and nothing will come any more.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a value is taken from the queue in the poll that returns it.
    pub async fn recv(&mut self) -> Option<T> {
        Receive { shared: &self.shared, waiting: false }.await
    }

    /// Takes a value if there is one.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if one may still come, [`TryRecvError::Disconnected`] if none will.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.shared.try_receive()
    }

    /// Ready with the next value, or `None` at the end. The last waker given is the one that is woken.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.shared.poll_receive(cx)
    }

    /// Waits for the next value on a plain thread, which sleeps meanwhile.
    ///
    /// # Panics
    ///
    /// Inside a task: it would stop all the tasks of the thread. Use [`recv`](Self::recv) there.
    pub fn blocking_recv(&mut self) -> Option<T> {
        block_thread_on("mpsc::UnboundedReceiver::blocking_recv", self.recv())
    }

    /// Accepts nothing new. What was sent still arrives: [`recv`](Self::recv) until `None`.
    pub fn close(&mut self) {
        self.shared.close();
    }

    /// How many values are in the queue.
    pub fn len(&self) -> usize {
        self.shared.len()
    }

    /// Whether no value is in the queue.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Stream for UnboundedReceiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_recv(cx)
    }
}
