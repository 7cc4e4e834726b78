//! Counted permits and the queue of their waiters: the logic of [`Semaphore`](super::Semaphore),
//! [`Mutex`](super::Mutex) and the bounded channel's free slots, without the lock around it.
//!
//! Invariant: while the queue has a waiter, fewer permits are free than the first in the queue wants. A
//! late-comer that finds a queue therefore waits, even if enough permits for it are free; otherwise a waiter
//! that wants many might starve.
//!
//! ```text
//!               poll_take: no permit           give, and first in the queue
//!  (no place) ───────────────────────► queued ─────────────────────────────► granted
//!      ▲                                 │  close                               │
//!      │        poll_take: closed        ▼                                      │
//!      ├────────────────────────────── turned away                              │
//!      │        poll_take: the permits are the caller's                         │
//!      └────────────────────────────────────────────────────────────────────────┘
//! ```
//! From each state `leave` (the future is dropped) goes back to "no place" too; from `granted` it passes the
//! permits to the next in the queue.

use std::task::Poll;

use super::critical::{Deferred, Turn};
use super::wait_list::{Key, WaitList};

/// More permits than this are an error of the caller's, far from an overflow of ours.
pub(super) const MAX_PERMITS: usize = usize::MAX >> 3;

/// Why there was no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Closed,
    Busy,
}

#[derive(Debug)]
struct Request {
    wanted: usize,
    granted: bool,
}

/// Some permits, and their waiters.
#[derive(Debug)]
pub(super) struct Permits {
    free: usize,
    closed: bool,
    queue: WaitList<Request>,
}

impl Permits {
    pub(super) const fn new(free: usize) -> Self {
        Permits { free, closed: false, queue: WaitList::new() }
    }

    pub(super) fn free(&self) -> usize {
        self.free
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes `wanted` permits now, or not at all.
    pub(super) fn try_take(&mut self, wanted: usize) -> Result<(), Refused> {
        if self.closed {
            return Err(Refused::Closed);
        }
        if self.free < wanted || !self.queue.is_empty() {
            return Err(Refused::Busy);
        }
        self.free -= wanted;
        Ok(())
    }

    // ANCHOR: take
    /// Takes `wanted` permits, in the order of asking. `Err(())` once closed.
    pub(super) fn poll_take(
        &mut self,
        wanted: usize,
        place: &mut Option<Key>,
        turn: &mut Turn<'_>,
    ) -> Poll<Result<(), ()>> {
        let key = match place.take() {
            Some(key) => key,
            None => match self.try_take(wanted) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(Refused::Closed) => return Poll::Ready(Err(())),
                Err(Refused::Busy) => self.queue.push(Request { wanted, granted: false }),
            },
        };
        let granted = self.queue.get(&key).granted;
        if granted || self.closed {
            let (_, waker) = self.queue.remove(key);
            turn.after.discard(waker);
            return Poll::Ready(if granted { Ok(()) } else { Err(()) });
        }
        turn.wait_in(self.queue.waker(&key));
        *place = Some(key);
        Poll::Pending
    }
    // ANCHOR_END: take

    // ANCHOR: leave
    /// The future that waited at `key` is dropped: what it had been granted goes to the next.
    pub(super) fn leave(&mut self, key: Key, after: &mut Deferred) {
        let (request, waker) = self.queue.remove(key);
        after.discard(waker);
        // Without a grant too: if this was the first in the queue, the second may want less.
        self.give(if request.granted { request.wanted } else { 0 }, after);
    }

    /// Adds permits, and grants them to as many from the front of the queue as they suffice for.
    pub(super) fn give(&mut self, permits: usize, after: &mut Deferred) {
        self.free += permits;
        while self.queue.front().is_some_and(|first| first.wanted <= self.free) {
            let Some((first, waker)) = self.queue.pop_front() else { return };
            first.granted = true;
            self.free -= first.wanted;
            after.wake(waker);
        }
    }
    // ANCHOR_END: leave

    /// Turns everybody away who waits or will ask. What was granted stays granted.
    pub(super) fn close(&mut self, after: &mut Deferred) {
        self.closed = true;
        while let Some((_, waker)) = self.queue.pop_front() {
            after.wake(waker);
        }
    }
}
