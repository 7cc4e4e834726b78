//! One direction of a source: whether it is ready, and what waits for it.
//!
//! Mostly one task waits. Its waker has its place in the side itself, which costs no more than a slot. More waiters
//! are allowed: they go into a list, which exists only while it is needed. An event wakes all of them, because only
//! the operation shows what each gets, and no waiter displaces another.
//!
//! There are two kinds of waiter:
//!
//! - A future of this crate, such as `recv_from`, has a **place** from its first wait until it finishes or is
//!   dropped. There lies the last waker that it was polled with (invariant 5), and dropping the future removes
//!   it (invariant 9).
//! - A **stranger** calls `poll_read`, or another function that is polled by hand. It leaves a waker, and nothing says
//!   when it gives up. Only the waker identifies it: one that wakes the same task replaces the one before.
//!
//! The trap is a stranger that is polled again and again, each time with a new waker that is like no other: its wakers
//! would pile up while the socket is idle. So there is a most. When it is reached, all strangers in the list are woken,
//! and those that still wait come again.

// ANCHOR: side
use std::cell::Cell;
use std::mem;
use std::task::Waker;

use slab::Slab;

use crate::task::contain;

/// Wakers of strangers in one list.
const STRANGERS: usize = 1024;

pub(super) struct Side {
    pub(super) ready: Cell<bool>,
    /// A short transfer proves nothing: an event has reported "closed" or "urgent", or the system would not say so.
    pub(super) sticky: Cell<bool>,
    /// `first` is the place of a future, also while that has been woken and not polled.
    owned: Cell<bool>,
    first: Cell<Option<Waker>>,
    /// Never borrowed, as a `RefCell` would be: taken out, changed, and put back, with no foreign code in between.
    others: Cell<Option<Box<Slab<Other>>>>,
}

struct Other {
    waker: Option<Waker>,
    /// The place of a future.
    owned: bool,
}

/// Where a future of this crate leaves its waker. Dropping it frees the place.
pub(crate) struct Place<'a> {
    side: &'a Side,
    key: Option<Key>,
}

#[derive(Clone, Copy)]
enum Key {
    First,
    Other(usize),
}
// ANCHOR_END: side

// ANCHOR: wait
impl Side {
    /// `short_drains`: whether a short transfer shows that the next one would block.
    pub(super) fn new(short_drains: bool) -> Side {
        Side {
            ready: Cell::new(true),
            sticky: Cell::new(!short_drains),
            owned: Cell::new(false),
            first: Cell::new(None),
            others: Cell::new(None),
        }
    }

    /// Leaves the waker of a stranger for the next event.
    ///
    /// Clones and drops of wakers are foreign code, which may use this very source: a clone is made before anything
    /// is touched, and a waker that is replaced is dropped when the new one is in its place.
    pub(super) fn wait(&self, waker: &Waker) {
        let clone = waker.clone();
        if self.owned.get() {
            self.join_others(clone, waker);
        } else if let Some(before) = self.first.replace(Some(clone)) {
            self.join_others(before, waker);
        }
    }

    /// Adds `waker` to the list, unless it wakes the same task as `new`, which has just come.
    #[cold]
    fn join_others(&self, waker: Waker, new: &Waker) {
        if !self.owned.get() && waker.will_wake(new) {
            return;
        }
        let (_replaced, crowded) = self.with_others(|others| {
            for (_, other) in others.iter_mut().filter(|(_, other)| !other.owned) {
                if other.waker.as_ref().is_some_and(|other| other.will_wake(new)) {
                    return (other.waker.replace(waker), false);
                }
            }
            others.insert(Other { waker: Some(waker), owned: false });
            (None, others.iter().filter(|(_, other)| !other.owned).count() > STRANGERS)
        });
        if crowded {
            self.wake_others(|other| !other.owned);
        }
    }

    /// Does `f` with the list, which exists as long as there is something in it.
    fn with_others<T>(&self, f: impl FnOnce(&mut Slab<Other>) -> T) -> T {
        let mut others = self.others.take().unwrap_or_default();
        let value = f(&mut others);
        self.others.set((!others.is_empty()).then_some(others));
        value
    }
}

impl<'a> Place<'a> {
    pub(super) fn new(side: &'a Side) -> Place<'a> {
        Place { side, key: None }
    }

    /// Leaves a waker for the next event, in place of the one before.
    pub(super) fn wait(&mut self, waker: &Waker) {
        let waker = Some(waker.clone());
        let side = self.side;
        let _replaced = match self.key {
            Some(Key::First) => side.first.replace(waker),
            Some(Key::Other(key)) => side.with_others(|others| mem::replace(&mut others[key].waker, waker)),
            None => {
                let before = side.first.take();
                let is_free = before.is_none() && !side.owned.get();
                side.first.set(before);
                self.key = Some(if is_free {
                    side.owned.set(true);
                    side.first.set(waker);
                    Key::First
                } else {
                    Key::Other(side.with_others(|others| others.insert(Other { waker, owned: true })))
                });
                None
            }
        };
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let _waker = match self.key {
            None => None,
            Some(Key::First) => {
                self.side.owned.set(false);
                self.side.first.take()
            }
            Some(Key::Other(key)) => self.side.with_others(|others| others.remove(key).waker),
        };
    }
}
// ANCHOR_END: wait

// ANCHOR: wake
impl Side {
    /// Wakes all that wait. A stranger is then forgotten; a future keeps its place.
    pub(super) fn set_ready(&self) {
        self.ready.set(true);
        if let Some(waker) = self.first.take() {
            contain(|| waker.wake());
        }
        if let Some(others) = self.others.take() {
            self.others.set(Some(others));
            self.wake_others(|_| true);
        }
    }

    #[cold]
    fn wake_others(&self, which: impl Fn(&Other) -> bool) {
        let wakers: Vec<Waker> = self.with_others(|others| {
            let concerned = others.iter_mut().filter(|(_, other)| which(other));
            let wakers = concerned.filter_map(|(_, other)| other.waker.take()).collect();
            others.retain(|_, other| other.owned);
            wakers
        });
        for waker in wakers {
            contain(|| waker.wake());
        }
    }
}
// ANCHOR_END: wake
