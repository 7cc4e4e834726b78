//! The channel with a bound: a sender waits while it is full.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;

use super::error::{SendError, TryRecvError, TrySendError};
use super::shared::{self, ReceiveSide, SendSide};
use crate::sync::block_thread_on;
use crate::sync::permits::{MAX_PERMITS, Place};
use crate::sync::wait_list::Key;
use crate::trace::{Resource, Traced};

/// Makes a channel that holds up to `capacity` values.
///
/// # Panics
///
/// If `capacity` is 0 or greater than `usize::MAX >> 3`.
///
/// ```
/// let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
/// sender.try_send('a').unwrap();
/// assert!(sender.try_send('b').is_err());
/// assert_eq!(receiver.try_recv(), Ok('a'));
/// ```
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "mpsc::channel(0): a channel needs room for at least one value");
    assert!(capacity <= MAX_PERMITS, "mpsc::channel({capacity}): more than {MAX_PERMITS} slots");
    let (send_side, receive_side) = shared::new(capacity);
    (Sender { shared: send_side }, Receiver { shared: receive_side })
}

/// The end that sends; clone it for more senders.
///
/// ```
/// use cotask::block_on;
///
/// let (sender, mut receiver) = cotask::sync::mpsc::channel(2);
/// let other = sender.clone();
/// block_on(sender.send(1)).unwrap();
/// block_on(other.send(2)).unwrap();
/// drop((sender, other));
/// let left = [block_on(receiver.recv()), block_on(receiver.recv()), block_on(receiver.recv())];
/// assert_eq!(left, [Some(1), Some(2), None]);
/// ```
#[derive(Debug)]
pub struct Sender<T> {
    shared: SendSide<T>,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender { shared: self.shared.clone() }
    }
}

impl<T> Traced for Sender<T> {
    fn resource(&self) -> Resource {
        self.shared.resource()
    }
}

impl<T> Sender<T> {
    /// Sends a value, as soon as there is room for it.
    ///
    /// # Errors
    ///
    /// Gives the value back if the receiver is closed or dropped, before or while this waits.
    ///
    /// # Cancel safety
    ///
    /// The future owns the value: dropped before it is ready, it drops the value with it, and its turn goes
    /// to the next sender. To keep the value, wait with [`reserve`](Self::reserve) and hand it over
    /// afterwards.
    ///
    /// ```
    /// # use cotask::block_on;
    /// let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
    /// assert!(block_on(sender.send("hello")).is_ok());
    /// receiver.close();
    /// assert_eq!(block_on(sender.send("late")).unwrap_err().0, "late");
    /// ```
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        SendValue { wait: Wait { sender: self, place: Place::default() }, value: Some(value) }.await
    }

    /// Sends a value if there is room for it now, and nobody waits.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] or [`TrySendError::Closed`], with the value.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.shared.try_send(value)
    }

    /// Waits for room and keeps it for a value that is sent later.
    ///
    /// # Errors
    ///
    /// If the receiver is closed or dropped.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: dropping the future gives up a place in the queue. With this, a value that must not
    /// be lost is sent from a `select`:
    ///
    /// ```
    /// # use cotask::block_on;
    /// let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
    /// block_on(async {
    ///     let permit = sender.reserve().await.unwrap(); // may be dropped at any time
    ///     permit.send("precious"); // cannot wait and cannot fail
    /// });
    /// assert_eq!(receiver.try_recv(), Ok("precious"));
    /// ```
    pub async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        let mut wait = Wait { sender: self, place: Place::default() };
        poll_fn(|cx| self.shared.poll_reserve(&mut wait.place, cx)).await?;
        Ok(Permit { shared: &self.shared })
    }

    /// Keeps room for a value if there is some now, and nobody waits.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] or [`TrySendError::Closed`].
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.shared.try_reserve()?;
        Ok(Permit { shared: &self.shared })
    }

    /// Sends a value from a plain thread, which sleeps until there is room for it.
    ///
    /// # Errors
    ///
    /// Gives the value back if the receiver is closed or dropped.
    ///
    /// # Panics
    ///
    /// Inside a task: it would stop all the tasks of the thread. Use [`send`](Self::send) there.
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        block_thread_on("mpsc::Sender::blocking_send", self.send(value))
    }

    /// Waits until the receiver is closed or dropped. Dropping the future loses nothing.
    ///
    /// ```
    /// # use futures::FutureExt;
    /// let (sender, receiver) = cotask::sync::mpsc::channel::<()>(1);
    /// assert!(sender.closed().now_or_never().is_none());
    /// drop(receiver);
    /// assert!(sender.closed().now_or_never().is_some());
    /// ```
    pub async fn closed(&self) {
        UntilClosed { shared: &self.shared, key: None }.await;
    }

    /// Whether the receiver is closed or dropped, so that every send will fail.
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// How many values could be sent now without waiting.
    pub fn capacity(&self) -> usize {
        self.shared.free()
    }

    /// How many values the channel was made for.
    pub fn max_capacity(&self) -> usize {
        self.shared.capacity()
    }
}

