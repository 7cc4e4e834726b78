//! Memory after a peak: what grew with the load shrinks with it, once less than a quarter of it is in use.
//!
//! A queue is copied into less memory: [`GiveBack`]. An element that is named by its index cannot move, so a vector of
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
//! A step takes time in proportion to the vector's length, and at least a quarter as many elements have come or gone since
//! the last, so each of them pays for a few places. An element that stays in the upper part keeps all of it.

// ANCHOR: give_back
use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

/// Room for so many elements is never given back, so that a small queue need not allocate each time it fills: about 4 KiB,
/// and more than 8 elements.
const fn kept<T>() -> usize {
    8 + 4096 / (size_of::<T>() + 1)
}

/// The room that is enough, if there is too much. Elements without a size take none.
#[inline]
fn enough<T>(len: usize, capacity: usize) -> Option<usize> {
    let too_much = size_of::<T>() > 0 && capacity > kept::<T>() && len < capacity / 4;
    too_much.then(|| kept::<T>().max(2 * len))
}

/// What may be called after each removal: it costs two comparisons, and a copy now and then.
pub(crate) trait GiveBack {
    /// After a peak: keeps room for twice the elements that there are.
    fn give_back(&mut self);
}

impl<T> GiveBack for VecDeque<T> {
    #[inline]
    fn give_back(&mut self) {
        if let Some(room) = enough::<T>(self.len(), self.capacity()) {
            self.shrink_to(room);
        }
    }
}

