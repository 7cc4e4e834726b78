//! The wheel against a sorted list, which is what it stands for.

use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use proptest::prelude::*;

use super::{HORIZON, SMALL, TimerKey, Wheel};

/// The numbers of the wakers that were woken, in order.
type Woken = Arc<Mutex<Vec<usize>>>;

struct Numbered(usize, Woken);

impl Wake for Numbered {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

fn numbered(number: usize, woken: &Woken) -> Waker {
    Waker::from(Arc::new(Numbered(number, Arc::clone(woken))))
}

/// The wheel and the list side by side.
struct Pair {
    wheel: Wheel,
    now: u64,
    /// Timers that are set: tick and number.
    naive: Vec<(u64, usize)>,
    /// By number, of all that were ever set, and whether the wheel took it.
    keys: Vec<Option<TimerKey>>,
    woken: Woken,
    most_alive: usize,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    /// So many ticks ahead of now.
    Insert(u64),
    Cancel(usize),
    /// Gives a timer a new waker, of the same number.
    Replace(usize),
    /// On by so many ticks.
    Advance(u64),
    /// On to what the wheel says is next.
    AdvanceToNext,
}

impl Pair {
    fn new(now: u64) -> Pair {
        let (wheel, woken) = (Wheel::new(now), Woken::default());
        Pair { wheel, now, naive: Vec::new(), keys: Vec::new(), woken, most_alive: 0 }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Insert(ahead) => {
                let (tick, number) = (self.now.saturating_add(ahead), self.keys.len());
                let set = self.wheel.insert(tick, numbered(number, &self.woken));
                assert_eq!(set.is_ok(), tick > self.now, "a timer for a tick that is past or present");
                if set.is_ok() {
                    self.naive.push((tick, number));
                }
                self.keys.push(set.ok());
                self.most_alive = self.most_alive.max(self.naive.len());
            }
            Op::Cancel(which) => {
                let Some((number, key)) = self.pick(which) else { return };
                let alive = self.naive.iter().position(|&(_, alive)| alive == number);
                assert_eq!(self.wheel.cancel(key).is_some(), alive.is_some());
                alive.map(|place| self.naive.remove(place));
            }
            Op::Replace(which) => {
                let Some((number, key)) = self.pick(which) else { return };
                let alive = self.naive.iter().any(|&(_, alive)| alive == number);
                let replaced = self.wheel.replace_waker(key, numbered(number, &self.woken));
                assert_eq!(replaced.is_ok(), alive);
            }
            Op::Advance(by) => self.advance(self.now.saturating_add(by)),
            Op::AdvanceToNext => {
                if let Some(next) = self.wheel.next_tick() {
                    self.advance(next);
                }
            }
        }
        self.check();
    }

    fn pick(&self, which: usize) -> Option<(usize, TimerKey)> {
        let number = which % self.keys.len().max(1);
        let key = *self.keys.get(number)?;
        Some((number, key?))
    }

    fn advance(&mut self, to: u64) {
        let mut due = Vec::new();
        self.wheel.advance(to, &mut due);
        self.now = to;
        due.into_iter().for_each(|(_, waker)| waker.wake());
        let mut expected: Vec<_> = self.naive.iter().copied().filter(|&(tick, _)| tick <= to).collect();
        self.naive.retain(|&(tick, _)| tick > to);
        // Stable: within a tick in the order in which they were set.
        expected.sort_by_key(|&(tick, _)| tick);
        let expected: Vec<_> = expected.into_iter().map(|(_, number)| number).collect();
        assert_eq!(std::mem::take(&mut *self.woken.lock().unwrap()), expected, "the timers due at {to}");
    }

    fn check(&self) {
        assert_eq!(self.wheel.len(), self.naive.len());
        assert!(
            self.wheel.entries.len() <= self.most_alive,
            "an entry of a timer that has ended was not used again"
        );
        for slot in self.wheel.slots.iter().flatten() {
            let max = if slot.live == 0 { 0 } else { SMALL + 2 * slot.live as usize };
            assert!(slot.indices.len() <= max, "{} places for {} timers", slot.indices.len(), slot.live);
        }
        let earliest = self.naive.iter().map(|&(tick, _)| tick).min();
        match (self.wheel.next_tick(), earliest) {
            (None, None) => {}
            (Some(next), Some(earliest)) => {
                assert!(self.now < next && next <= earliest, "next {next}, now {}, due {earliest}", self.now);
                let far = earliest - self.now >= 64;
                assert!(
                    far || next == earliest || next % 64 == 0,
                    "near, and neither exact nor a slot's start"
                );
            }
            (next, earliest) => panic!("next {next:?}, earliest {earliest:?}"),
        }
        for (number, key) in self.keys.iter().enumerate() {
            let alive = self.naive.iter().any(|&(_, alive)| alive == number);
            assert_eq!(key.is_some_and(|key| self.wheel.is_set(key)), alive, "timer {number}");
        }
    }
}

