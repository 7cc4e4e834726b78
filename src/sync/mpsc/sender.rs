//! The end that sends.

use std::fmt;
use std::marker::PhantomData;

use crate::base::shim::{Arc, Mutex};
use crate::sync::block_thread_on;
use crate::sync::critical::{Turn, locked, wait};
use crate::sync::permits::Refused;
use crate::trace::{Resource, Traced};

use super::error::{SendError, TrySendError};
use super::shared::{Bounded, State, Unbounded, debug, resource};

/// The end that sends; clone it for more senders. `B` says whether it is [`Bounded`], and so may have to wait.
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
pub struct Sender<T, B = Bounded> {
    shared: Arc<Mutex<State<T>>>,
    bound: PhantomData<B>,
}

/// The end that sends to a channel without a bound; clone it for more senders.
///
/// ```
/// let (sender, receiver) = cotask::sync::mpsc::unbounded_channel();
/// drop(receiver);
/// assert_eq!(sender.send(7).unwrap_err().0, 7);
/// ```
pub type UnboundedSender<T> = Sender<T, Unbounded>;

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
        let mut value = Some(value);
        // Waits for a slot and fills it, under one lock where there is room at once.
        let put = move |state: &mut State<T>, place: &mut _, turn: &mut Turn<'_>| {
            state.poll_room(place, turn).map(|taken| {
                let value = value.take().expect("a value is sent once");
                match taken {
                    Ok(()) => state.put(value, turn.after).map_err(SendError),
                    Err(()) => Err(SendError(value)),
                }
            })
        };
        wait(&self.shared, put, State::leave).await
    }

    /// Sends a value if there is room for it now and no sender waits.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] or [`TrySendError::Closed`], with the value.
    ///
    /// # Examples
    /// ```
    /// use cotask::sync::mpsc::{self, error::TrySendError};
    ///
    /// let (sender, receiver) = mpsc::channel(1);
    /// assert!(sender.try_send(1).is_ok());
    /// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    /// drop(receiver);
    /// assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
    /// ```
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.send_now(value)
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
        wait(&self.shared, State::poll_room, State::leave).await.map_err(|()| SendError(()))?;
        Ok(Permit { shared: &self.shared })
    }

    /// Keeps room for a value if there is some now and no sender waits.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] or [`TrySendError::Closed`].
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
    /// let permit = sender.try_reserve().unwrap();
    /// assert!(sender.try_reserve().is_err());
    /// permit.send(7);
    /// assert_eq!(receiver.try_recv(), Ok(7));
    /// ```
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        let taken = locked(&self.shared, |state, _| state.permits.try_take(1));
        taken.map_err(|refused| match refused {
            Refused::Busy => TrySendError::Full(()),
            Refused::Closed => TrySendError::Closed(()),
        })?;
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
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
    /// let thread = std::thread::spawn(move || (1..=3).try_for_each(|i| sender.blocking_send(i)));
    /// let received: Vec<i32> = std::iter::from_fn(|| receiver.blocking_recv()).collect();
    /// assert_eq!(received, [1, 2, 3]);
    /// assert!(thread.join().unwrap().is_ok());
    /// ```
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        block_thread_on("mpsc::Sender::blocking_send", self.send(value))
    }

    /// How many values could be sent now without waiting.
    ///
    /// # Examples
    /// ```
    /// let (sender, _receiver) = cotask::sync::mpsc::channel(2);
    /// sender.try_send(7).unwrap();
    /// assert_eq!(sender.capacity(), 1);
    /// ```
    pub fn capacity(&self) -> usize {
        self.shared.lock().permits.free()
    }

    /// How many values the channel was made for.
    ///
    /// # Examples
    /// ```
    /// let (sender, _receiver) = cotask::sync::mpsc::channel(2);
    /// sender.try_send(7).unwrap();
    /// assert_eq!(sender.max_capacity(), 2);
    /// ```
    pub fn max_capacity(&self) -> usize {
        self.shared.lock().capacity
    }
}

impl<T> UnboundedSender<T> {
    /// Sends a value, without waiting.
    ///
    /// # Errors
    ///
    /// Gives the value back if the receiver is closed or dropped.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
    /// (0..1_000).for_each(|i| sender.send(i).unwrap());
    /// assert_eq!((receiver.len(), receiver.try_recv()), (1_000, Ok(0)));
    /// ```
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_now(value).map_err(|error| SendError(error.into_inner()))
    }
}

impl<T, B> Sender<T, B> {
    pub(super) fn new(shared: Arc<Mutex<State<T>>>) -> Self {
        Sender { shared, bound: PhantomData }
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
        wait(&self.shared, State::poll_closed, State::leave_closed).await;
    }

    /// Whether the receiver is closed or dropped, so that every send will fail.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = cotask::sync::mpsc::channel::<u8>(1);
    /// receiver.close();
    /// assert!(sender.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.shared.lock().permits.is_closed()
    }

    fn send_now(&self, value: T) -> Result<(), TrySendError<T>> {
        locked(&self.shared, |state, after| match state.permits.try_take(1) {
            Ok(()) => state.put(value, after).map_err(TrySendError::Closed),
            Err(Refused::Busy) => Err(TrySendError::Full(value)),
            Err(Refused::Closed) => Err(TrySendError::Closed(value)),
        })
    }
}

impl<T, B> Clone for Sender<T, B> {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Sender::new(self.shared.clone())
    }
}

impl<T, B> Drop for Sender<T, B> {
    fn drop(&mut self) {
        locked(&self.shared, |state, after| {
            state.senders -= 1;
            if state.senders == 0 {
                after.wake(state.receiver.take());
            }
        });
    }
}

impl<T, B> Traced for Sender<T, B> {
    fn resource(&self) -> Resource {
        resource(&self.shared)
    }
}

impl<T, B> fmt::Debug for Sender<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(&self.shared, f)
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
#[must_use = "a permit that is dropped returns its room"]
pub struct Permit<'a, T> {
    shared: &'a Mutex<State<T>>,
}

impl<T> Permit<'_, T> {
    /// Sends the value: at once, and without failing. If the receiver has been dropped since, so is the
    /// value.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
    /// sender.try_reserve().unwrap().send(7);
    /// assert_eq!(receiver.try_recv(), Ok(7));
    /// ```
    pub fn send(self, value: T) {
        let shared = self.shared;
        // The permit is used up with the value, so its drop must not return the room.
        std::mem::forget(self);
        drop(locked(shared, |state, after| state.put(value, after)));
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        locked(self.shared, State::give_back);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(self.shared, f)
    }
}
