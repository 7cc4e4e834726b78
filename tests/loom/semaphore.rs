//! Models of `sync::Semaphore`.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use cotask::sync::Semaphore;
use interleave::future::block_on;
use interleave::sync::Arc;
use interleave::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use interleave::thread;

use crate::model::{Model, Mutant};

const FILE: &str = "src/sync/permits.rs";

pub const MODELS: &[&Model] = &[&RELEASE, &DROPPED_WAITER, &LARGE_WAITER_LEAVES, &CLOSE];

static RELEASE: Model = Model {
    name: "semaphore_release",
    about: "three tasks share one permit: never two inside, everybody gets in",
    invariants: &[4],
    bound: Some(3),
    body: || {
        let semaphore = Arc::new(Semaphore::new(1));
        // Not an atomic counter's doing: a load and a store, which only the permit keeps together.
        let inside = Arc::new(AtomicUsize::new(0));
        let enter = |semaphore: Arc<Semaphore>, inside: Arc<AtomicUsize>| {
            let _permit = block_on(semaphore.acquire()).unwrap();
            assert_eq!(inside.load(Relaxed), 0, "two at once");
            inside.store(1, Relaxed);
            inside.store(0, Relaxed);
        };
        let others: Vec<_> = (0..2)
            .map(|_| {
                let (semaphore, inside) = (semaphore.clone(), inside.clone());
                thread::spawn(move || enter(semaphore, inside))
            })
            .collect();
        enter(semaphore.clone(), inside);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(semaphore.available_permits(), 1);
    },
    mutants: &[
        Mutant::Source {
            name: "release_wakes_nobody",
            file: FILE,
            from: "self.free -= first.wanted;\n            after.wake(waker);",
            to: "self.free -= first.wanted;\n            after.discard(waker);",
        },
        Mutant::Source {
            name: "taking_takes_nothing",
            file: FILE,
            from: "self.free -= wanted;\n        Ok(())",
            to: "Ok(())",
        },
    ],
};

static DROPPED_WAITER: Model = Model {
    name: "semaphore_dropped_waiter",
    about: "a permit granted to a future that is dropped goes to the next in the queue",
    invariants: &[9],
    bound: Some(3),
    body: || {
        let semaphore = Arc::new(Semaphore::new(0));
        let next = thread::spawn({
            let semaphore = semaphore.clone();
            move || block_on(semaphore.acquire()).unwrap().forget()
        });
        let gives_up = thread::spawn({
            let semaphore = semaphore.clone();
            move || {
                let _ = pin!(semaphore.acquire()).poll(&mut Context::from_waker(Waker::noop()));
            }
        });
        semaphore.add_permits(1);
        next.join().unwrap();
        gives_up.join().unwrap();
        assert_eq!(semaphore.available_permits(), 0);
    },
    mutants: &[
        Mutant::Source {
            name: "dropped_waiter_keeps_its_grant",
            file: FILE,
            from: "self.give(if request.granted { request.wanted } else { 0 }, after);",
            to: "self.give(0, after);",
        },
        Mutant::Source {
            name: "dropped_waiter_gives_back_what_it_never_had",
            file: FILE,
            from: "self.give(if request.granted { request.wanted } else { 0 }, after);",
            to: "self.give(request.wanted, after);",
        },
    ],
};

static LARGE_WAITER_LEAVES: Model = Model {
    name: "semaphore_large_waiter_leaves",
    about: "the first in the queue wants many and gives up: the next, which wants few, goes on",
    invariants: &[9],
    bound: None,
    body: || {
        let semaphore = Arc::new(Semaphore::new(1));
        let few = thread::spawn({
            let semaphore = semaphore.clone();
            move || drop(block_on(semaphore.acquire()).unwrap())
        });
        let many = pin!(semaphore.acquire_many(2)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(many.is_pending());
        few.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    },
    mutants: &[Mutant::Source {
        name: "only_a_granted_waiter_looks_at_the_next",
        file: FILE,
        from: "self.give(if request.granted { request.wanted } else { 0 }, after);",
        to: "if request.granted { self.give(request.wanted, after); }",
    }],
};

static CLOSE: Model = Model {
    name: "semaphore_close",
    about: "close while one acquires: a permit or an error, never a wait without end",
    invariants: &[9],
    bound: Some(3),
    body: || {
        let semaphore = Arc::new(Semaphore::new(0));
        let closing = thread::spawn({
            let semaphore = semaphore.clone();
            move || semaphore.close()
        });
        let adding = thread::spawn({
            let semaphore = semaphore.clone();
            move || semaphore.add_permits(1)
        });
        let got = block_on(semaphore.acquire()).map(|permit| permit.forget()).is_ok();
        closing.join().unwrap();
        adding.join().unwrap();
        assert_eq!(semaphore.available_permits(), usize::from(!got));
    },
    mutants: &[
        Mutant::Source {
            name: "close_takes_grants_away",
            file: FILE,
            from: "return Poll::Ready(if granted { Ok(()) } else { Err(()) });",
            to: "return Poll::Ready(if self.closed { Err(()) } else { Ok(()) });",
        },
        Mutant::Source {
            name: "those_turned_away_wait_again",
            file: FILE,
            from: "if granted || self.closed {",
            to: "if granted {",
        },
    ],
};
