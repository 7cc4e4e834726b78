//! The limit of a turn: how many polls it has, after which the executor checks for events.
//!
//! Each check costs a system call where there are sockets, so a turn should be long. But an event outside (at a
//! socket, of a timer, from another thread) waits for the turn to end, and one poll may take ten nanoseconds or,
//! where a task computes and only yields now and then, ten milliseconds. So the polls are timed, as cheaply as
//! possible: the clock is read once per turn, and only where more is queued or one full turn follows another. A turn that
//! ends because the run queue is empty needs no limit.

use std::cell::Cell;
use std::time::Duration;

use crate::base::clock::{Clock, Instant};

// ANCHOR: turn_limit
/// The most polls of a turn: how long anything outside may have to wait for a busy run queue (invariant 7).
const MAX_POLLS: u32 = 61;

/// Where polls are long, a turn has so few of them that it takes about this time.
const TARGET_TURN: Duration = Duration::from_millis(1);

pub(crate) struct TurnLimit {
    /// The polls that are left to this turn.
    left: Cell<u32>,
    /// How many a turn has, from 1 to `MAX_POLLS`.
    limit: Cell<u32>,
    /// How long a poll takes, about.
    estimate: Cell<Duration>,
    /// When the last turn ended, if it was cut off and did not run dry.
    cut_off: Cell<Option<Instant>>,
    /// The polls to come until each task has had its turn that was queued when jobs were last taken.
    round: Cell<usize>,
    /// How often the executor has checked for events.
    checks: Cell<u32>,
}

impl TurnLimit {
    /// Expects long polls, and learns within a few turns that they are short.
    pub(crate) fn new() -> TurnLimit {
        TurnLimit {
            left: Cell::new(1),
            limit: Cell::new(1),
            estimate: Cell::new(TARGET_TURN),
            cut_off: Cell::new(None),
            round: Cell::new(0),
            checks: Cell::new(0),
        }
    }

    /// Whether this turn has no polls left: it is time to check for events, though there may be more to poll.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.left.get() == 0
    }

    /// Takes a poll from this turn, which must not be over.
    #[inline]
    pub(crate) fn count(&self) {
        self.left.set(self.left.get() - 1);
    }

    /// The executor checks for events, and the next turn begins. With the queue `dry` there is nothing to poll, and the
    /// thread may sleep.
    ///
    /// Returns true now and then: a thread that never sleeps releases memory only then. More often would be
    /// noticeable where many tasks are spawned again and again.
    pub(crate) fn end(&self, dry: bool, clock: &Clock) -> bool {
        let polls = self.limit.get();
        if self.is_over() && (!dry || self.cut_off.get().is_some()) {
            self.time_polls(polls, clock.now());
        }
        self.round.set(if dry { 0 } else { self.round.get().saturating_sub(polls as usize) });
        if dry {
            self.cut_off.set(None);
        }
        self.left.set(self.limit.get());
        self.checks.set(self.checks.get().wrapping_add(1));
        self.checks.get().is_multiple_of(100_000)
    }

    /// A turn has ended after all its polls: sets the limit for the next one.
    fn time_polls(&self, polls: u32, now: Instant) {
        let Some(before) = self.cut_off.replace(Some(now)) else { return };
        // A running mean: otherwise the short polls between two long ones would hide them.
        self.estimate.set((self.estimate.get() * 7 + (now - before) / polls) / 8);
        let fitting = TARGET_TURN.as_nanos() / self.estimate.get().as_nanos().max(1);
        self.limit.set(fitting.clamp(1, MAX_POLLS.into()) as u32);
    }

    /// How many jobs from other threads may be taken now: as many as a turn has polls, once in each round of the
    /// run queue. A job mostly spawns a task. If each turn took some, a queue of more tasks than a turn has polls
    /// would grow by a turn's jobs at every turn, as long as the other threads send.
    pub(crate) fn jobs(&self) -> usize {
        if self.round.get() == 0 { self.limit.get() as usize } else { 0 }
    }

    /// Jobs were taken and have run; so many tasks are queued now. A round begins.
    pub(crate) fn took_jobs(&self, queued: usize) {
        self.round.set(queued);
    }
}
// ANCHOR_END: turn_limit

#[cfg(test)]
mod tests {
    use super::*;

    /// How many polls the next turn has, if each takes so long.
    fn turn(limit: &TurnLimit, clock: &Clock, poll: Duration) -> u32 {
        let mut polls = 0;
        while !limit.is_over() {
            limit.count();
            polls += 1;
            pass(clock, poll);
        }
        limit.end(false, clock);
        polls
    }

    fn pass(clock: &Clock, time: Duration) {
        if let Clock::Virtual(now) = clock {
            now.set(now.get() + time);
        }
    }

    fn clock() -> Clock {
        Clock::new_virtual()
    }

    #[test]
    fn the_length_of_a_turn_follows_the_length_of_polls() {
        let (limit, clock) = (TurnLimit::new(), clock());
        let (short, long) = (Duration::from_nanos(500), Duration::from_millis(20));
        assert_eq!(turn(&limit, &clock, long), 1, "careful at first");
        let turns = (0..200).map(|_| turn(&limit, &clock, short)).collect::<Vec<_>>();
        assert_eq!(turns.iter().max(), Some(&MAX_POLLS));
        assert_eq!(turns.last(), Some(&MAX_POLLS));
        assert_eq!(turn(&limit, &clock, long), MAX_POLLS, "it cannot know");
        for _ in 0..10 {
            assert_eq!(turn(&limit, &clock, long), 1);
            // As when a timer's task, which is quick, has its turn between two long ones.
            assert_eq!(turn(&limit, &clock, short), 1);
        }
    }

    #[test]
    fn jobs_are_taken_once_in_a_round_as_many_as_a_turn_has_polls() {
        let (limit, clock) = (TurnLimit::new(), clock());
        let short = Duration::from_nanos(500);
        assert_eq!(limit.jobs(), 1, "careful at first");
        assert!((0..200).any(|_| turn(&limit, &clock, short) == MAX_POLLS));
        let turn = || turn(&limit, &clock, short) as usize;
        assert_eq!(limit.jobs(), 61);
        limit.took_jobs(150);
        for polled in [61, 122] {
            assert_eq!(limit.jobs(), 0, "of 150 tasks that were queued some have not had their turn");
            turn();
            assert_eq!(150 - limit.round.get(), polled);
        }
        turn();
        assert_eq!(limit.jobs(), 61);
        limit.took_jobs(150);
        limit.end(true, &clock);
        assert_eq!(limit.jobs(), 61);
    }

    #[test]
    fn a_pause_is_not_taken_for_a_poll() {
        let (limit, clock) = (TurnLimit::new(), clock());
        assert!((0..200).any(|_| turn(&limit, &clock, Duration::from_nanos(500)) == MAX_POLLS));
        limit.end(true, &clock);
        pass(&clock, Duration::from_secs(3_600));
        turn(&limit, &clock, Duration::from_nanos(500));
        assert_eq!(turn(&limit, &clock, Duration::from_nanos(500)), MAX_POLLS);
    }
}
