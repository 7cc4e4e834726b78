//! The free list against a plain list of what is taken.

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
    keys: HashSet<(u32, u64)>,
}

impl World {
    fn new() -> World {
        World { places: Vec::new(), free: FreeList::new(), taken: Vec::new(), keys: HashSet::new() }
    }

    fn insert(&mut self) {
        let expected = self.free.first(&mut self.places);
        let free = self.free.take(&mut self.places).map(|(index, _)| index);
        let index = free.unwrap_or_else(|| {
            let generation = self.free.generation();
            self.places.push(Big { generation, link: TAKEN, _rest: [0; 62] });
            self.places.len() as u32 - 1
        });
        assert_eq!(expected.unwrap_or(self.places.len() as u32 - 1), index);
        self.taken.push(index);
        let key = (index, self.places[index as usize].generation);
        assert!(self.keys.insert(key), "{key:?} was in use before: a stale key finds another's element");
        self.check();
    }

    fn remove(&mut self, which: usize) {
        let index = self.taken.swap_remove(which);
        self.places[index as usize].generation += 1;
        self.free.release(&mut self.places, index);
        self.free.give_back(&mut self.places, OF_ONE);
        // What is too much waits for a last element above, and for nothing else.
        let (len, taken, closed) = (self.places.len(), self.taken.len(), self.free.closed);
        if enough::<Big>(taken, len, OF_ONE).is_some() {
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
    for max in [24, 48, 48, 96] {
        let room = max - world.taken.len();
        (0..room / 2).for_each(|_| world.insert());
        assert!(world.taken.iter().all(|&index| index < max as u32 || index == 99));
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
        queue.give_back(OF_ONE);
        assert!(queue.len() >= queue.capacity() / 4);
    }
    let mut list = vec![0_u8; 100_000];
    list.clear();
    list.give_back(OF_ONE);
    assert!(list.capacity() <= 4096, "{}", list.capacity());
    let mut nothing: VecDeque<()> = (0..1_000).map(|_| ()).collect();
    nothing.give_back(OF_ONE);
    assert_eq!(nothing.len(), 1_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn places_are_given_once_and_keys_never_again(
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
