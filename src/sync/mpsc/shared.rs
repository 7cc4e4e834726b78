//! The state that the two ends of a channel share: the queue, and permits for its free slots.
//!
//! Every operation is one short critical section over all of it. What must hold between two of them:
//!
//! - `capacity` = free permits + queued values + permits handed out (granted waiters and
//!   [`Permit`](super::Permit)s);
//! - the receiver gets `None` only when the queue is empty and no value can come any more: no sender is
//!   left, or the receiver closed the channel and every permit has come back.
//!
//! An unbounded channel is one with more slots than there can be values.

use std::collections::VecDeque;
use std::fmt;
use std::task::{Context, Poll, Waker};

use super::error::{SendError, TryRecvError, TrySendError};
use crate::loom::{Arc, Mutex};
use crate::sync::critical::{After, Turn, What, locked, poll_locked};
use crate::sync::permits::{Permits, Place, Refused};
use crate::sync::wait_list::{Key, WaitList};
use crate::trace::{self, Resource, Traced, Want};

pub(super) struct State<T> {
    queue: VecDeque<T>,
    capacity: usize,
    /// A permit for each free slot. Closed when the receiver is closed or dropped.
    permits: Permits,
    senders: usize,
    receiver_dropped: bool,
    receiver: Option<Waker>,
    /// Who waits in `Sender::closed`.
    until_closed: WaitList<()>,
    /// What traces call the channel; 0 until one speaks of it.
    number: u64,
}

impl<T> State<T> {
    /// Puts a value in the slot that the caller has a permit for. Gives it back if nobody will ever receive
    /// it.
    fn put(&mut self, value: T, after: &mut After) -> Result<(), T> {
        if self.receiver_dropped {
            self.permits.give(1, after);
            return Err(value);
        }
        self.queue.push_back(value);
        after.note(&mut self.number, What::Sent, self.queue.len());
        after.wake(self.receiver.take());
        Ok(())
    }

    fn poll_room(&mut self, place: &mut Place, turn: &mut Turn<'_>) -> Poll<Result<(), ()>> {
        let room = self.permits.poll_take(1, place, turn);
        if room.is_pending() {
            turn.after.note(&mut self.number, What::Lacks(Want::Room), self.queue.len());
        }
        room
    }