/// A place in the queue for a free slot, left when the future that holds it is dropped.
struct Wait<'a, T> {
    sender: &'a Sender<T>,
    place: Place,
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            self.sender.shared.leave(&mut self.place);
        }
    }
}

/// Waits for a slot and fills it, under one lock where there is room at once.
struct SendValue<'a, T> {
    wait: Wait<'a, T>,
    value: Option<T>,
}

// The value is only ever moved, never pinned.
impl<T> Unpin for SendValue<'_, T> {}

impl<T> Future for SendValue<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let SendValue { wait, value } = self.get_mut();
        wait.sender.shared.poll_send(value, &mut wait.place, cx)
    }
}

/// The future of `closed`, of both kinds of senders.
pub(super) struct UntilClosed<'a, T> {
    pub(super) shared: &'a SendSide<T>,
    pub(super) key: Option<Key>,
}

impl<T> Future for UntilClosed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.poll_closed(&mut self.key, cx)
    }
}

impl<T> Drop for UntilClosed<'_, T> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.shared.leave_closed(key);
        }
    }
}

/// Room for one value, kept until it is sent or this is dropped.
///
/// ```
/// let (sender, _receiver) = cotask::sync::mpsc::channel::<u8>(1);
/// let permit = sender.try_reserve().unwrap();
/// assert_eq!(sender.capacity(), 0);
/// drop(permit);
/// assert_eq!(sender.capacity(), 1);
/// ```
#[derive(Debug)]
#[must_use = "a permit that is dropped gives its room back"]
pub struct Permit<'a, T> {
    shared: &'a SendSide<T>,
}

impl<T> Permit<'_, T> {
    /// Sends the value: at once, and without failing. If the receiver has been dropped since, so is the
    /// value.
    pub fn send(self, value: T) {
        let shared = self.shared;
        // The permit is used up with the value, so its drop must not give it back.
        std::mem::forget(self);
        drop(shared.put(value));
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.shared.give_back();
    }
}

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
#[derive(Debug)]
pub struct Receiver<T> {
    shared: ReceiveSide<T>,
}

impl<T> Traced for Receiver<T> {
    fn resource(&self) -> Resource {
        self.shared.resource()
    }
}

impl<T> Receiver<T> {
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
        block_thread_on("mpsc::Receiver::blocking_recv", self.recv())
    }

    /// Accepts nothing new. What was sent, or has a permit, still arrives: [`recv`](Self::recv) until `None`.
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

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_recv(cx)
    }
}

/// The future of `recv`, of both kinds of receivers. Dropped while it waits, it leaves no waker behind.
pub(super) struct Receive<'a, T> {
    pub(super) shared: &'a ReceiveSide<T>,
    pub(super) waiting: bool,
}

impl<T> Future for Receive<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.waiting = true;
        let value = ready!(self.shared.poll_receive(cx));
        self.waiting = false;
        Poll::Ready(value)
    }
}

impl<T> Drop for Receive<'_, T> {
    fn drop(&mut self) {
        if self.waiting {
            self.shared.leave();
        }
    }
}
