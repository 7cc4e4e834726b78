//! The queue in which futures wait for their turn: first come, first served.
//!
//! A doubly linked list whose links are indices into one vector instead of pointers: pushing, leaving from
//! the middle (a future was dropped) and taking the first are each O(1), and nothing here needs `unsafe`.
//!
//! ```text
//!            head                       tail
//!              │                          │
//! nodes: [ 0: next 3 ]  [ 1: free ]  [ 2: prev 3 ]  [ 3: prev 0, next 2 ]  [ 4: popped, in no queue ]
//! ```
//!
//! A waiter that is *popped* has left the queue but keeps its node: there its future finds, at its next
//! poll or when it is dropped, what it was given. Only its future, which holds the [`Key`], removes a node,
//! so a key never names another waiter's node.
//!
//! The list itself calls no waker. It hands them out, to be woken or dropped outside of the lock.

use std::task::Waker;

use crate::base::memory::Places;

/// The name of one waiter's node. Neither `Clone` nor `Copy`: leaving the list uses it up.
#[derive(Debug, PartialEq)]
pub(super) struct Key(u32);

#[derive(Debug)]
struct Node<T> {
    data: T,
    /// `None` from [`WaitList::push`] until the poll that pushed has made its clone, and again once popped.
    waker: Option<Waker>,
    queued: bool,
    prev: Option<u32>,
    next: Option<u32>,
}

/// A first-in, first-out list of waiters, each with a `T` of its own.
#[derive(Debug)]
pub(super) struct WaitList<T> {
    nodes: Places<Node<T>>,
    head: Option<u32>,
    tail: Option<u32>,
}

impl<T> WaitList<T> {
    pub(super) const fn new() -> Self {
        WaitList { nodes: Places::new(), head: None, tail: None }
    }

    /// Whether the queue is empty. Popped waiters do not count.
    pub(super) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// Adds a waiter at the end.
    pub(super) fn push(&mut self, data: T) -> Key {
        let prev = self.tail;
        let index = self.nodes.insert(Node { data, waker: None, queued: true, prev, next: None });
        match prev {
            Some(last) => self.at_mut(last).next = Some(index),
            None => self.head = Some(index),
        }
        self.tail = Some(index);
        Key(index)
    }

    /// What the first in the queue waits for.
    pub(super) fn front(&self) -> Option<&T> {
        self.head.map(|index| &self.at(index).data)
    }

    /// Takes the first out of the queue: its data, in which to leave what it gets, and its waker.
    pub(super) fn pop_front(&mut self) -> Option<(&mut T, Option<Waker>)> {
        let index = self.head?;
        self.unlink(index);
        let node = self.at_mut(index);
        Some((&mut node.data, node.waker.take()))
    }

    /// A waiter's data.
    pub(super) fn get(&self, key: &Key) -> &T {
        &self.at(key.0).data
    }

    /// Where a waiter's waker is kept.
    pub(super) fn waker(&mut self, key: &Key) -> &mut Option<Waker> {
        &mut self.at_mut(key.0).waker
    }

    /// Removes a waiter, wherever it stands.
    pub(super) fn remove(&mut self, key: Key) -> (T, Option<Waker>) {
        if self.at(key.0).queued {
            self.unlink(key.0);
        }
        let node = self.nodes.remove(key.0).expect(HELD);
        (node.data, node.waker)
    }

    fn unlink(&mut self, index: u32) {
        let node = self.at_mut(index);
        node.queued = false;
        let (prev, next) = (node.prev.take(), node.next.take());
        match prev {
            Some(prev) => self.at_mut(prev).next = next,
            None => self.head = next,
        }
        match next {
            Some(next) => self.at_mut(next).prev = prev,
            None => self.tail = prev,
        }
    }

    fn at(&self, index: u32) -> &Node<T> {
        self.nodes.get(index).expect(HELD)
    }

    fn at_mut(&mut self, index: u32) -> &mut Node<T> {
        self.nodes.get_mut(index).expect(HELD)
    }
}

/// Why a node is never free where this list looks at it.
const HELD: &str = "a node is taken as long as its key or a link names it";

#[cfg(all(test, not(cotask_loom)))]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::{Key, WaitList};

    #[derive(Clone, Debug)]
    enum Op {
        Push,
        Pop,
        Remove(usize),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![Just(Op::Push), Just(Op::Pop), (0..32_usize).prop_map(Op::Remove)]
    }

    proptest! {
        #[test]
        fn behaves_like_a_deque_from_which_any_element_can_leave(ops in prop::collection::vec(op(), 0..200)) {
            let mut list = WaitList::new();
            let mut model = VecDeque::new();
            let mut keys: Vec<(u32, Key)> = Vec::new();
            let mut name = 0;
            for op in ops {
                match op {
                    Op::Push => {
                        keys.push((name, list.push(name)));
                        model.push_back(name);
                        name += 1;
                    }
                    Op::Pop => prop_assert_eq!(list.pop_front().map(|(data, _)| *data), model.pop_front()),
                    Op::Remove(which) if which < keys.len() => {
                        let (name, key) = keys.remove(which);
                        prop_assert_eq!(*list.get(&key), name);
                        prop_assert_eq!(list.remove(key).0, name);
                        model.retain(|&other| other != name);
                    }
                    Op::Remove(_) => {}
                }
                prop_assert_eq!(list.front(), model.front());
                prop_assert_eq!(list.is_empty(), model.is_empty());
                prop_assert_eq!(list.nodes.len(), keys.len());
            }
        }
    }
}
