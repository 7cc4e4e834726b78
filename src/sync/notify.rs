//! "Look again": a wake-up without a value.
//!
//! The state is kept elsewhere (in a cell, a queue, an atomic), and a task that finds nothing to do there
//! waits here until it is notified of a change. The danger of every such scheme is the moment *between check
//! and wait*: if the change happens just then, the wake-up finds no waiter. [`Notify`] prevents the loss in
//! two ways:
//!
//! - [`notify_one`](Notify::notify_one) without a waiter stores a permit, which the next waiter takes at
//!   once;
//! - [`notified`](Notify::notified) counts as a waiter for [`notify_waiters`](Notify::notify_waiters) from the
//!   moment it was *made*, and [`enable`](Notified::enable) does the same for `notify_one`. So: make it,
//!   enable it, check, and only then await it.
//!
//! ```text
//!                          notify_one, and first in the queue
//!  made ───────► queued ────────────────────────────────────────► told: one ──┐
//!   │ poll or      │       notify_waiters                                     │ poll
//!   │ enable       └────────────────────────────────────────────► told: all ──┤
//!   │                                                                         ▼
//!   └───────────────────────────────────────────────────────────────────────► done
//!     poll or enable, and a permit is stored or notify_waiters was called since
//! ```
//! A future that is dropped as "told: one" passes that on, to the next in the queue or as the permit.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::base::shim::Mutex;

use super::critical::{Deferred, locked, poll_locked};
use super::wait_list::{Key, WaitList};

// ANCHOR: state
/// Which notification a waiter in the list has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// A wake-up for one: if the waiter does not use it, it is passed on.
    One,
    All,
}

#[derive(Debug)]
struct State {
    /// A `notify_one` that found no waiter. At most one.
    permit: bool,
    /// How often `notify_waiters` was called.
    rounds: u64,
    waiters: WaitList<Told>,
}

impl State {
    fn notify_one(&mut self, after: &mut Deferred) {
        match self.waiters.pop_front() {
            Some((told, waker)) => {
                *told = Told::One;
                after.wake(waker);
            }
            None => self.permit = true,
        }
    }
}
// ANCHOR_END: state

/// Wakes one waiting task, or all.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use cotask::sync::Notify;
/// # use cotask::block_on;
///
/// let (ready, changed) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
/// let (their_ready, their_changed) = (ready.clone(), changed.clone());
/// std::thread::spawn(move || {
///     their_ready.store(true, Ordering::Release);
///     their_changed.notify_one();
/// });
/// block_on(async {
///     while !ready.load(Ordering::Acquire) {
///         changed.notified().await;
///     }
/// });
/// ```
pub struct Notify {
    state: Mutex<State>,
}

impl Notify {
    /// Without a stored permit.
    ///
    /// # Examples
    /// ```
    /// # use futures::FutureExt;
    /// let notify = cotask::sync::Notify::new();
    /// assert!(notify.notified().now_or_never().is_none());
    /// ```
    pub fn new() -> Self {
        Notify { state: Mutex::new(State { permit: false, rounds: 0, waiters: WaitList::new() }) }
    }

    /// Wakes the task that has waited longest. Without a waiter, the next to wait goes on at once;
    /// several calls before that count as one.
    ///
    /// ```
    /// # use futures::FutureExt;
    /// let notify = cotask::sync::Notify::new();
    /// notify.notify_one();
    /// notify.notify_one();
    /// assert!(notify.notified().now_or_never().is_some());
    /// assert!(notify.notified().now_or_never().is_none());
    /// ```
    pub fn notify_one(&self) {
        locked(&self.state, State::notify_one);
    }

    /// Wakes each [`Notified`] that exists now, polled or not. Nothing is stored for later ones, and a
    /// permit that is stored stays.
    ///
    /// ```
    /// # use futures::FutureExt;
    /// let notify = cotask::sync::Notify::new();
    /// let before = notify.notified();
    /// notify.notify_waiters();
    /// assert!(before.now_or_never().is_some());
    /// assert!(notify.notified().now_or_never().is_none());
    /// ```
    pub fn notify_waiters(&self) {
        locked(&self.state, |state, after| {
            state.rounds += 1;
            while let Some((told, waker)) = state.waiters.pop_front() {
                *told = Told::All;
                after.wake(waker);
            }
        });
    }

