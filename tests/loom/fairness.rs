//! Models of the order in which waiters are served: the first to come goes first, even if others come meanwhile.
//!
//! In each the first waiter is in the queue before the second's thread begins. What the second then finds says
//! whether it has overtaken: a flag, which only the hand-over from the first can have made visible.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use cotask::sync::{Mutex, Notify, Semaphore, mpsc};
use interleave::future::block_on;
use interleave::sync::Arc;
use interleave::sync::atomic::{AtomicBool, Ordering::Relaxed};
use interleave::thread;

use crate::model::{Model, Mutant};

pub const MODELS: &[&Model] = &[&SEMAPHORE, &MUTEX, &NOTIFY, &MPSC];

/// Puts a future into its queue.
fn queue_up<F: Future>(future: Pin<&mut F>) {
    assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

const LAST_COME_FIRST_SERVED: Mutant = Mutant::Source {
    name: "last_come_first_served",
    file: "src/sync/wait_list.rs",
    from: "let index = self.head?;",
    to: "let index = self.tail?;",
};

static SEMAPHORE: Model = Model {
    name: "fair_semaphore",
    about: "permits come one by one: a waiter for two has them before a late-comer has one",
    invariants: &[7],
    bound: Some(3),
    body: || {
        let semaphore = Arc::new(Semaphore::new(0));
        let served = Arc::new(AtomicBool::new(false));
        let mut first = pin!(semaphore.acquire_many(2));
        queue_up(first.as_mut());
        let second = thread::spawn({
            let (semaphore, served) = (semaphore.clone(), served.clone());
            move || {
                drop(block_on(semaphore.acquire()).unwrap());
                assert!(served.load(Relaxed), "the second has overtaken the first");
            }
        });
        let adding = thread::spawn({
            let semaphore = semaphore.clone();
            move || (0..2).for_each(|_| semaphore.add_permits(1))
        });
        let permits = block_on(first).unwrap();
        served.store(true, Relaxed);
        drop(permits);
        second.join().unwrap();
        adding.join().unwrap();
    },
    mutants: &[
        LAST_COME_FIRST_SERVED,
        Mutant::Source {
            name: "who_wants_little_does_not_queue",
            file: "src/sync/permits.rs",
            from: "if self.free < wanted || !self.queue.is_empty() {",
            to: "if self.free < wanted {",
        },
    ],
};

static MUTEX: Model = Model {
    name: "fair_mutex",
    about: "a lock is handed to the longest waiter, and no other task takes it in between",
    invariants: &[7],
    bound: Some(3),
    body: || {
        let mutex = Arc::new(Mutex::new(0));
        let guard = mutex.try_lock().unwrap();
        let mut first = pin!(mutex.lock());
        queue_up(first.as_mut());
        let second = thread::spawn({
            let mutex = mutex.clone();
            move || assert_eq!(*block_on(mutex.lock()), 1, "the second has overtaken the first")
        });
        drop(guard);
        *block_on(first) = 1;
        second.join().unwrap();
    },
    mutants: &[LAST_COME_FIRST_SERVED],
};

static NOTIFY: Model = Model {
    name: "fair_notify",
    about: "notify_one wakes the longest waiter, not one that comes just then",
    invariants: &[7],
    bound: Some(3),
    body: || {
        let notify = Arc::new(Notify::new());
        let woken = Arc::new(AtomicBool::new(false));
        let mut first = pin!(notify.notified());
        queue_up(first.as_mut());
        let second = thread::spawn({
            let (notify, woken) = (notify.clone(), woken.clone());
            move || {
                block_on(notify.notified());
                assert!(woken.load(Relaxed), "the second has overtaken the first");
            }
        });
        let notifying = thread::spawn({
            let notify = notify.clone();
            move || notify.notify_one()
        });
        block_on(first);
        woken.store(true, Relaxed);
        notify.notify_one();
        second.join().unwrap();
        notifying.join().unwrap();
    },
    mutants: &[
        LAST_COME_FIRST_SERVED,
        Mutant::Source {
            name: "stored_for_whoever_comes",
            file: "src/sync/notify.rs",
            from: "match self.waiters.pop_front() {",
            to: "match self.waiters.pop_front().filter(|_| false) {",
        },
    ],
};

static MPSC: Model = Model {
    name: "fair_mpsc",
    about: "two senders wait for room: what the first sends arrives first",
    invariants: &[7],
    bound: Some(3),
    body: || {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.try_send(0).unwrap();
        let other = sender.clone();
        let mut first = pin!(sender.send(1));
        queue_up(first.as_mut());
        let second = thread::spawn(move || block_on(other.send(2)).unwrap());
        assert_eq!(block_on(receiver.recv()), Some(0));
        block_on(first).unwrap();
        assert_eq!(block_on(receiver.recv()), Some(1), "the second has overtaken the first");
        assert_eq!(block_on(receiver.recv()), Some(2));
        second.join().unwrap();
    },
    mutants: &[
        LAST_COME_FIRST_SERVED,
        Mutant::Source {
            name: "a_late_sender_takes_what_was_granted",
            file: "src/sync/permits.rs",
            from: "first.granted = true;\n            self.free -= first.wanted;",
            to: "first.granted = true;",
        },
    ],
};