    fn receive(&mut self, after: &mut After) -> Result<T, TryRecvError> {
        match self.queue.pop_front() {
            Some(value) => {
                self.permits.give(1, after);
                after.note(&mut self.number, What::Received, self.queue.len());
                Ok(value)
            }
            None if self.has_ended() => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// With an empty queue: whether it stays empty.
    fn has_ended(&self) -> bool {
        self.senders == 0 || self.permits.is_closed() && self.permits.free() == self.capacity
    }

    /// A permit came back unused. If it was the last after a close, the receiver waits for just this.
    fn wake_receiver_at_end(&mut self, after: &mut After) {
        if self.queue.is_empty() && self.has_ended() {
            after.wake(self.receiver.take());
        }
    }

    fn close(&mut self, after: &mut After) {
        self.permits.close(after);
        while let Some((_, waker)) = self.until_closed.pop_front() {
            after.wake(waker);
        }
    }
}

/// The sending side's handle: counts itself among the senders.
pub(super) struct SendSide<T>(Arc<Mutex<State<T>>>);

/// The receiving side's handle. There is one.
pub(super) struct ReceiveSide<T>(Arc<Mutex<State<T>>>);

pub(super) fn new<T>(capacity: usize) -> (SendSide<T>, ReceiveSide<T>) {
    let shared = Arc::new(Mutex::new(State {
        queue: VecDeque::new(),
        capacity,
        permits: Permits::new(capacity),
        senders: 1,
        receiver_dropped: false,
        receiver: None,
        until_closed: WaitList::new(),
        number: 0,
    }));
    (SendSide(shared.clone()), ReceiveSide(shared))
}

impl<T> SendSide<T> {
    pub(super) fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        locked(&self.0, |state, after| match state.permits.try_take(1) {
            Ok(()) => state.put(value, after).map_err(TrySendError::Closed),
            Err(Refused::Busy) => Err(TrySendError::Full(value)),
            Err(Refused::Closed) => Err(TrySendError::Closed(value)),
        })
    }

    /// Sends what is in `value`; panics only if polled again after it was ready.
    pub(super) fn poll_send(
        &self,
        value: &mut Option<T>,
        place: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        poll_locked(&self.0, cx, |state, turn| {
            state.poll_room(place, turn).map(|taken| {
                let value = value.take().expect("`send` polled after it was ready");
                match taken {
                    Ok(()) => state.put(value, turn.after).map_err(SendError),
                    Err(()) => Err(SendError(value)),
                }
            })
        })
    }

    pub(super) fn try_reserve(&self) -> Result<(), TrySendError<()>> {
        locked(&self.0, |state, _| state.permits.try_take(1)).map_err(|refused| match refused {
            Refused::Busy => TrySendError::Full(()),
            Refused::Closed => TrySendError::Closed(()),
        })
    }

    pub(super) fn poll_reserve(
        &self,
        place: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<()>>> {
        poll_locked(&self.0, cx, |state, turn| state.poll_room(place, turn).map_err(|()| SendError(())))
    }

    /// The future that waited in `place` for a slot is dropped.
    pub(super) fn leave(&self, place: &mut Place) {
        locked(&self.0, |state, after| {
            state.permits.leave(place, after);
            state.wake_receiver_at_end(after);
        });
    }

    /// Uses a permit.
    pub(super) fn put(&self, value: T) -> Result<(), T> {
        locked(&self.0, |state, after| state.put(value, after))
    }

    /// Gives a permit back.
    pub(super) fn give_back(&self) {
        locked(&self.0, |state, after| {
            state.permits.give(1, after);
            state.wake_receiver_at_end(after);
        });
    }

    pub(super) fn poll_closed(&self, place: &mut Option<Key>, cx: &mut Context<'_>) -> Poll<()> {
        poll_locked(&self.0, cx, |state, turn| {
            if state.permits.is_closed() {
                if let Some(key) = place.take() {
                    let ((), waker) = state.until_closed.remove(key);
                    turn.after.discard(waker);
                }
                return Poll::Ready(());
            }
            let key = place.get_or_insert_with(|| state.until_closed.push(()));
            turn.wait_in(state.until_closed.waker(key));
            Poll::Pending
        })
    }

    pub(super) fn leave_closed(&self, key: Key) {
        locked(&self.0, |state, after| {
            let ((), waker) = state.until_closed.remove(key);
            after.discard(waker);
        });
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.lock().permits.is_closed()
    }

    pub(super) fn free(&self) -> usize {
        self.0.lock().permits.free()
    }

    pub(super) fn capacity(&self) -> usize {
        self.0.lock().capacity
    }
}

impl<T> Traced for SendSide<T> {
    fn resource(&self) -> Resource {
        resource(&self.0)
    }
}

impl<T> Traced for ReceiveSide<T> {
    fn resource(&self) -> Resource {
        resource(&self.0)
    }
}

fn resource<T>(shared: &Mutex<State<T>>) -> Resource {
    let mut state = shared.lock();
    if state.number == 0 {
        state.number = trace::number();
    }
    Resource::Channel(state.number)
}

impl<T> Clone for SendSide<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        SendSide(self.0.clone())
    }
}

impl<T> Drop for SendSide<T> {
    fn drop(&mut self) {
        locked(&self.0, |state, after| {
            state.senders -= 1;
            if state.senders == 0 {
                after.wake(state.receiver.take());
            }
        });
    }
}

impl<T> ReceiveSide<T> {
    pub(super) fn try_receive(&self) -> Result<T, TryRecvError> {
        locked(&self.0, |state, after| state.receive(after))
    }

    pub(super) fn poll_receive(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        poll_locked(&self.0, cx, |state, turn| match state.receive(turn.after) {
            Ok(value) => Poll::Ready(Some(value)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => {
                turn.wait_in(&mut state.receiver);
                turn.after.note(&mut state.number, What::Lacks(Want::Value), 0);
                Poll::Pending
            }
        })
    }

    /// A receive that waited is dropped.
    pub(super) fn leave(&self) {
        locked(&self.0, |state, after| after.discard(state.receiver.take()));
    }

    pub(super) fn close(&self) {
        locked(&self.0, |state, after| {
            state.close(after);
            state.wake_receiver_at_end(after);
        });
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().queue.len()
    }
}

impl<T> Drop for ReceiveSide<T> {
    fn drop(&mut self) {
        let unread = locked(&self.0, |state, after| {
            state.receiver_dropped = true;
            state.close(after);
            after.discard(state.receiver.take());
            std::mem::take(&mut state.queue)
        });
        // Outside of the lock, because the destructor of a value may use the channel.
        drop(unread);
    }
}

impl<T> fmt::Debug for SendSide<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(&self.0, f)
    }
}

impl<T> fmt::Debug for ReceiveSide<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(&self.0, f)
    }
}

/// Counts only: to print the values would run their code under the lock.
fn debug<T>(shared: &Mutex<State<T>>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let state = shared.lock();
    let (queued, free, senders) = (state.queue.len(), state.permits.free(), state.senders);
    let closed = state.permits.is_closed();
    drop(state);
    f.debug_struct("Channel")
        .field("queued", &queued)
        .field("free", &free)
        .field("senders", &senders)
        .field("closed", &closed)
        .finish()
}