    /// Waits to be notified. Counts for [`notify_waiters`](Self::notify_waiters) from this call on, for
    /// [`notify_one`](Self::notify_one) from its first poll, or from [`enable`](Notified::enable).
    ///
    /// # Cancel safety
    ///
    /// No wake-up is lost: a future that was notified by `notify_one` and is dropped before it learns so
    /// passes it to the next.
    ///
    /// # Examples
    /// ```
    /// # use futures::FutureExt;
    /// let notify = cotask::sync::Notify::new();
    /// let notified = notify.notified();
    /// notify.notify_one();
    /// assert!(notified.now_or_never().is_some());
    /// ```
    pub fn notified(&self) -> Notified<'_> {
        Notified { notify: self, stage: Stage::Made { rounds: self.state.lock().rounds } }
    }
}

impl Default for Notify {
    fn default() -> Self {
        Notify::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permit = self.state.lock().permit;
        f.debug_struct("Notify").field("permit", &permit).finish_non_exhaustive()
    }
}

// ANCHOR: advance
#[derive(Debug)]
enum Stage {
    /// Not in the list; `rounds` is what [`State::rounds`] was.
    Made {
        rounds: u64,
    },
    /// In the list, queued or told.
    Listed(Key),
    Done,
}

impl Stage {
    /// Goes as far as it can without waiting. Returns whether it is through.
    fn advance(&mut self, state: &mut State, after: &mut Deferred) -> bool {
        *self = match std::mem::replace(self, Stage::Done) {
            Stage::Made { rounds } if rounds != state.rounds => Stage::Done,
            Stage::Made { .. } if std::mem::take(&mut state.permit) => Stage::Done,
            Stage::Made { .. } => Stage::Listed(state.waiters.push(Told::Nothing)),
            Stage::Listed(key) if *state.waiters.get(&key) == Told::Nothing => Stage::Listed(key),
            Stage::Listed(key) => {
                let (_, waker) = state.waiters.remove(key);
                after.discard(waker);
                Stage::Done
            }
            Stage::Done => Stage::Done,
        };
        matches!(self, Stage::Done)
    }
}
// ANCHOR_END: advance

/// The future of [`Notify::notified`].
#[derive(Debug)]
#[must_use = "futures do nothing until they are awaited"]
pub struct Notified<'a> {
    notify: &'a Notify,
    stage: Stage,
}

impl Notified<'_> {
    /// Joins the queue without waiting, so that a [`notify_one`](Notify::notify_one) between this and the
    /// await is not missed. Returns whether it was notified already; then it is ready.
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use futures::FutureExt;
    /// let notify = cotask::sync::Notify::new();
    /// let mut notified = pin!(notify.notified());
    /// notified.as_mut().enable();
    /// // Check here whether there is something to do. If it comes just now:
    /// notify.notify_one();
    /// assert!(notified.now_or_never().is_some());
    /// ```
    pub fn enable(mut self: Pin<&mut Self>) -> bool {
        let Notified { notify, stage } = &mut *self;
        locked(&notify.state, |state, after| stage.advance(state, after))
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Notified { notify, stage } = &mut *self;
        poll_locked(&notify.state, cx, |state, turn| {
            if stage.advance(state, turn.after) {
                return Poll::Ready(());
            }
            if let Stage::Listed(key) = stage {
                turn.wait_in(state.waiters.waker(key));
            }
            Poll::Pending
        })
    }
}

// ANCHOR: drop
impl Drop for Notified<'_> {
    fn drop(&mut self) {
        if let Stage::Listed(key) = std::mem::replace(&mut self.stage, Stage::Done) {
            locked(&self.notify.state, |state, after| {
                let (told, waker) = state.waiters.remove(key);
                after.discard(waker);
                if told == Told::One {
                    state.notify_one(after);
                }
            });
        }
    }
}
// ANCHOR_END: drop
