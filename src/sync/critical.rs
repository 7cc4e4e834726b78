//! Critical sections that run no foreign code.
//!
//! A waker belongs to the executor that made it: its `wake`, `clone` and `drop` are calls into code that may
//! do anything, even lock the same channel or panic. Under our lock that would be a deadlock or a torn
//! state. So every operation of `sync` that meets a waker goes through this module, which splits it in two:
//! a short section under the lock, which only moves data about, and a [`Deferred`], the list of foreign calls
//! that the section leaves to be made once the lock is free.
//!
//! Waiting needs a *clone* of the waker, which is foreign code as well. [`poll_locked`] clones before it takes
//! the lock, even for a poll that then need not wait. The alternative, to look first and clone only if needed,
//! takes the lock twice and must look again the second time: what was missing may have come in between, and a
//! waker stored after that would never be woken. We tried it, and it was no faster: a clone here copies a key,
//! and a lock costs more.

use std::any::type_name;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::thread::panicking;

use crate::base::budget;
use crate::base::panics::catch_and_discard_panic;
use crate::base::shim::Mutex;
use crate::trace::{self, Event, Resource, Want};

/// The foreign calls that a critical section leaves for afterwards. The usual one or two need no allocation.
#[derive(Default)]
pub(super) struct Deferred {
    wake: Option<Waker>,
    discard: Option<Waker>,
    more: Vec<Call>,
}

/// An event of a channel for the recorder, whose subscribers are foreign code too.
struct Note {
    channel: Resource,
    what: What,
    queued: usize,
}

/// What happened to a channel.
#[derive(Clone, Copy)]
pub(super) enum What {
    Sent,
    Received,
    /// Nothing yet, because what is wanted is not there.
    Lacks(Want),
}

enum Call {
    Note(Note),
    Wake(Waker),
    Discard(Waker),
}

// `inline`: the channels are generic and so compiled in their user's crate, from where a call to a function
// of this one is not inlined without being told.
impl Deferred {
    /// Leaves this event of a channel for the recorder, if there is one. `number` is the channel's, and 0 until
    /// the first event.
    #[inline]
    pub(super) fn note(&mut self, number: &mut u64, what: What, queued: usize) {
        if trace::is_on() {
            self.add_note(number, what, queued);
        }
    }

    #[cold]
    fn add_note(&mut self, number: &mut u64, what: What, queued: usize) {
        if *number == 0 {
            *number = trace::number();
        }
        let note = Note { channel: Resource::Channel(*number), what, queued };
        self.more.push(Call::Note(note));
    }

    /// This waker is to be woken.
    #[inline]
    pub(super) fn wake(&mut self, waker: Option<Waker>) {
        if self.wake.is_none() {
            self.wake = waker;
        } else {
            self.more.extend(waker.map(Call::Wake));
        }
    }

    /// This waker is to be dropped.
    #[inline]
    pub(super) fn discard(&mut self, waker: Option<Waker>) {
        if self.discard.is_none() {
            self.discard = waker;
        } else {
            self.more.extend(waker.map(Call::Discard));
        }
    }

    /// Makes these calls.
    #[inline(always)]
    fn run(mut self) {
        let wake = self.wake.take();
        if self.discard.is_some() || !self.more.is_empty() {
            return self.run_many(wake);
        }
        // It is empty, which its drop would find out once more, at each operation.
        mem::forget(self);
        if let Some(waker) = wake {
            one_panic_at_a_time(|| waker.wake());
        }
    }

    /// A call that panics does not cost the others theirs; the first panic goes on.
    #[cold]
    fn run_many(mut self, wake: Option<Waker>) {
        let is_note = |call: &Call| matches!(call, Call::Note(_));
        let (notes, more): (Vec<_>, Vec<_>) = self.more.drain(..).partition(is_note);
        let wake = wake.map(Call::Wake);
        let discard = self.discard.take().map(Call::Discard);
        let make = |call| match call {
            Call::Note(note) => note.record(),
            Call::Wake(waker) => waker.wake(),
            Call::Discard(waker) => drop(waker),
        };
        let mut first = None;
        // Records what happened before it wakes the tasks that wait for it.
        for call in notes.into_iter().chain(wake).chain(more).chain(discard) {
            match catch_unwind(AssertUnwindSafe(|| make(call))) {
                Err(panic) if first.is_none() => first = Some(panic),
                // The payload's drop may panic as well.
                outcome => catch_and_discard_panic(|| drop(outcome)),
            }
        }
        if let Some(panic) = first {
            one_panic_at_a_time(|| resume_unwind(panic));
        }
    }
}

/// Runs foreign code. A panic goes on to the caller, unless another one unwinds already, for instance because a task that
/// holds a guard has panicked: a second one would end the process.
#[inline]
fn one_panic_at_a_time(code: impl FnOnce()) {
    if panicking() { catch_and_discard_panic(code) } else { code() }
}

impl Note {
    fn record(self) {
        let Note { channel, what, queued } = self;
        trace::here(|recorder| {
            let by = recorder.actor();
            match what {
                What::Sent => recorder.push(Event::Sent { channel, by, queued }),
                What::Received => recorder.push(Event::Received { channel, by, queued }),
                What::Lacks(want) => recorder.waits(channel, want),
            }
        });
    }
}

