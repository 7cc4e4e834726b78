//! Notify against a naive model, under random operations: futures that are made, enabled, polled and dropped at any
//! point, wake-ups for one and for all. After every operation both agree on who is through and who has been woken,
//! which tells the order of the queue.

use std::collections::VecDeque;

use cotask::sync::{Notified, Notify};
use proptest::prelude::*;
use tokio_test::task::{Spawn, spawn};

/// What `Notify` is, without a thought for speed.
#[derive(Default)]
struct Wakeups {
    permit: bool,
    rounds: usize,
    /// The waiters, in the order of arrival.
    queue: VecDeque<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Made {
        rounds: usize,
    },
    Queued,
    /// Was the one of a `notify_one`, or one of all.
    Told {
        alone: bool,
    },
    Done,
}

struct Waiter<'a> {
    name: usize,
    stage: Stage,
    /// Whether it was polled since it stands in the queue, and so left a waker.
    polled: bool,
    task: Spawn<Notified<'a>>,
}

impl Wakeups {
    fn notify_one(&mut self, waiters: &mut [Waiter<'_>]) {
        let Some(first) = self.queue.pop_front() else {
            self.permit = true;
            return;
        };
        let first = waiters.iter_mut().find(|waiter| waiter.name == first).expect("it waits");
        first.stage = Stage::Told { alone: true };
    }

    fn notify_waiters(&mut self, waiters: &mut [Waiter<'_>]) {
        self.rounds += 1;
        self.queue.clear();
        for waiter in waiters.iter_mut().filter(|waiter| waiter.stage == Stage::Queued) {
            waiter.stage = Stage::Told { alone: false };
        }
    }

    /// Whether it is through.
    fn advance(&mut self, waiter: &mut Waiter<'_>) -> bool {
        waiter.stage = match waiter.stage {
            Stage::Made { rounds } if rounds != self.rounds => Stage::Done,
            Stage::Made { .. } if std::mem::take(&mut self.permit) => Stage::Done,
            Stage::Made { .. } => {
                self.queue.push_back(waiter.name);
                Stage::Queued
            }
            Stage::Queued => Stage::Queued,
            Stage::Told { .. } | Stage::Done => Stage::Done,
        };
        waiter.stage == Stage::Done
    }
}

#[derive(Clone, Debug)]
enum Call {
    One,
    All,
    Make,
    Poll(usize),
    Enable(usize),
    Drop(usize),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        4 => Just(Call::One),
        1 => Just(Call::All),
        4 => Just(Call::Make),
        6 => (0..6_usize).prop_map(Call::Poll),
        3 => (0..6_usize).prop_map(Call::Enable),
        3 => (0..6_usize).prop_map(Call::Drop),
    ];
    prop::collection::vec(call, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn notify_behaves_like_the_model(calls in calls()) {
        let notify = Notify::new();
        let mut model = Wakeups::default();
        let mut waiters: Vec<Waiter<'_>> = Vec::new();

        for (name, call) in calls.into_iter().enumerate() {
            match call {
                Call::One => {
                    notify.notify_one();
                    model.notify_one(&mut waiters);
                }
                Call::All => {
                    notify.notify_waiters();
                    model.notify_waiters(&mut waiters);
                }
                Call::Make => {
                    let stage = Stage::Made { rounds: model.rounds };
                    waiters.push(Waiter { name, stage, polled: false, task: spawn(notify.notified()) });
                }
                Call::Poll(which) if which < waiters.len() => {
                    let waiter = &mut waiters[which];
                    prop_assert_eq!(waiter.task.poll().is_ready(), model.advance(waiter));
                    waiter.polled = true;
                }
                Call::Enable(which) if which < waiters.len() => {
                    let waiter = &mut waiters[which];
                    prop_assert_eq!(waiter.task.enter(|_, notified| notified.enable()), model.advance(waiter));
                }
                Call::Drop(which) if which < waiters.len() => {
                    let Waiter { name, stage, task, .. } = waiters.remove(which);
                    drop(task);
                    model.queue.retain(|&other| other != name);
                    if stage == (Stage::Told { alone: true }) {
                        model.notify_one(&mut waiters);
                    }
                }
                Call::Poll(_) | Call::Enable(_) | Call::Drop(_) => {}
            }
            for Waiter { name, stage, polled, task } in &waiters {
                match stage {
                    Stage::Told { .. } => prop_assert_eq!(task.is_woken(), *polled, "waiter {}", name),
                    Stage::Queued => prop_assert!(!task.is_woken(), "waiter {} was woken for nothing", name),
                    Stage::Made { .. } | Stage::Done => {}
                }
            }
        }
    }
}
