//! `JoinSet`: which tasks it gives, and what becomes of those that it holds.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use cotask::{JoinSet, Runtime, yield_now};

use crate::cancel::{at_each_poll, poll_lent};
use crate::probes::{OnDrop, settle};

#[test]
fn join_next_leaves_every_task_in_its_set() {
    at_each_poll(async |polls, _| {
        let mut set = JoinSet::new();
        for turns in [4, 0, 2] {
            set.spawn(async move {
                for _ in 0..turns {
                    yield_now().await;
                }
                turns
            });
        }
        let mut taken = Vec::new();
        while !set.is_empty() {
            taken.extend(poll_lent(polls, set.join_next()).await.flatten());
            taken.extend(set.join_next().await);
        }
        let mut taken: Vec<_> = taken.into_iter().map(Result::unwrap).collect();
        taken.sort();
        assert_eq!(taken, [0, 2, 4]);
        assert!(set.join_next().await.is_none());
    });
}

#[test]
fn a_join_set_that_is_dropped_ends_its_tasks() {
    at_each_poll(async |polls, _| {
        let dropped = Rc::new(RefCell::new(Vec::new()));
        let mut set = JoinSet::new();
        for number in 0..3 {
            let kept = OnDrop::new({
                let dropped = Rc::clone(&dropped);
                move || dropped.borrow_mut().push(number)
            });
            set.spawn(async move {
                let _kept = kept;
                if number > 0 {
                    pending::<()>().await;
                }
            });
        }
        drop(poll_lent(polls, set.join_next()).await);
        drop(set);
        settle().await;
        dropped.borrow_mut().sort();
        assert_eq!(*dropped.borrow(), [0, 1, 2]);
    });
}

#[test]
fn a_set_gives_aborted_and_panicked_tasks_too_and_each_once() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let mut set = JoinSet::new();
        set.spawn(pending::<()>());
        set.spawn(async { panic!("in a set") });
        set.spawn(async {});
        settle().await;
        assert_eq!(set.len(), 3);
        set.abort_all();
        let (mut finished, mut panicked, mut cancelled) = (0, 0, 0);
        while let Some(result) = set.join_next().await {
            match result {
                Ok(()) => finished += 1,
                Err(error) if error.is_panic() => panicked += 1,
                Err(_) => cancelled += 1,
            }
        }
        assert_eq!((finished, panicked, cancelled), (1, 1, 1));
    });
}