/// Spans of all sizes, and those next to a slot's or a level's edge.
fn spans(limit: u32) -> impl Strategy<Value = u64> {
    let edges = (0..limit, -2_i64..=2).prop_map(|(bit, off)| (1_u64 << bit).saturating_add_signed(off));
    prop_oneof![0..200_u64, edges, (0..limit, any::<u64>()).prop_map(|(bit, any)| any % (1 << bit).max(1))]
}

fn ops(farthest: u32) -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => spans(farthest).prop_map(Op::Insert),
        2 => any::<usize>().prop_map(Op::Cancel),
        1 => any::<usize>().prop_map(Op::Replace),
        1 => spans(farthest).prop_map(Op::Advance),
        2 => Just(Op::AdvanceToNext),
    ];
    prop::collection::vec(op, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_wheel_does_what_a_sorted_list_does(start in spans(43), ops in ops(35)) {
        let mut pair = Pair::new(start);
        ops.into_iter().for_each(|op| pair.apply(op));
    }

    /// Beyond the horizon too, more than two years, and beyond all that the clock can say, 2^44 ticks.
    /// There the order within a tick is not kept: what stands beyond is placed anew when the time comes.
    #[test]
    fn a_timer_beyond_the_horizon_is_due_at_its_tick(
        start in prop_oneof![spans(45), Just(u64::MAX - HORIZON), Just(u64::MAX - 1_000)],
        ahead in prop_oneof![spans(45), HORIZON - 3..HORIZON + 3],
        on_the_way in spans(45),
    ) {
        let mut pair = Pair::new(start);
        pair.apply(Op::Insert(ahead));
        pair.apply(Op::Advance(on_the_way.min(ahead / 2)));
        let mut steps = 0;
        while pair.wheel.next_tick().is_some() {
            pair.apply(Op::AdvanceToNext);
            steps += 1;
        }
        // One a level, and one for each time that the top level has gone round.
        let bound = 7 + ahead / HORIZON;
        prop_assert!(steps <= bound, "{steps} wake-ups for a timer {ahead} ticks ahead");
    }
}

#[test]
fn the_last_tick_of_all_can_be_set_and_cancelled() {
    for start in [0, 1 << 36, u64::MAX - HORIZON, u64::MAX - 1] {
        let mut pair = Pair::new(start);
        pair.apply(Op::Insert(u64::MAX));
        pair.apply(Op::Insert(1));
        pair.apply(Op::AdvanceToNext);
        pair.apply(Op::Cancel(0));
        assert_eq!(pair.wheel.len(), 0);
    }
}

#[test]
fn gaps_of_cancelled_timers_are_closed_and_the_order_stays() {
    let mut pair = Pair::new(0);
    let timers = 3 * SMALL;
    (0..timers).for_each(|_| pair.apply(Op::Insert(70)));
    for number in (0..timers).filter(|number| number % 10 != 0) {
        pair.apply(Op::Cancel(number));
    }
    // What has moved within the list can still be cancelled.
    pair.apply(Op::Cancel(timers / 2 / 10 * 10));
    (0..5).for_each(|_| pair.apply(Op::Insert(70)));
    pair.apply(Op::Advance(70));
    assert_eq!(pair.wheel.len(), 0);
}

#[test]
fn one_jump_takes_all_levels_along() {
    let mut pair = Pair::new(12_345);
    for level in 0..6 {
        for slot in [0, 1, 31, 62] {
            pair.apply(Op::Insert(slot << (6 * level)));
            pair.apply(Op::Insert((slot << (6 * level)) + 1));
        }
    }
    pair.apply(Op::Advance(HORIZON + 1));
    assert_eq!(pair.wheel.len(), 0);
}

#[test]
fn what_is_set_and_cancelled_costs_one_entry() {
    let mut pair = Pair::new(0);
    for round in 0..1_000 {
        pair.apply(Op::Insert(1 + round * 97));
        pair.apply(Op::Cancel(round as usize));
    }
    assert_eq!(pair.wheel.entries.len(), 1);
}

#[test]
fn a_key_that_outlived_its_timer_finds_nothing_in_its_heirs_place() {
    let mut pair = Pair::new(0);
    pair.apply(Op::Insert(5));
    let stale = pair.keys[0].unwrap();
    pair.apply(Op::Cancel(0));
    pair.apply(Op::Insert(9));
    let heir = pair.keys[1].unwrap();
    assert_eq!(stale.index, heir.index);
    assert!(pair.wheel.cancel(stale).is_none());
    assert!(pair.wheel.replace_waker(stale, Waker::noop().clone()).is_err());
    assert!(pair.wheel.is_set(heir));
}
