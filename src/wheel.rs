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
//! Each slot is a circular list, linked through indices into one vector of entries, so cancelling needs no
//! search and no unsafe code. A key carries the entry's generation: a key that outlived its timer finds nothing.
//!
//! Source: G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 7.

use std::mem;
use std::task::Waker;

use crate::trace::Resource;

const LEVELS: usize = 6;
/// Each level has 2^6 = 64 slots: one bit each in a `u64`.
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
/// The farthest a timer is placed ahead. One further away is placed here, and placed anew when the time comes.
/// One top slot short of a full turn: the slot that `now` stands in must not be met from behind.
const HORIZON: u64 = ((SLOTS as u64) - 1) << (BITS * (LEVELS as u32 - 1));
const NIL: u32 = u32::MAX;

/// Timers by the tick at which they are due.
pub(crate) struct Wheel {
    /// All up to and including this tick has fired.
    now: u64,
    /// Which slots have timers: a bit a slot, a word a level.
    occupied: [u64; LEVELS],
    /// The first entry of each slot's list.
    heads: [[u32; SLOTS]; LEVELS],
    entries: Vec<Entry>,
    first_free: u32,
    live: usize,
}

struct Entry {
    tick: u64,
    waker: Option<Waker>,
    /// The neighbours in the slot's circular list; `next` also links the free list.
    prev: u32,
    next: u32,
    /// Counts the timers that lived in this entry.
    generation: u32,
    /// Where it stands: it cannot be computed again later, since `now` has moved on.
    place: (u8, u8),
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

impl Wheel {
    pub(crate) fn new(now: u64) -> Wheel {
        Wheel {
            now,
            occupied: [0; LEVELS],
            heads: [[NIL; SLOTS]; LEVELS],
            entries: Vec::new(),
            first_free: NIL,
            live: 0,
        }
    }

    /// Timers that are set.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Sets a timer, or gives the waker back when the tick is past or present: then there is nothing to wait for.
    pub(crate) fn insert(&mut self, tick: u64, waker: Waker) -> Result<TimerKey, Waker> {
        if tick <= self.now {
            return Err(waker);
        }
        let entry = Entry { tick, waker: Some(waker), prev: NIL, next: NIL, generation: 0, place: (0, 0) };
        let index = if self.first_free == NIL {
            self.entries.push(entry);
            self.entries.len() as u32 - 1
        } else {
            let index = self.first_free;
            let free = &mut self.entries[index as usize];
            self.first_free = free.next;
            *free = Entry { generation: free.generation, ..entry };
            index
        };
        self.live += 1;
        self.link(index);
        Ok(TimerKey { index, generation: self.entries[index as usize].generation })
    }

    /// Whether the timer has neither fired nor been cancelled.
    pub(crate) fn is_set(&self, key: TimerKey) -> bool {
        self.entries[key.index as usize].generation == key.generation
    }

    /// Gives the timer a newer waker, and the older one back; the newer one if the timer has fired.
    pub(crate) fn replace_waker(&mut self, key: TimerKey, waker: Waker) -> Result<Waker, Waker> {
        match &mut self.entries[key.index as usize] {
            Entry { generation, waker: Some(current), .. } if *generation == key.generation => {
                Ok(mem::replace(current, waker))
            }
            _ => Err(waker),
        }
    }

    /// Unsets a timer and gives its waker, to be dropped where nothing is borrowed. `None` if it has fired.
    pub(crate) fn cancel(&mut self, key: TimerKey) -> Option<Waker> {
        if !self.is_set(key) {
            return None;
        }
        self.unlink(key.index);
        self.release(key.index)
    }

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
            let head = mem::replace(&mut self.heads[level][slot], NIL);
            self.occupied[level] &= !(1 << slot);
            let last = self.entries[head as usize].prev;
            let mut index = head;
            loop {
                let next = self.entries[index as usize].next;
                if self.entries[index as usize].tick <= start {
                    let key = TimerKey { index, generation: self.entries[index as usize].generation };
                    due.extend(self.release(index).map(|waker| (key, waker)));
                } else {
                    self.link(index);
                }
                if index == last {
                    break;
                }
                index = next;
            }
        }
        self.now = self.now.max(to);
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

    /// The level and slot for a tick, seen from now.
    fn place(&self, tick: u64) -> (u8, u8) {
        let tick = tick.min(self.now.saturating_add(HORIZON));
        let highest_differing_bit = ((self.now ^ tick) | 1).ilog2();
        let level = (highest_differing_bit / BITS).min(LEVELS as u32 - 1);
        let slot = (tick >> (BITS * level)) % SLOTS as u64;
        (level as u8, slot as u8)
    }

    /// Appends an entry to the list of its slot.
    fn link(&mut self, index: u32) {
        let place = self.place(self.entries[index as usize].tick);
        let (level, slot) = (usize::from(place.0), usize::from(place.1));
        let head = self.heads[level][slot];
        let (prev, next) = if head == NIL {
            self.heads[level][slot] = index;
            self.occupied[level] |= 1 << slot;
            (index, index)
        } else {
            (mem::replace(&mut self.entries[head as usize].prev, index), head)
        };
        self.entries[prev as usize].next = index;
        let entry = &mut self.entries[index as usize];
        (entry.prev, entry.next, entry.place) = (prev, next, place);
    }

    fn unlink(&mut self, index: u32) {
        let Entry { prev, next, place, .. } = self.entries[index as usize];
        let (level, slot) = (usize::from(place.0), usize::from(place.1));
        if next == index {
            self.heads[level][slot] = NIL;
            self.occupied[level] &= !(1 << slot);
            return;
        }
        self.entries[prev as usize].next = next;
        self.entries[next as usize].prev = prev;
        if self.heads[level][slot] == index {
            self.heads[level][slot] = next;
        }
    }

    /// Puts an unlinked entry on the free list; its key goes stale.
    fn release(&mut self, index: u32) -> Option<Waker> {
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.next = mem::replace(&mut self.first_free, index);
        self.live -= 1;
        entry.waker.take()
    }
}

#[cfg(test)]
mod tests;
