//! Models of `sync::Mutex`.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use cotask::sync::Mutex;
use interleave::future::block_on;
use interleave::sync::Arc;
use interleave::thread;

use crate::model::{Model, Mutant};

pub const MODELS: &[&Model] = &[&EXCLUSION, &HAND_OVER];

static EXCLUSION: Model = Model {
    name: "mutex_exclusion",
    about: "what two tasks do under the lock is done one after the other, and each sees what the other did",
    invariants: &[4],
    bound: Some(3),
    body: || {
        let mutex = Arc::new(Mutex::new(0));
        let theirs = mutex.clone();
        let other = thread::spawn(move || *block_on(theirs.lock()) += 1);
        {
            let mut guard = block_on(mutex.lock());
            let before = *guard;
            thread::yield_now();
            *guard = before + 1;
        }
        other.join().unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 2);
    },
    mutants: &[
        Mutant::Source {
            name: "lock_freed_before_the_value_is_back",
            file: "src/sync/mutex.rs",
            from: "        locked(&self.state, |state, after| {
            state.value = value;
            state.permits.give(1, after);
        });",
            to: "        locked(&self.state, |state, after| state.permits.give(1, after));
        self.state.lock().value = value;",
        },
        Mutant::Source {
            name: "unlock_wakes_nobody",
            file: "src/sync/permits.rs",
            from: "self.free -= first.wanted;\n            after.wake(waker);",
            to: "self.free -= first.wanted;\n            after.discard(waker);",
        },
    ],
};

static HAND_OVER: Model = Model {
    name: "mutex_hand_over",
    about: "a lock granted to a future that is dropped goes to the next in the queue",
    invariants: &[9],
    bound: Some(3),
    body: || {
        let mutex = Arc::new(Mutex::new(()));
        let guard = mutex.try_lock().unwrap();
        let next = thread::spawn({
            let mutex = mutex.clone();
            move || drop(block_on(mutex.lock()))
        });
        let gives_up = thread::spawn({
            let mutex = mutex.clone();
            move || {
                let _ = pin!(mutex.lock()).poll(&mut Context::from_waker(Waker::noop()));
            }
        });
        drop(guard);
        next.join().unwrap();
        gives_up.join().unwrap();
    },
    mutants: &[Mutant::Source {
        name: "dropped_waiter_keeps_its_grant",
        file: "src/sync/permits.rs",
        from: "self.give(if request.granted { request.wanted } else { 0 }, after);",
        to: "self.give(0, after);",
    }],
};
