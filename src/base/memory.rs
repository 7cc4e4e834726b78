//! Memory after a peak: what grew with the load shrinks with it, once less than a quarter of it is in use.
//!
//! A queue is copied into less memory: [`GiveBack`]. An element that is known by its index cannot move, so a vector of
//! these can only be cut at its end. But the place that was freed last is taken first, and so the end is rarely free.
//! Therefore a [`FreeList`] first stops to hand out the places of the upper part. When the last element there has gone, it
//! cuts:
//!
//! ```text
//!  # taken   . free   x free, and not handed out
//!  [#.##....|.....#......#...]     less than a quarter is taken
//!  [#.##....|xxxxx#xxxxxx#xxx]     closed: new elements come below
//!  [#.##....]                      both above have gone: cut
//! ```
//!
//! Channels, locks and the reactor check at each removal. What a runtime has for all its tasks it checks when it has
//! nothing to do, at the end of `block_on`, and now and then: a program that spawns a thousand tasks again and again
//! allocates once.
//!
//! A step takes time in proportion to the vector's length, and at least a quarter as many elements have come or gone since
//! the last, so each of them pays for a few places. An element that stays in the upper part keeps all of it.

// ANCHOR: give_back
use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

/// Bytes that a channel or a lock never releases: there may be many of them.
pub(crate) const OF_ONE: usize = 4 * 1024;
/// Bytes that a runtime never releases of each of its queues, so that a burst of a thousand tasks allocates nothing.
pub(crate) const OF_ALL: usize = 64 * 1024;

/// The room that is enough for `len` elements, if there is too much. Elements without a size take none.
#[inline]
fn enough<T>(len: usize, capacity: usize, kept: usize) -> Option<usize> {
    let kept = 8 + kept / (size_of::<T>() + 1);
    let too_much = size_of::<T>() > 0 && capacity > kept && len < capacity / 4;
    too_much.then(|| kept.max(2 * len))
}

pub(crate) trait GiveBack {
    /// After a peak: keeps room for twice the elements that there are, and for at least `kept` bytes. Costs two
    /// comparisons, and a copy now and then.
    fn give_back(&mut self, kept: usize);
}

impl<T> GiveBack for VecDeque<T> {
    #[inline]
    fn give_back(&mut self, kept: usize) {
        if let Some(room) = enough::<T>(self.len(), self.capacity(), kept) {
            self.shrink_to(room);
        }
    }
}

impl<T> GiveBack for Vec<T> {
    #[inline]
    fn give_back(&mut self, kept: usize) {
        if let Some(room) = enough::<T>(self.len(), self.capacity(), kept) {
            self.shrink_to(room);
        }
    }
}
// ANCHOR_END: give_back

// ANCHOR: free_list
/// The end of the list.
const NIL: u32 = u32::MAX;
/// The link of a place that is taken.
pub(crate) const TAKEN: u32 = u32::MAX - 1;

/// One place of a vector whose elements are known by their index.
pub(crate) trait Place {
    /// How many elements have left it. A key carries this too, so a key that outlives its element is stale.
    fn generation(&self) -> u64;

    /// While the place is free: the next free one. Otherwise `TAKEN`.
    fn link(&mut self) -> &mut u32;

    fn is_free(&mut self) -> bool {
        *self.link() != TAKEN
    }
}

/// The free places of a vector. The one freed last is taken first, since its memory is still near.
#[derive(Debug)]
pub(crate) struct FreeList {
    first: u32,
    taken: u32,
    /// The places from here on are closed: those that are free are not in the list. `NIL` when none is closed.
    closed: u32,
    /// How many of the closed places are taken.
    above: u32,
    /// From where a new place counts: as high as any that was cut off. Otherwise its keys would be ones that stale wakers
    /// still hold.
    generation: u64,
}

impl FreeList {
    pub(crate) const fn new() -> FreeList {
        FreeList { first: NIL, taken: 0, closed: NIL, above: 0, generation: 0 }
    }

