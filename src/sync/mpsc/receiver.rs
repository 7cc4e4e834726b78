//! The end that receives.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;

use crate::base::shim::{Arc, Mutex};
use crate::sync::block_thread_on;
use crate::sync::critical::{Turn, locked, poll_locked, wait};
use crate::trace::{Resource, Traced};

use super::error::TryRecvError;
use super::shared::{Bounded, State, Unbounded, debug, resource};

/// The end that receives, also as a [`Stream`].
///
/// ```
/// use cotask::block_on;
/// use futures::StreamExt;
///
/// let (sender, receiver) = cotask::sync::mpsc::channel(3);
/// for i in 1..=3 {
///     sender.try_send(i).unwrap();
/// }
/// drop(sender);
/// assert_eq!(block_on(receiver.map(|i| i * 10).collect::<Vec<_>>()), [10, 20, 30]);
/// ```
pub struct Receiver<T, B = Bounded> {
    shared: Arc<Mutex<State<T>>>,
    bound: PhantomData<B>,
}

/// The end that receives from a channel without a bound.
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
pub type UnboundedReceiver<T> = Receiver<T, Unbounded>;

impl<T, B> Receiver<T, B> {
    pub(super) fn new(shared: Arc<Mutex<State<T>>>) -> Self {
        Receiver { shared, bound: PhantomData }
    }

    /// Waits for the next value; `None` when the queue is empty and nothing will come any more.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a value is taken from the queue in the poll that returns it.
    ///
    /// ```
    /// # use cotask::block_on;
    /// let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
    /// sender.try_send(7).unwrap();
    /// drop(sender);
    /// assert_eq!(block_on(receiver.recv()), Some(7));
    /// assert_eq!(block_on(receiver.recv()), None);
    /// ```
    pub async fn recv(&mut self) -> Option<T> {
        let receive = |state: &mut State<T>, waits: &mut Option<()>, turn: &mut Turn<'_>| {
            *waits = Some(());
            let received = ready!(state.poll_receive(turn));
            *waits = None;
            Poll::Ready(received)
        };
        // Dropped while it waits, it leaves no waker behind.
        wait(&self.shared, receive, |state, (), after| after.discard(state.receiver.take())).await
    }

    /// Takes a value if there is one.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if one may still come, [`TryRecvError::Disconnected`] if none will.
    ///
    /// # Examples
    /// ```
    /// use cotask::sync::mpsc::{self, error::TryRecvError};
    ///
    /// let (sender, mut receiver) = mpsc::channel(1);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.try_send(7).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.try_recv(), Ok(7));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        locked(&self.shared, State::receive)
    }

    /// Ready with the next value, or `None` at the end. The last waker given is the one that is woken.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
    /// sender.try_send(7).unwrap();
    /// let received = cotask::block_on(std::future::poll_fn(|cx| receiver.poll_recv(cx)));
    /// assert_eq!(received, Some(7));
    /// ```
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        poll_locked(&self.shared, cx, State::poll_receive)
    }

    /// Waits for the next value on a plain thread, which sleeps meanwhile.
    ///
    /// # Panics
    ///
    /// Inside a task: it would stop all the tasks of the thread. Use [`recv`](Self::recv) there.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
    /// std::thread::spawn(move || sender.blocking_send(7));
    /// assert_eq!(receiver.blocking_recv(), Some(7));
    /// assert_eq!(receiver.blocking_recv(), None);
    /// ```
    pub fn blocking_recv(&mut self) -> Option<T> {
        block_thread_on("mpsc::Receiver::blocking_recv", self.recv())
    }

    /// Accepts nothing new. What was sent, or has a permit, still arrives: [`recv`](Self::recv) until `None`.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = cotask::sync::mpsc::channel(2);
    /// sender.try_send("in time").unwrap();
    /// receiver.close();
    /// assert!(sender.try_send("late").is_err());
    /// assert_eq!(receiver.try_recv(), Ok("in time"));
    /// ```
    pub fn close(&mut self) {
        locked(&self.shared, |state, after| {
            state.close(after);
            state.wake_receiver_at_end(after);
        });
    }

    /// How many values are in the queue.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = cotask::sync::mpsc::channel(2);
    /// sender.try_send(7).unwrap();
    /// assert_eq!(receiver.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.shared.lock().queue.len()
    }

    /// Whether no value is in the queue.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = cotask::sync::mpsc::channel(2);
    /// assert!(receiver.is_empty());
    /// sender.try_send(7).unwrap();
    /// assert!(!receiver.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T, B> Drop for Receiver<T, B> {
    fn drop(&mut self) {
        let unread = locked(&self.shared, |state, after| {
            state.receiver_dropped = true;
            state.close(after);
            after.discard(state.receiver.take());
            std::mem::take(&mut state.queue)
        });
        // Outside of the lock, because the destructor of a value may use the channel.
        drop(unread);
    }
}

impl<T, B> Stream for Receiver<T, B> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().poll_recv(cx)
    }
}

// There is nothing in it to pin.
impl<T, B> Unpin for Receiver<T, B> {}

impl<T, B> Traced for Receiver<T, B> {
    fn resource(&self) -> Resource {
        resource(&self.shared)
    }
}

impl<T, B> fmt::Debug for Receiver<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(&self.shared, f)
    }
}
