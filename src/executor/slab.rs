//! The slab: what a key refers to.
//!
//! One slot per task. A slot has five states, which are the combinations of two fields. (An enum beside the body says the
//! same once more, and costs each yield a twentieth of its instructions.)
//!
//! | state             | `body`                 | `scheduled` | leaves it by                        |
//! |-------------------|------------------------|-------------|-------------------------------------|
//! | idle              | some                   | no          | a wake: queued                      |
//! | queued            | some                   | yes         | its turn: running                   |
//! | running           | taken by the executor  | no          | the poll's end; a wake: the next    |
//! | running and woken | taken by the executor  | yes         | the poll's end: queued, or free     |
//! | free              | none, generation + 1   | either      | the next spawn                      |
//!
//! While a task is polled its body is *out* of the slab. So a poll may spawn, wake and abort, which all
//! borrow the slab, and a task cannot be polled inside its own poll.

// ANCHOR: fields
use std::mem;

use crate::base::key::{GENERATIONS, MAX_SLOTS};
use crate::base::memory::{FreeList, OF_ALL, Place, TAKEN};

/// Slots under keys of index and generation. `T` is the body: what is polled.
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: FreeList,
}

struct Slot<T> {
    body: Option<T>,
    /// Which occupant this is. Set for the next one when the slot is freed, so that all older keys are stale. It never
    /// wraps, and keys carry its lower bits.
    generation: u64,
    next_free: u32,
    /// True from the wake that queues the task to the start of the poll that answers it.
    scheduled: bool,
}

/// What is polled in a turn.
pub(crate) enum Body<T> {
    /// The future of `block_on`, which is not here.
    Root,
    Task(T),
}

impl<T> Place for Slot<T> {
    fn generation(&self) -> u64 {
        self.generation
    }

    fn link(&mut self) -> &mut u32 {
        &mut self.next_free
    }
}
// ANCHOR_END: fields

// ANCHOR: insert
impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Slab { slots: Vec::new(), free: FreeList::new() }
    }

    /// Occupied slots.
    pub(crate) fn len(&self) -> usize {
        self.free.taken()
    }

    /// Occupies a slot, as scheduled: the caller puts the key into the run queue. Returns the slot and its generation.
    ///
    /// Without a body the slot is only there for its key: that is how the future of `block_on`, which stays on its
    /// caller's stack, takes part in scheduling.
    ///
    /// # Panics
    /// When 2^26 tasks are alive.
    pub(crate) fn insert(&mut self, body: Option<T>) -> (u32, u32) {
        if let Some((index, slot)) = self.free.take(&mut self.slots) {
            slot.body = body;
            slot.scheduled = true;
            return (index, slot.key_generation());
        }
        let (index, generation) = (self.slots.len() as u32, self.free.generation());
        assert!(index < MAX_SLOTS, "more than {MAX_SLOTS} tasks are alive in one runtime");
        let slot = Slot { body, generation, next_free: TAKEN, scheduled: true };
        let generation = slot.key_generation();
        self.slots.push(slot);
        (index, generation)
    }

    fn get(&mut self, index: u32, generation: u32) -> Option<&mut Slot<T>> {
        self.slots.get_mut(index as usize).filter(|slot| slot.key_generation() == generation)
    }
    // ANCHOR_END: insert

    // ANCHOR: schedule
    /// Marks the task as scheduled. True when it was not yet so, and only then may it be queued: this is what
    /// keeps a task in the run queue at most once (invariant 1). False also when the key is stale.
    pub(crate) fn schedule(&mut self, index: u32, generation: u32) -> bool {
        self.get(index, generation).is_some_and(|slot| !mem::replace(&mut slot.scheduled, true))
    }
    // ANCHOR_END: schedule

    // ANCHOR: poll
    /// Its turn has come: clears `scheduled` *before* the poll, so that a wake during the poll schedules the
    /// task again (invariant 2). Hands the body out. `None` when the key is stale (invariant 3).
    pub(crate) fn begin_poll(&mut self, index: u32, generation: u32) -> Option<Body<T>> {
        let slot = self.get(index, generation)?;
        slot.scheduled = false;
        Some(slot.body.take().map_or(Body::Root, Body::Task))
    }

    /// The poll ended with the task still alive: its body comes back.
    pub(crate) fn end_poll(&mut self, index: u32, body: T) {
        self.slots[index as usize].body = Some(body);
    }
    // ANCHOR_END: poll

    // ANCHOR: free
    /// The task has ended. Its key, wherever it is still held (also in the run queue), goes stale.
    pub(crate) fn free(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        debug_assert!(
            slot.body.is_none(),
            "a body is dropped by the executor, never under the slab's borrow"
        );
        slot.generation += 1;
        self.free.release(&mut self.slots, index);
    }

    /// After a peak: see [`FreeList`].
    pub(crate) fn give_back(&mut self) {
        self.free.give_back(&mut self.slots, OF_ALL);
    }

    /// How many slots there are, occupied or free.
    pub(crate) fn slots(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Frees the slot if it has a body, and returns the body; for the runtime's end. There may be fewer slots than
    /// there were.
    pub(crate) fn evict(&mut self, index: u32) -> Option<T> {
        let body = self.slots.get_mut(index as usize)?.body.take()?;
        self.free(index);
        Some(body)
    }
}

impl<T> Slot<T> {
    /// The generation as keys carry it.
    fn key_generation(&self) -> u32 {
        (self.generation % u64::from(GENERATIONS)) as u32
    }
}
// ANCHOR_END: free
