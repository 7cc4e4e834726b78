//! # A timeout rounded down
//!
//! **What happened.** The kernel's poll takes whole milliseconds. A timer is due in 900 microseconds, and
//! `as_millis()` makes that 0. The poll returns at once, the timer is not due, the loop goes round: 900 microseconds of
//! one core at full speed, in the end of *every* timer. The hasty repair, one millisecond more for all, makes every
//! timer late, and lets a timer that is due already wait.
//!
//! **Seen.** [smol #109](https://github.com/smol-rs/smol/pull/109), high load from timers below a millisecond;
//! [mio #1614](https://github.com/tokio-rs/mio/issues/1614), some 50,000 calls of `epoll_wait` a second in a program
//! that only waits; [calloop #142](https://github.com/Smithay/calloop/issues/142) is the hasty repair.
//!
//! **Why it is hard to see.** Every timer fires, and on time. It costs only electricity. loom cannot see it: it has no
//! clock. So the clock is turned by hand here, and the rounds of the loop are counted.
//!
//! **Remember.** A sleep is rounded up, to the first whole unit that is not before the deadline. Zero stays zero.

use super::Calls;
use crate::model::{Model, Mutant};

/// A clock in microseconds that moves only in a sleep, and a little for each round of the loop.
#[derive(Default)]
struct Kernel {
    now: u64,
    polls: u32,
}

impl Kernel {
    const ROUND: u64 = 1;

    fn poll(&mut self, millis: u64) {
        self.polls += 1;
        self.now += Kernel::ROUND + millis * 1000;
    }
}

// ANCHOR: broken
fn millis_broken(micros: u64) -> u64 {
    micros / 1000
}

fn millis_one_more(micros: u64) -> u64 {
    micros / 1000 + 1
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn millis_fixed(micros: u64) -> u64 {
    micros.div_ceil(1000)
}
// ANCHOR_END: fixed

/// An event loop with one timer. Returns when it fired.
fn run(kernel: &mut Kernel, deadline: u64, to_millis: fn(u64) -> u64) -> u64 {
    while kernel.now < deadline {
        kernel.poll(to_millis(deadline - kernel.now));
    }
    kernel.now
}

// ANCHOR: model
fn model(to_millis: fn(u64) -> u64) {
    for deadline in [0, 1, 900, 1000, 1500, 3000] {
        timer(to_millis, deadline);
    }
    assert_eq!(to_millis(0), 0, "what is due waits for nothing");
}

fn timer(to_millis: fn(u64) -> u64, deadline: u64) {
    let mut kernel = Kernel::default();
    let fired = run(&mut kernel, deadline, to_millis);
    assert!(kernel.polls <= 1, "{} polls for a timer of {deadline} µs", kernel.polls);
    assert!(fired >= deadline, "a timer of {deadline} µs fired after {fired} µs");
    assert!(fired <= deadline.next_multiple_of(1000) + Kernel::ROUND, "{deadline} µs took {fired} µs");
}
// ANCHOR_END: model

/// Any deadlines, in quarters of a millisecond.
fn calls(to_millis: fn(u64) -> u64, calls: &[u8]) {
    for quarters in calls {
        timer(to_millis, u64::from(*quarters) * 250);
    }
}

pub const CALLS: &[Calls] =
    &[|all| calls(millis_fixed, all), |all| calls(millis_broken, all), |all| calls(millis_one_more, all)];

pub static MODEL: Model = Model {
    name: "museum_timeout_rounded_down",
    about: "a sleep is rounded up, and zero stays zero",
    invariants: &[6, 11],
    bound: None,
    body: || model(millis_fixed),
    mutants: &[
        Mutant::Body { name: "broken", body: || model(millis_broken) },
        Mutant::Body { name: "one_more_for_all", body: || model(millis_one_more) },
    ],
};