// ANCHOR: locked
/// Runs `section` under the lock, and what it leaves in its [`Deferred`] when the lock is free again.
#[inline]
#[cfg_attr(cotask_loom, track_caller)]
pub(super) fn locked<S, R>(lock: &Mutex<S>, section: impl FnOnce(&mut S, &mut Deferred) -> R) -> R {
    let mut after = Deferred::default();
    let result = section(&mut lock.lock(), &mut after);
    after.run();
    result
}
// ANCHOR_END: locked

/// One poll's turn under the lock: the [`Deferred`], and a clone of the polling task's waker.
pub(super) struct Turn<'a> {
    pub(super) after: &'a mut Deferred,
    waker: Option<Waker>,
}

impl Turn<'_> {
    /// Leaves the waker in `slot`, in place of an earlier one: the last one registered is the one that is
    /// woken.
    #[inline]
    pub(super) fn wait_in(&mut self, slot: &mut Option<Waker>) {
        let replaced = std::mem::replace(slot, self.waker.take());
        self.after.discard(replaced);
    }
}

/// Polls under the lock, and charges the cooperative budget for what becomes ready.
///
/// `look` must call [`Turn::wait_in`] before it returns `Pending`.
#[inline]
#[cfg_attr(cotask_loom, track_caller)]
pub(super) fn poll_locked<S, R>(
    lock: &Mutex<S>,
    cx: &mut Context<'_>,
    look: impl FnOnce(&mut S, &mut Turn<'_>) -> Poll<R>,
) -> Poll<R> {
    ready!(budget::poll_proceed(cx));
    // In place, and lent from here: moving these few words to and fro showed in the profile.
    let mut after = Deferred::default();
    let mut turn = Turn { waker: Some(cx.waker().clone()), after: &mut after };
    let outcome = look(&mut lock.lock(), &mut turn);
    if outcome.is_pending() {
        budget::refund();
        trace::here(|recorder| recorder.waits_in(type_name::<S>()));
    }
    after.run();
    outcome
}

/// A future that waits in a queue of what `lock` guards, and leaves it when it is dropped.
struct Waiting<'a, S, P, L, G: Fn(&mut S, P, &mut Deferred)> {
    lock: &'a Mutex<S>,
    place: Option<P>,
    look: L,
    leave: G,
}

/// Polls `look` as [`poll_locked`] does. `look` may keep a place from one poll to the next; `leave` gives that
/// place up if the future is dropped.
#[inline]
pub(super) fn wait<S, P, R>(
    lock: &Mutex<S>,
    look: impl FnMut(&mut S, &mut Option<P>, &mut Turn<'_>) -> Poll<R>,
    leave: impl Fn(&mut S, P, &mut Deferred),
) -> impl Future<Output = R> {
    Waiting { lock, place: None, look, leave }
}

// Nothing in it is ever pinned.
impl<S, P, L, G: Fn(&mut S, P, &mut Deferred)> Unpin for Waiting<'_, S, P, L, G> {}

impl<S, P, R, L, G> Future for Waiting<'_, S, P, L, G>
where
    L: FnMut(&mut S, &mut Option<P>, &mut Turn<'_>) -> Poll<R>,
    G: Fn(&mut S, P, &mut Deferred),
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let Waiting { lock, place, look, .. } = self.get_mut();
        poll_locked(lock, cx, |state, turn| look(state, place, turn))
    }
}

impl<S, P, L, G: Fn(&mut S, P, &mut Deferred)> Drop for Waiting<'_, S, P, L, G> {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            locked(self.lock, |state, after| (self.leave)(state, place, after));
        }
    }
}

#[cfg(all(test, not(cotask_loom)))]
mod tests {
    use futures_test::task::new_count_waker;

    use std::task::{Context, Poll};

    use crate::base::budget::{OPERATIONS, lift, refill, spent};
    use crate::sync::mpsc;

    #[test]
    fn an_operation_that_has_to_wait_costs_nothing() {
        let (waker, count) = new_count_waker();
        let mut cx = Context::from_waker(&waker);
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let outside = lift();
        refill();
        for _ in 0..2 * OPERATIONS {
            assert!(receiver.poll_recv(&mut cx).is_pending());
        }
        assert_eq!(count.get(), 0);
        for i in 0..=OPERATIONS {
            sender.send(i).unwrap();
        }
        assert_eq!(count.get(), 1);
        for i in 0..OPERATIONS {
            assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(Some(i)));
        }
        // The budget is used up: give way, and come back.
        assert!(receiver.poll_recv(&mut cx).is_pending() && spent());
        assert_eq!(count.get(), 2);
        drop(outside);
        assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(Some(OPERATIONS)));
    }

    #[test]
    fn a_blocking_call_in_a_task_panics_instead_of_stopping_every_task() {
        let (_sender, mut receiver) = mpsc::unbounded_channel::<u8>();
        let outside = lift();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| receiver.blocking_recv()));
        drop(outside);
        let message = *result.unwrap_err().downcast::<String>().expect("a message");
        assert!(message.starts_with("mpsc::Receiver::blocking_recv"), "{message}");
    }
}