impl<T> GiveBack for Vec<T> {
    #[inline]
    fn give_back(&mut self) {
        if let Some(room) = enough::<T>(self.len(), self.capacity()) {
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

/// One place of a vector whose elements are named by their index.
pub(crate) trait Place {
    /// How many elements have left it. A name carries this too, so a name that outlives its element is stale.
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
    /// Where a place begins to count that is made anew: as high as any that was cut off. Otherwise its names would be
    /// ones that stale wakers still hold.
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
        while self.first == NIL && self.closed != NIL {
            self.reopen(places);
        }
        (self.first != NIL).then_some(self.first)
    }

    /// Takes a place. `None` when no place is free: then the caller pushes a new one, which is taken.
    #[inline]
    pub(crate) fn take<P: Place>(&mut self, places: &mut [P]) -> Option<u32> {
        self.taken += 1;
        let index = self.first(places)?;
        self.first = mem::replace(places[index as usize].link(), TAKEN);
        Some(index)
    }

    /// Frees a place, and maybe cuts the vector: free places at its end.
    #[inline]
    pub(crate) fn release<P: Place>(&mut self, places: &mut Vec<P>, index: u32) {
        self.taken -= 1;
        let next = if index < self.closed {
            mem::replace(&mut self.first, index)
        } else {
            self.above -= 1;
            NIL
        };
        *places[index as usize].link() = next;
        if enough::<P>(self.taken(), places.len()).is_some() {
            self.shrink(places);
        }
    }

    #[cold]
    fn shrink<P: Place>(&mut self, places: &mut Vec<P>) {
        while let Some(room) = enough::<P>(self.taken(), places.len()) {
            if self.closed == NIL {
                self.closed = room as u32;
                let free = self.relink(places, 0..room);
                self.above = self.taken - (room - free) as u32;
            }
            if self.above > 0 {
                return;
            }
            let cut = places.drain(self.closed as usize..).map(|place| place.generation());
            self.generation = cut.fold(self.generation, u64::max);
            places.shrink_to_fit();
            self.closed = NIL;
        }
    }

    /// There is no room below: hands out as many of the closed places as there are open ones.
    #[cold]
    fn reopen<P: Place>(&mut self, places: &mut [P]) {
        let from = self.closed as usize;
        let to = places.len().min(2 * from);
        let free = self.relink(places, from..to);
        self.above -= (to - from - free) as u32;
        self.closed = if to < places.len() { to as u32 } else { NIL };
    }

    /// Makes a list of the free ones of these places, in their order, and returns how many they are.
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
        if let Some(index) = self.free.take(&mut self.places) {
            self.places[index as usize].element = element;
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
        Some(element)
    }
}
// ANCHOR_END: places

#[cfg(all(test, not(cotask_loom)))]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Large, so that only 15 of them are never given back.
    struct Big {
        generation: u64,
        link: u32,
        _rest: [u64; 62],
    }

    impl Place for Big {
        fn generation(&self) -> u64 {
            self.generation
        }

        fn link(&mut self) -> &mut u32 {
            &mut self.link
        }
    }

    /// A vector of places, and every name that was ever in use.
    struct World {
        places: Vec<Big>,
        free: FreeList,
        taken: Vec<u32>,
        names: HashSet<(u32, u64)>,
    }

    impl World {
        fn new() -> World {
            World { places: Vec::new(), free: FreeList::new(), taken: Vec::new(), names: HashSet::new() }
        }

        fn insert(&mut self) {
            let expected = self.free.first(&mut self.places);
            let index = self.free.take(&mut self.places).unwrap_or_else(|| {
                let generation = self.free.generation();
                self.places.push(Big { generation, link: TAKEN, _rest: [0; 62] });
                self.places.len() as u32 - 1
            });
            assert_eq!(expected.unwrap_or(self.places.len() as u32 - 1), index);
            self.taken.push(index);
            let name = (index, self.places[index as usize].generation);
            assert!(
                self.names.insert(name),
                "{name:?} was in use before: a stale name finds another's element"
            );
            self.check();
        }

        fn remove(&mut self, which: usize) {
            let index = self.taken.swap_remove(which);
            self.places[index as usize].generation += 1;
            self.free.release(&mut self.places, index);
            // What is too much waits for a last element above, and for nothing else.
            let (len, taken, closed) = (self.places.len(), self.taken.len(), self.free.closed);
            if enough::<Big>(taken, len).is_some() {
                assert!(self.taken.iter().any(|&index| index >= closed), "{len} for {taken}");
            }
        }

        fn check(&mut self) {
            assert_eq!(self.free.taken(), self.taken.len());
            let taken: HashSet<_> = self.taken.iter().copied().collect();
            assert_eq!(taken.len(), self.taken.len(), "a place was given to two");
            for (index, place) in (0..).zip(&mut self.places) {
                assert_eq!(place.is_free(), !taken.contains(&index), "place {index}");
            }
        }
    }

    #[test]
    fn the_upper_part_goes_with_its_last_element() {
        let mut world = World::new();
        (0..100).for_each(|_| world.insert());
        // The last one stays, and 10 others.
        while let Some(which) = world.taken.iter().position(|&index| (10..99).contains(&index)) {
            world.remove(which);
        }
        assert_eq!(world.places.len(), 100);
        // New ones come below, although the place that was freed last is high up. When there are more of them, as many
        // places again are opened.
        for most in [24, 48, 48, 96] {
            let room = most - world.taken.len();
            (0..room / 2).for_each(|_| world.insert());
            assert!(world.taken.iter().all(|&index| index < most as u32 || index == 99));
        }
        while let Some(which) = world.taken.iter().position(|&index| (10..99).contains(&index)) {
            world.remove(which);
        }
        let last = world.taken.iter().position(|&index| index == 99).unwrap();
        world.remove(last);
        assert!(world.places.len() <= 50, "{}", world.places.len());
        (0..100).for_each(|_| world.insert());
        assert_eq!(world.places.len(), 110);
        world.check();
    }

    #[test]
    fn a_queue_keeps_room_for_twice_what_it_holds() {
        let mut queue: VecDeque<u64> = (0..100_000).collect();
        while queue.len() > 1_000 {
            queue.pop_front();
            queue.give_back();
            assert!(queue.len() >= queue.capacity() / 4);
        }
        let mut list = vec![0_u8; 100_000];
        list.clear();
        list.give_back();
        assert!(list.capacity() <= 4096, "{}", list.capacity());
        let mut nothing: VecDeque<()> = (0..1_000).map(|_| ()).collect();
        nothing.give_back();
        assert_eq!(nothing.len(), 1_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn places_are_given_once_and_names_never_again(
            ops in prop::collection::vec((0..40_usize, any::<bool>(), 0..1_000_usize), 0..60),
        ) {
            let mut world = World::new();
            for (count, insert, which) in ops {
                for _ in 0..count {
                    if insert {
                        world.insert();
                    } else if !world.taken.is_empty() {
                        world.remove(which % world.taken.len());
                    }
                }
                world.check();
            }
        }
    }
}
