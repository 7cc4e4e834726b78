//! Critical sections that run no foreign code.
//!
//! A waker belongs to whoever made it: its `wake`, `clone` and `drop` are calls into code that may do
//! anything, lock the same channel or panic included. Under our lock that would be a deadlock or a torn
//! state. So every operation of `sync` that meets a waker goes through this module, which splits it in two:
//! a short section under the lock, which only moves data about, and an [`After`], the list of foreign calls
//! that the section leaves to be made once the lock is free.
//!
//! Waiting needs a *clone* of the waker, which is foreign code as well, and one that an operation which
//! need not wait should not pay for. [`poll_locked`] therefore looks twice: first without a clone; then,
//! where the section found that it must wait, it makes the clone outside and looks again. Between the two
//! looks another thread may have brought what was missing, so the second one must not simply store the
//! waker: it decides anew.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::{Context, Poll, Waker, ready};

use crate::budget;
use crate::loom::Mutex;
use crate::waker;

/// Wakers on their way out of a critical section. One needs no allocation.
#[derive(Default)]
struct Bag {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Bag {
    fn push(&mut self, waker: Option<Waker>) {
        if self.first.is_none() {
            self.first = waker;
        } else {
            self.more.extend(waker);
        }
    }
}

/// The foreign calls that a critical section leaves for afterwards.
#[derive(Default)]
pub(super) struct After {
    wake: Bag,
    discard: Bag,
}

impl After {
    /// This waker is to be woken.
    pub(super) fn wake(&mut self, waker: Option<Waker>) {
        self.wake.push(waker);
    }

    /// This waker is to be dropped.
    pub(super) fn discard(&mut self, waker: Option<Waker>) {
        self.discard.push(waker);
    }

    /// Makes the calls. A waker that panics does not cost the others their wake; the first panic goes on.
    fn run(self) {
        let After { wake, discard } = self;
        let Some(first) = wake.first else { return drop(discard) };
        if wake.more.is_empty() {
            return first.wake();
        }
        let wakes = std::iter::once(first).chain(wake.more);
        let panics = wakes.filter_map(|waker| catch_unwind(AssertUnwindSafe(|| waker.wake())).err());
        if let Some(panic) = panics.reduce(|first, _| first) {
            resume_unwind(panic);
        }
    }
}

/// Runs `section` under the lock, and what it leaves in its [`After`] when the lock is free again.
pub(super) fn locked<S, R>(lock: &Mutex<S>, section: impl FnOnce(&mut S, &mut After) -> R) -> R {
    let mut after = After::default();
    let result = section(&mut lock.lock(), &mut after);
    after.run();
    result
}

/// One poll's turn under the lock: the [`After`], and the waker of whoever polls.
pub(super) struct Turn<'a> {
    pub(super) after: After,
    polled_by: &'a Waker,
    clone: Option<Waker>,
    clone_wanted: bool,
}

impl Turn<'_> {
    /// Sees to it that `slot` holds the waker of this poll: the last waker given is the one that is woken.
    pub(super) fn wait_in(&mut self, slot: &mut Option<Waker>) {
        if slot.as_ref().is_some_and(|stored| stored.will_wake(self.polled_by)) {
            return;
        }
        match self.clone.take() {
            Some(clone) => self.after.discard(slot.replace(clone)),
            None => self.clone_wanted = true,
        }
    }
}

/// Polls by looking under the lock, and charges the cooperative budget for what becomes ready.
///
/// `look` must call [`Turn::wait_in`] before it returns `Pending`, and may be called twice (see the module).
pub(super) fn poll_locked<S, R>(
    lock: &Mutex<S>,
    cx: &mut Context<'_>,
    mut look: impl FnMut(&mut S, &mut Turn<'_>) -> Poll<R>,
) -> Poll<R> {
    ready!(budget::poll_proceed(cx));
    // A waker of our own is an integer, whose clone and drop run no code at all: it needs no second look.
    let clone = waker::is_name(cx.waker()).then(|| cx.waker().clone());
    let mut turn = Turn { after: After::default(), polled_by: cx.waker(), clone, clone_wanted: false };
    loop {
        let outcome = look(&mut lock.lock(), &mut turn);
        if outcome.is_pending() && std::mem::take(&mut turn.clone_wanted) {
            turn.clone = Some(cx.waker().clone());
            continue;
        }
        if outcome.is_pending() {
            budget::refund();
        }
        turn.after.run();
        return outcome;
    }
}

#[cfg(all(test, not(cotask_loom)))]
mod tests {
    use futures_test::task::new_count_waker;

    use std::task::{Context, Poll};

    use crate::budget::{OPERATIONS, lift, refill, spent};
    use crate::sync::mpsc;

    #[test]
    fn an_operation_that_has_to_wait_costs_nothing() {
        let (waker, count) = new_count_waker();
        let mut cx = Context::from_waker(&waker);
        let (sender, mut receiver) = mpsc::unbounded_channel();
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
        assert!(spent() && receiver.poll_recv(&mut cx).is_pending());
        assert_eq!(count.get(), 2);
        lift();
        assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(Some(OPERATIONS)));
    }

    #[test]
    fn a_blocking_call_in_a_task_panics_instead_of_stopping_every_task() {
        let (_sender, mut receiver) = mpsc::unbounded_channel::<u8>();
        refill();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| receiver.blocking_recv()));
        lift();
        let message = *result.unwrap_err().downcast::<String>().expect("a message");
        assert!(message.starts_with("mpsc::UnboundedReceiver::blocking_recv"), "{message}");
    }
}
