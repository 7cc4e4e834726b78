//! The timer wheel: deadlines to wakers, with O(1) insert and cancel.
//!
//! Time is cut into ticks of a millisecond. Six levels of 64 slots; a slot of level 0 is one tick wide, of
//! level 1 it is 64 ticks, of level 2 64 x 64, and so on: 64^6 ticks, over two years. A timer is put into the
//! level of the highest bits in which its tick differs from now. So only timers due within the next 64 ticks
//! stand in slots of their own; the others wait in coarse slots and move down one or more levels when the time
//! comes there:
//!
//! ```text
//!  level 2   [....|....|##..|....]   a slot is 4,096 ms
//!                        |  when `now` reaches the slot's start, its timers are placed anew
//!  level 1   [..#.|....|....|....]   a slot is 64 ms
//!                |
//!  level 0   [....|.#..|....|....]   a slot is 1 ms: these fire
//! ```
//!
//! A heap would do with O(log n), but most timers are time-outs that never fire: they are set, cancelled and
//! forgotten, and that must cost next to nothing.
//!
//! Each slot is a list of indices into one vector of entries, and an entry knows its place there, so cancelling
//! needs no search: it leaves a gap, and the gaps are closed when they are more than what is left. A linked list
//! would need no gaps, but to walk it is to wait for the memory of each entry before the next one's address is
//! known; with a million timers that is most of the work. A key carries the entry's generation: a key that
//! outlived its timer finds nothing.
//!
//! Source: G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 7.

// ANCHOR: fields
use std::mem;
use std::task::Waker;

use crate::base::memory::{FreeList, OF_ALL, Place};
use crate::trace::Resource;

const LEVELS: usize = 6;
/// Each level has 2^6 = 64 slots: one bit each in a `u64`.
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
/// The farthest a timer is placed ahead. One further away is placed here, and placed anew when the time comes.
/// One top slot short of a full turn: the slot that `now` stands in must not be met from behind.
const HORIZON: u64 = ((SLOTS as u64) - 1) << (BITS * (LEVELS as u32 - 1));
const NIL: u32 = u32::MAX;
/// A slot's list is given back to the allocator when it has room for more than this, and its gaps are closed only
/// when it is longer.
const SMALL: usize = 64;

/// Timers by the tick at which they are due.
pub(crate) struct Wheel {
    /// All up to and including this tick has fired.
    now: u64,
    /// Which slots have timers: one bit per slot, one word per level.
    occupied: [u64; LEVELS],
    slots: [[Slot; SLOTS]; LEVELS],
    entries: Vec<Entry>,
    free: FreeList,
}

/// The timers of one slot, in the order in which they came.
struct Slot {
    /// `NIL` where one was cancelled: a gap.
    indices: Vec<u32>,
    /// Without the gaps.
    live: u32,
}

struct Entry {
    tick: u64,
    /// `None` while the entry is free.
    waker: Option<Waker>,
    /// Where in the slot's list. While the entry is free: the next free one.
    position: u32,
    /// Counts the timers that lived in this entry. Keys carry the lower bits.
    generation: u64,
    /// Where it stands: it cannot be computed again later, since `now` has moved on.
    place: (u8, u8),
}

impl Place for Entry {
    fn generation(&self) -> u64 {
        self.generation
    }

    fn link(&mut self) -> &mut u32 {
        &mut self.position
    }

    fn is_free(&mut self) -> bool {
        self.waker.is_none()
    }
}

/// A timer that was set. Stale once the timer fired or was cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TimerKey {
    index: u32,
    generation: u32,
}

impl TimerKey {
    /// What it is in a trace.
    pub(crate) fn resource(self) -> Resource {
        Resource::Timer(self.index, self.generation)
    }
}
// ANCHOR_END: fields

// ANCHOR: insert
impl Wheel {
    pub(crate) fn new(now: u64) -> Wheel {
        Wheel {
            now,
            occupied: [0; LEVELS],
            slots: [const { [const { Slot { indices: Vec::new(), live: 0 } }; SLOTS] }; LEVELS],
            entries: Vec::new(),
            free: FreeList::new(),
        }
    }

    /// Timers that are set.
    pub(crate) fn len(&self) -> usize {
        self.free.taken()
    }

    /// Sets a timer. Returns the waker when the tick is past or present: then there is nothing to wait for.
    pub(crate) fn insert(&mut self, tick: u64, waker: Waker) -> Result<TimerKey, Waker> {
        if tick <= self.now {
            return Err(waker);
        }
        let (index, generation) = match self.free.take(&mut self.entries) {
            Some((index, entry)) => {
                (entry.tick, entry.waker) = (tick, Some(waker));
                (index, entry.generation)
            }
            None => {
                let (generation, place) = (self.free.generation(), (0, 0));
                self.entries.push(Entry { tick, waker: Some(waker), position: NIL, generation, place });
                (self.entries.len() as u32 - 1, generation)
            }
        };
        self.link(index, tick);
        Ok(TimerKey { index, generation: generation as u32 })
    }
    // ANCHOR_END: insert

    // ANCHOR: cancel
    /// Whether the timer has neither fired nor been cancelled.
    pub(crate) fn is_set(&self, key: TimerKey) -> bool {
        self.entries.get(key.index as usize).is_some_and(|entry| entry.generation as u32 == key.generation)
    }