    /// How many places are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken as usize
    }

    /// The generation of a place that is pushed now.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// The place that [`take`](FreeList::take) would return.
    #[inline]
    pub(crate) fn first<P: Place>(&mut self, places: &mut [P]) -> Option<u32> {
        if self.first == NIL {
            self.reopen(places);
        }
        (self.first != NIL).then_some(self.first)
    }

    /// Takes a place, and returns it with its index. `None` when no place is free: then the caller pushes a new one, which
    /// is taken.
    #[inline]
    pub(crate) fn take<'a, P: Place>(&mut self, places: &'a mut [P]) -> Option<(u32, &'a mut P)> {
        self.taken += 1;
        let index = self.first(places)?;
        let place = places.get_mut(index as usize)?;
        self.first = mem::replace(place.link(), TAKEN);
        Some((index, place))
    }

    /// Frees a place. The last one above takes the closed places along.
    #[inline]
    pub(crate) fn release<P: Place>(&mut self, places: &mut Vec<P>, index: u32) {
        self.taken -= 1;
        let link = places[index as usize].link();
        if index < self.closed {
            *link = mem::replace(&mut self.first, index);
        } else {
            *link = NIL;
            self.released_above(places);
        }
    }

    #[cold]
    fn released_above<P: Place>(&mut self, places: &mut Vec<P>) {
        self.above -= 1;
        if self.above == 0 {
            self.cut(places);
        }
    }

    /// After a peak: closes the upper places, and cuts the vector when they are free. Keeps at least `kept` bytes.
    #[inline]
    pub(crate) fn give_back<P: Place>(&mut self, places: &mut Vec<P>, kept: usize) {
        while let Some(room) = enough::<P>(self.taken(), places.len(), kept) {
            if self.closed == NIL {
                self.close(places, room);
            }
            if self.above > 0 {
                return;
            }
            self.cut(places);
        }
    }

    #[cold]
    fn close<P: Place>(&mut self, places: &mut [P], room: usize) {
        self.closed = room as u32;
        let free = self.relink(places, 0..room);
        self.above = self.taken - (room - free) as u32;
    }

    #[cold]
    fn cut<P: Place>(&mut self, places: &mut Vec<P>) {
        let cut = places.drain(self.closed as usize..).map(|place| place.generation());
        self.generation = cut.fold(self.generation, u64::max);
        places.shrink_to_fit();
        self.closed = NIL;
    }

    /// There is no room below: hands out as many of the closed places as there are open ones, until one of them is free.
    #[cold]
    fn reopen<P: Place>(&mut self, places: &mut [P]) {
        while self.first == NIL && self.closed != NIL {
            let from = self.closed as usize;
            let to = places.len().min(2 * from);
            let free = self.relink(places, from..to);
            self.above -= (to - from - free) as u32;
            self.closed = if to < places.len() { to as u32 } else { NIL };
        }
    }

    /// Makes a list of the free ones of these places, in their order, and returns how many they are.
    #[cold]
    fn relink<P: Place>(&mut self, places: &mut [P], which: Range<usize>) -> usize {
        self.first = NIL;
        let mut free = 0;
        for index in which.rev() {
            if places[index].is_free() {
                *places[index].link() = mem::replace(&mut self.first, index as u32);
                free += 1;
            }
        }
        free
    }
}
// ANCHOR_END: free_list

// ANCHOR: places
/// Elements under the index of their place.
#[derive(Debug)]
pub(crate) struct Places<T> {
    places: Vec<Numbered<T>>,
    free: FreeList,
}

#[derive(Debug)]
struct Numbered<T> {
    element: Option<T>,
    generation: u32,
    link: u32,
}

impl<T> Place for Numbered<T> {
    fn generation(&self) -> u64 {
        self.generation.into()
    }

    fn link(&mut self) -> &mut u32 {
        &mut self.link
    }
}

/// They give memory back down to `OF_ONE`.
impl<T> Places<T> {
    pub(crate) const fn new() -> Places<T> {
        Places { places: Vec::new(), free: FreeList::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.free.taken()
    }

    /// The place that the next element gets, and how many elements that place has had.
    pub(crate) fn next(&mut self) -> (u32, u32) {
        match self.free.first(&mut self.places) {
            Some(index) => (index, self.places[index as usize].generation),
            None => (self.places.len() as u32, self.free.generation() as u32),
        }
    }

    #[inline]
    pub(crate) fn insert(&mut self, element: T) -> u32 {
        let element = Some(element);
        if let Some((index, place)) = self.free.take(&mut self.places) {
            place.element = element;
            return index;
        }
        let generation = self.free.generation() as u32;
        self.places.push(Numbered { element, generation, link: TAKEN });
        self.places.len() as u32 - 1
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.places.get(index as usize)?.element.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.places.get_mut(index as usize)?.element.as_mut()
    }

    #[inline]
    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let place = self.places.get_mut(index as usize)?;
        let element = place.element.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.release(&mut self.places, index);
        self.free.give_back(&mut self.places, OF_ONE);
        Some(element)
    }
}
// ANCHOR_END: places

#[cfg(all(test, not(cotask_loom)))]
mod tests;
