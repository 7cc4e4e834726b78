//! Wakers are keys, not owners.
//!
//! A `std::task::Waker` is one data word and a table of functions. Most runtimes put a reference-counted
//! pointer to the task into the word; then every clone and drop is an atomic operation, the last waker to go
//! may free the task on a foreign thread, and a task that keeps its own waker leaks. Here the word is a
//! [key](TaskKey), an integer.
//!
//! Clone copies the integer, drop does nothing, and a waker may outlive its task, its runtime and its thread.
//! To wake is to look the key up: on the runtime's own thread in a thread-local and a slab, with no atomic
//! operation; from elsewhere through the [registry] and that runtime's inbox. A key whose task is gone finds
//! another generation, or nothing. A key comes round again only after a slot has had 2^26 tasks (or the runtime, if slots
//! were given back meanwhile), or after 4,095 runtimes. What it then causes is one spurious poll, which every
//! `Future` must bear.
//!
//! [registry]: super::inbox::Registry

// ANCHOR: waker
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::base::key::TaskKey;

use super::inbox;
use super::scheduler;

impl TaskKey {
    /// The waker that bears this key.
    #[allow(unsafe_code)]
    pub(crate) fn waker(self) -> Waker {
        let data = std::ptr::without_provenance(self.bits() as usize);
        // SAFETY: `RawWakerVTable` asks that its functions are thread-safe and that they uphold the contract
        // of a waker for this data word. The word is an integer: no function of `VTABLE` dereferences it, so
        // none can touch freed memory or race on it, whatever thread calls it, how often, and after what.
        // `clone` returns the same word and table, `wake` and `wake_by_ref` only look the integer up, and there
        // is no resource that `wake` or `drop` would have to release.
        unsafe { Waker::new(data, &VTABLE) }
    }
    // ANCHOR_END: waker

    // ANCHOR: wake
    /// Makes the task of this key runnable, from whatever thread.
    pub(crate) fn wake(self) {
        if !scheduler::wake(self) {
            inbox::registry().send(self);
        }
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &VTABLE),
    |data| TaskKey::from_bits(data.addr() as u64).wake(),
    |data| TaskKey::from_bits(data.addr() as u64).wake(),
    |_| (),
);
// ANCHOR_END: wake

#[cfg(test)]
mod tests {
    use crate::base::key::{MAX_RUNTIMES, TaskKey};

    #[test]
    fn a_waker_may_outlive_its_runtime_and_be_cloned_and_dropped_on_any_thread() {
        let waker = TaskKey::new(MAX_RUNTIMES - 1, 1, 1).waker();
        std::thread::spawn(move || {
            let copies: Vec<_> = (0..3).map(|_| waker.clone()).collect();
            for copy in copies {
                assert!(copy.will_wake(&waker));
                copy.wake();
            }
            waker.wake_by_ref();
        })
        .join()
        .unwrap();
    }
}