    /// Gives the timer a newer waker, and the older one back; the newer one if the timer has fired.
    pub(crate) fn replace_waker(&mut self, key: TimerKey, waker: Waker) -> Result<Waker, Waker> {
        if !self.is_set(key) {
            return Err(waker);
        }
        match &mut self.entries[key.index as usize].waker {
            Some(current) => Ok(mem::replace(current, waker)),
            None => Err(waker),
        }
    }

    /// Unsets a timer and returns its waker, to be dropped where nothing is borrowed. `None` if it has fired.
    pub(crate) fn cancel(&mut self, key: TimerKey) -> Option<Waker> {
        if !self.is_set(key) {
            return None;
        }
        self.unlink(key.index);
        self.release(key.index)
    }
    // ANCHOR_END: cancel

    // ANCHOR: advance
    /// A lower bound of the next tick at which a timer is due, exact when it is less than 64 ticks away. To
    /// sleep until there is right; for a timer far off it means waking once for each level that it moves down.
    pub(crate) fn next_tick(&self) -> Option<u64> {
        self.next_slot().map(|(_, _, start)| start)
    }

    /// Moves on to tick `to` and appends the wakers of all timers that are due to `due`: by tick, and within a
    /// tick in the order in which they were set (but for those that were set from beyond the horizon).
    pub(crate) fn advance(&mut self, to: u64, due: &mut Vec<(TimerKey, Waker)>) {
        while let Some((level, slot, start)) = self.next_slot().filter(|&(_, _, start)| start <= to) {
            self.now = start;
            self.occupied[level] &= !(1 << slot);
            let mut indices = mem::take(&mut self.slots[level][slot].indices);
            self.slots[level][slot].live = 0;
            for &index in indices.iter().filter(|&&index| index != NIL) {
                let Entry { tick, generation, .. } = self.entries[index as usize];
                if tick <= start {
                    let key = TimerKey { index, generation: generation as u32 };
                    due.extend(self.release(index).map(|waker| (key, waker)));
                } else {
                    self.link(index, tick);
                }
            }
            if indices.capacity() <= SMALL {
                indices.clear();
                self.slots[level][slot].indices = indices;
            }
        }
        self.now = self.now.max(to);
    }

    /// Unsets every timer.
    pub(crate) fn take_all(&mut self, taken: &mut Vec<(TimerKey, Waker)>) {
        for index in 0..self.entries.len() as u32 {
            // The last of the closed entries takes those beside it along.
            let Some(&Entry { generation, ref waker, .. }) = self.entries.get(index as usize) else { return };
            if waker.is_some() {
                let key = TimerKey { index, generation: generation as u32 };
                taken.extend(self.cancel(key).map(|waker| (key, waker)));
            }
        }
    }

    /// The first slot to come that has timers, and the tick at which it begins. The lowest level that has any
    /// comes first: what stands higher differs from now in higher bits.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        let shift = BITS * level as u32;
        let here = self.now >> shift;
        let ahead = self.occupied[level].rotate_right((here % SLOTS as u64) as u32).trailing_zeros();
        let there = here + u64::from(ahead);
        Some((level, (there % SLOTS as u64) as usize, there << shift))
    }
    // ANCHOR_END: advance

    // ANCHOR: place
    /// The level and slot for a tick, seen from now.
    fn place(&self, tick: u64) -> (u8, u8) {
        let tick = tick.min(self.now.saturating_add(HORIZON));
        let highest_differing_bit = ((self.now ^ tick) | 1).ilog2();
        let level = (highest_differing_bit / BITS).min(LEVELS as u32 - 1);
        let slot = (tick >> (BITS * level)) % SLOTS as u64;
        (level as u8, slot as u8)
    }
    // ANCHOR_END: place

    // ANCHOR: link
    /// Appends an entry to the list of its slot.
    fn link(&mut self, index: u32, tick: u64) {
        let place = self.place(tick);
        let (level, number) = (usize::from(place.0), usize::from(place.1));
        let slot = &mut self.slots[level][number];
        self.occupied[level] |= 1 << number;
        let entry = &mut self.entries[index as usize];
        (entry.position, entry.place) = (slot.indices.len() as u32, place);
        slot.indices.push(index);
        slot.live += 1;
    }

    fn unlink(&mut self, index: u32) {
        let Entry { position, place, .. } = self.entries[index as usize];
        let (level, number) = (usize::from(place.0), usize::from(place.1));
        let slot = &mut self.slots[level][number];
        slot.live -= 1;
        slot.indices[position as usize] = NIL;
        if slot.live == 0 {
            self.occupied[level] &= !(1 << number);
            slot.indices.clear();
            slot.indices.shrink_to(SMALL);
        } else if slot.indices.len() > SMALL + 2 * slot.live as usize {
            slot.indices.retain(|&index| index != NIL);
            slot.indices.shrink_to(SMALL + 2 * slot.live as usize);
            for (position, &index) in slot.indices.iter().enumerate() {
                self.entries[index as usize].position = position as u32;
            }
        }
    }

    /// After a peak: see [`FreeList`].
    pub(crate) fn give_back(&mut self) {
        self.free.give_back(&mut self.entries, OF_ALL);
    }

    /// Puts an unlinked entry on the free list; its key goes stale.
    fn release(&mut self, index: u32) -> Option<Waker> {
        let entry = &mut self.entries[index as usize];
        entry.generation += 1;
        let waker = entry.waker.take();
        self.free.release(&mut self.entries, index);
        waker
    }
}
// ANCHOR_END: link

#[cfg(test)]
mod tests;
