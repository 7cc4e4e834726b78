//! The two directions of a source: whether each is ready, and what waits for it.
//!
//! Mostly one task waits for a direction. Its waker has a place of its own here. More waiters are allowed: they go into
//! a list, which both directions share and which exists only while it is needed. An event wakes all that wait for its
//! direction, because only the operation shows what each gets, and no waiter displaces another.
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

use crate::base::panics::catch_and_discard_panic;
use crate::executor::ready::Direction;

/// Wakers of strangers in the list, per direction.
const STRANGERS: usize = 1024;

/// Each idle connection has one of these, so the fields are arranged to take little: 48 bytes.
pub(super) struct Sides {
    /// The arrays are by direction: `Direction as usize`.
    first: [Cell<Option<Waker>>; 2],
    pub(super) ready: [Cell<bool>; 2],
    /// A short transfer proves nothing: an event has reported "closed" or "urgent", or the system would not say so.
    pub(super) sticky: [Cell<bool>; 2],
    /// `first` is the place of a future, also while that has been woken and not polled.
    owned: [Cell<bool>; 2],
    /// Never borrowed, as a `RefCell` would be: taken out, changed, and put back, with no foreign code in between.
    others: Cell<Option<Box<Slab<Other>>>>,
}

struct Other {
    waker: Option<Waker>,
    direction: Direction,
    /// The place of a future.
    owned: bool,
}

/// Where a future of this crate leaves its waker. Dropping it frees the place.
pub(crate) struct Place<'a> {
    sides: &'a Sides,
    direction: Direction,
    key: Option<Key>,
}

#[derive(Clone, Copy)]
enum Key {
    First,
    Other(u32),
}
// ANCHOR_END: side

// ANCHOR: wait
impl Sides {
    /// `short_drains`: whether a short transfer shows that the next one would block.
    pub(super) fn new(short_drains: bool) -> Sides {
        let all = |flag| [Cell::new(flag), Cell::new(flag)];
        Sides {
            first: [const { Cell::new(None) }; 2],
            ready: all(true),
            sticky: all(!short_drains),
            owned: all(false),
            others: Cell::new(None),
        }
    }

    /// Leaves the waker of a stranger for the next event.
    ///
    /// Clones and drops of wakers are foreign code, which may use this very source: a clone is made before anything
    /// is touched, and a waker that is replaced is dropped when the new one is in its place.
    pub(super) fn wait(&self, direction: Direction, waker: &Waker) {
        // Mostly the same task polls again, and its waker is in place.
        if !self.owned[direction as usize].get() && self.first_wakes(direction, waker) {
            return;
        }
        let clone = waker.clone();
        if self.owned[direction as usize].get() {
            self.join_others(direction, clone, waker);
        } else if let Some(before) = self.first[direction as usize].replace(Some(clone)) {
            self.join_others(direction, before, waker);
        }
    }

    /// Whether the first waker wakes the same task as `new`.
    fn first_wakes(&self, direction: Direction, new: &Waker) -> bool {
        let first = self.first[direction as usize].take();
        let same = first.as_ref().is_some_and(|first| first.will_wake(new));
        self.first[direction as usize].set(first);
        same
    }

    /// Adds `waker` to the list, unless it wakes the same task as one there. `new` has just come.
    #[cold]
    fn join_others(&self, direction: Direction, waker: Waker, new: &Waker) {
        let is_stranger = |other: &Other| other.direction == direction && !other.owned;
        let (_replaced, crowded) = self.with_others(|others| {
            for (_, other) in others.iter_mut().filter(|(_, other)| is_stranger(other)) {
                if other.waker.as_ref().is_some_and(|other| other.will_wake(new)) {
                    return (other.waker.replace(waker), false);
                }
            }
            others.insert(Other { waker: Some(waker), direction, owned: false });
            (None, others.iter().filter(|(_, other)| is_stranger(other)).count() > STRANGERS)
        });
        if crowded {
            self.wake_others(is_stranger);
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
    pub(super) fn new(sides: &'a Sides, direction: Direction) -> Place<'a> {
        Place { sides, direction, key: None }
    }

    /// Leaves a waker for the next event, in place of the one before.
    pub(super) fn wait(&mut self, waker: &Waker) {
        let waker = Some(waker.clone());
        let owned = &self.sides.owned[self.direction as usize];
        let first = &self.sides.first[self.direction as usize];
        let _replaced = match self.key {
            Some(Key::First) => first.replace(waker),
            Some(Key::Other(key)) => {
                self.sides.with_others(|others| mem::replace(&mut others[key as usize].waker, waker))
            }
            None => {
                let before = first.take();
                let is_free = before.is_none() && !owned.get();
                first.set(before);
                self.key = Some(if is_free {
                    owned.set(true);
                    first.set(waker);
                    Key::First
                } else {
                    let other = Other { waker, direction: self.direction, owned: true };
                    Key::Other(self.sides.with_others(|others| others.insert(other)) as u32)
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
                self.sides.owned[self.direction as usize].set(false);
                self.sides.first[self.direction as usize].take()
            }
            Some(Key::Other(key)) => self.sides.with_others(|others| others.remove(key as usize).waker),
        };
    }
}
// ANCHOR_END: wait

// ANCHOR: wake
impl Sides {
    /// Wakes all that wait for a direction. A stranger is then forgotten; a future keeps its place.
    pub(super) fn set_ready(&self, direction: Direction) {
        self.ready[direction as usize].set(true);
        if let Some(waker) = self.first[direction as usize].take() {
            catch_and_discard_panic(|| waker.wake());
        }
        if let Some(others) = self.others.take() {
            self.others.set(Some(others));
            self.wake_others(|other| other.direction == direction);
        }
    }

    #[cold]
    fn wake_others(&self, which: impl Fn(&Other) -> bool) {
        let wakers: Vec<Waker> = self.with_others(|others| {
            let concerned = others.iter_mut().filter(|(_, other)| which(other));
            let wakers = concerned.filter_map(|(_, other)| other.waker.take()).collect();
            others.retain(|_, other| other.owned || other.waker.is_some());
            wakers
        });
        for waker in wakers {
            catch_and_discard_panic(|| waker.wake());
        }
    }
}
// ANCHOR_END: wake
