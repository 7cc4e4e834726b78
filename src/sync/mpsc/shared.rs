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
use std::task::{Poll, Waker};

use crate::base::memory::{GiveBack, OF_ONE};
use crate::base::shim::{Arc, Mutex};
use crate::sync::critical::{Deferred, Turn, What};
use crate::sync::permits::Permits;
use crate::sync::wait_list::{Key, WaitList};
use crate::trace::{self, Resource, Want};

use super::error::TryRecvError;

/// A channel with a bound, in the types of its ends.
#[derive(Debug)]
pub enum Bounded {}

/// A channel without a bound, in the types of its ends.
#[derive(Debug)]
pub enum Unbounded {}

/// With one sender, and the receiver.
pub(super) fn new<T>(capacity: usize) -> Arc<Mutex<State<T>>> {
    Arc::new(Mutex::new(State {
        queue: VecDeque::new(),
        capacity,
        permits: Permits::new(capacity),
        senders: 1,
        receiver_dropped: false,
        receiver: None,
        until_closed: WaitList::new(),
        number: 0,
    }))
}

// ANCHOR: state
pub(super) struct State<T> {
    pub(super) queue: VecDeque<T>,
    pub(super) capacity: usize,
    /// A permit for each free slot. Closed when the receiver is closed or dropped.
    pub(super) permits: Permits,
    pub(super) senders: usize,
    pub(super) receiver_dropped: bool,
    pub(super) receiver: Option<Waker>,
    /// The tasks that wait in `Sender::closed`.
    until_closed: WaitList<()>,
    /// What traces call the channel; 0 until one speaks of it.
    number: u64,
}
// ANCHOR_END: state

impl<T> State<T> {
    /// Puts a value in the slot that the caller has a permit for. Returns it if the receiver was dropped and will
    /// never take it.
    #[inline]
    pub(super) fn put(&mut self, value: T, after: &mut Deferred) -> Result<(), T> {
        if self.receiver_dropped {
            self.permits.give(1, after);
            return Err(value);
        }
        self.queue.push_back(value);
        after.note(&mut self.number, What::Sent, self.queue.len());
        after.wake(self.receiver.take());
        Ok(())
    }

    #[inline]
    pub(super) fn poll_room(&mut self, place: &mut Option<Key>, turn: &mut Turn<'_>) -> Poll<Result<(), ()>> {
        let room = self.permits.poll_take(1, place, turn);
        if room.is_pending() {
            turn.after.note(&mut self.number, What::Lacks(Want::Room), self.queue.len());
        }
        room
    }

    /// The future that waited for a slot is dropped.
    pub(super) fn leave(&mut self, key: Key, after: &mut Deferred) {
        self.permits.leave(key, after);
        self.wake_receiver_at_end(after);
    }

    /// A permit is given up.
    pub(super) fn give_back(&mut self, after: &mut Deferred) {
        self.permits.give(1, after);
        self.wake_receiver_at_end(after);
    }

    #[inline]
    pub(super) fn receive(&mut self, after: &mut Deferred) -> Result<T, TryRecvError> {
        match self.queue.pop_front() {
            Some(value) => {
                self.queue.give_back(OF_ONE);
                self.permits.give(1, after);
                after.note(&mut self.number, What::Received, self.queue.len());
                Ok(value)
            }
            None if self.has_ended() => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    #[inline]
    pub(super) fn poll_receive(&mut self, turn: &mut Turn<'_>) -> Poll<Option<T>> {
        match self.receive(turn.after) {
            Ok(value) => Poll::Ready(Some(value)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => {
                turn.wait_in(&mut self.receiver);
                turn.after.note(&mut self.number, What::Lacks(Want::Value), 0);
                Poll::Pending
            }
        }
    }

    // ANCHOR: end
    /// With an empty queue: whether it stays empty.
    fn has_ended(&self) -> bool {
        self.senders == 0 || self.permits.is_closed() && self.permits.free() == self.capacity
    }

    /// A permit came back unused. If it was the last after a close, the receiver waits for just this.
    pub(super) fn wake_receiver_at_end(&mut self, after: &mut Deferred) {
        if self.queue.is_empty() && self.has_ended() {
            after.wake(self.receiver.take());
        }
    }

    pub(super) fn close(&mut self, after: &mut Deferred) {
        self.permits.close(after);
        while let Some((_, waker)) = self.until_closed.pop_front() {
            after.wake(waker);
        }
    }
    // ANCHOR_END: end

    pub(super) fn poll_closed(&mut self, place: &mut Option<Key>, turn: &mut Turn<'_>) -> Poll<()> {
        if self.permits.is_closed() {
            if let Some(key) = place.take() {
                self.leave_closed(key, turn.after);
            }
            return Poll::Ready(());
        }
        let key = place.get_or_insert_with(|| self.until_closed.push(()));
        turn.wait_in(self.until_closed.waker(key));
        Poll::Pending
    }

    pub(super) fn leave_closed(&mut self, key: Key, after: &mut Deferred) {
        let ((), waker) = self.until_closed.remove(key);
        after.discard(waker);
    }
}

pub(super) fn resource<T>(shared: &Mutex<State<T>>) -> Resource {
    let mut state = shared.lock();
    if state.number == 0 {
        state.number = trace::number();
    }
    Resource::Channel(state.number)
}

/// Counts only: to print the values would run their code under the lock.
pub(super) fn debug<T>(shared: &Mutex<State<T>>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
