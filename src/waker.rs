//! Wakers are keys, not owners.
//!
//! A `std::task::Waker` is one data word and a table of functions. Most runtimes put a reference-counted
//! pointer to the task into the word; then every clone and drop is an atomic operation, the last waker to go
//! may free the task on a foreign thread, and a task that keeps its own waker leaks. Here the word is a
//! **key**, an integer:
//!
//! ```text
//!  63          52 51                        26 25                         0
//! +--------------+----------------------------+----------------------------+
//! |  runtime 12  |       generation 26        |          slot 26           |
//! +--------------+----------------------------+----------------------------+
//!   which thread's  which of the tasks that     where in the slab of
//!   executor        lived in that slot so far   that executor
//! ```
//!
//! Clone copies the integer, drop does nothing, and a waker may outlive its task, its runtime and its thread.
//! To wake is to look the key up: on the runtime's own thread in a thread-local and a slab, with no atomic
//! operation; from elsewhere through the [registry] and that runtime's inbox. A key whose task is gone finds
//! another generation, or nothing. A key comes round again only after a slot has had 2^26 tasks (or the runtime, if slots
//! were given back meanwhile), or after 4,095 runtimes. What it then causes is one spurious poll, which every
//! `Future` must bear.
//!
//! [registry]: crate::inbox::Registry

// ANCHOR: layout
use std::fmt;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::{current, inbox};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("cotask keeps a task's key in one word of 64 bits: it needs a 64-bit target");

const SLOT_BITS: u32 = 26;
const GENERATION_BITS: u32 = 26;

/// Slots of one slab, and so tasks of one runtime that may be alive at once.
pub(crate) const MAX_SLOTS: u32 = 1 << SLOT_BITS;
/// Runtimes of one process that may be alive at once.
pub(crate) const MAX_RUNTIMES: u16 = (1 << (64 - SLOT_BITS - GENERATION_BITS)) - 1;
/// The number of every simulation. None is ever woken from another thread, so they can share one, and what
/// one records does not depend on how many others there are.
pub(crate) const SIMULATED: u16 = MAX_RUNTIMES;
/// Generations are counted modulo this.
pub(crate) const GENERATIONS: u32 = 1 << GENERATION_BITS;
// ANCHOR_END: layout

// ANCHOR: key
/// What a waker says: which runtime, which slot, and which of the tasks that lived in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TaskKey(u64);

impl TaskKey {
    /// Packs the three parts, which must be within their bounds.
    pub fn new(runtime: u16, generation: u32, slot: u32) -> TaskKey {
        debug_assert!(runtime <= MAX_RUNTIMES && generation < GENERATIONS && slot < MAX_SLOTS);
        TaskKey(
            u64::from(runtime) << (SLOT_BITS + GENERATION_BITS)
                | u64::from(generation) << SLOT_BITS
                | u64::from(slot),
        )
    }

    pub(crate) fn runtime(self) -> u16 {
        (self.0 >> (SLOT_BITS + GENERATION_BITS)) as u16
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0 >> SLOT_BITS) as u32 % GENERATIONS
    }

    /// Where in the slab.
    pub fn slot(self) -> u32 {
        self.0 as u32 % MAX_SLOTS
    }
    // ANCHOR_END: key

    /// The waker that bears this key.
    // ANCHOR: waker
    #[allow(unsafe_code)]
    pub(crate) fn waker(self) -> Waker {
        let data = std::ptr::without_provenance(self.0 as usize);
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
        if !current::wake(self) {
            inbox::registry().send(self);
        }
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &VTABLE),
    |data| TaskKey(data.addr() as u64).wake(),
    |data| TaskKey(data.addr() as u64).wake(),
    |_| (),
);
// ANCHOR_END: wake

// ANCHOR: show
/// `3.17.2`: runtime 3, slot 17, the third task (counted from 0) that lives there.
impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.runtime(), self.slot(), self.generation())
    }
}

impl fmt::Debug for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskKey({self})")
    }
}
// ANCHOR_END: show

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_returns_its_parts() {
        for (runtime, generation, slot) in
            [(0, 0, 0), (MAX_RUNTIMES - 1, GENERATIONS - 1, MAX_SLOTS - 1), (3, 5, 7)]
        {
            let key = TaskKey::new(runtime, generation, slot);
            assert_eq!((key.runtime(), key.generation(), key.slot()), (runtime, generation, slot));
        }
    }

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
