//! Models of `sync::Notify`: a flag beside it says what changed, as in real use.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use cotask::sync::Notify;
use interleave::future::block_on;
use interleave::sync::Arc;
use interleave::sync::atomic::{AtomicBool, Ordering::Relaxed};
use interleave::thread;

use crate::model::{Model, Mutant};

const FILE: &str = "src/sync/notify.rs";

pub const MODELS: &[&Model] = &[&CHECK_AND_WAIT, &DROPPED_WAITER, &ALL, &BOTH];

static CHECK_AND_WAIT: Model = Model {
    name: "notify_check_and_wait",
    about: "notify_one between the check and the wait is not missed, and the change is seen",
    invariants: &[4],
    bound: None,
    body: || {
        let (ready, notify) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let changing = thread::spawn({
            let (ready, notify) = (ready.clone(), notify.clone());
            move || {
                ready.store(true, Relaxed);
                notify.notify_one();
            }
        });
        if !ready.load(Relaxed) {
            block_on(notify.notified());
            assert!(ready.load(Relaxed), "woken, and does not see why");
        }
        changing.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "no_permit_is_stored",
            file: FILE,
            from: "None => self.permit = true,",
            to: "None => {}",
        },
        Mutant::Source {
            name: "waiter_is_told_but_not_woken",
            file: FILE,
            from: "*told = Told::One;\n                after.wake(waker);",
            to: "*told = Told::One;\n                after.discard(waker);",
        },
    ],
};

static DROPPED_WAITER: Model = Model {
    name: "notify_dropped_waiter",
    about: "a notification for a future that is dropped goes to the next",
    invariants: &[9],
    bound: Some(3),
    body: || {
        let notify = Arc::new(Notify::new());
        let next = thread::spawn({
            let notify = notify.clone();
            move || block_on(notify.notified())
        });
        let gives_up = thread::spawn({
            let notify = notify.clone();
            move || {
                let told = pin!(notify.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
                if told {
                    // It did learn of it, so the notification was its own; the next needs another.
                    notify.notify_one();
                }
            }
        });
        notify.notify_one();
        next.join().unwrap();
        gives_up.join().unwrap();
    },
    mutants: &[Mutant::Source {
        name: "dropped_waiter_keeps_it",
        file: FILE,
        from: "if told == Told::One {",
        to: "if false {",
    }],
};

static ALL: Model = Model {
    name: "notify_waiters",
    about: "notify_waiters reaches a future that was made before, polled or not",
    invariants: &[4],
    bound: None,
    body: || {
        let (ready, notify) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let changing = thread::spawn({
            let (ready, notify) = (ready.clone(), notify.clone());
            move || {
                ready.store(true, Relaxed);
                notify.notify_waiters();
            }
        });
        let notified = notify.notified();
        if !ready.load(Relaxed) {
            block_on(notified);
            assert!(ready.load(Relaxed), "woken, and does not see why");
        }
        changing.join().unwrap();
        let later = pin!(notify.notified()).poll(&mut Context::from_waker(Waker::noop()));
        assert!(later.is_pending(), "notify_waiters is only for those who were there");
    },
    mutants: &[
        Mutant::Source {
            name: "made_does_not_count",
            file: FILE,
            from: "Stage::Made { rounds } if rounds != state.rounds => Stage::Done,",
            to: "Stage::Made { rounds } if rounds == u64::MAX => Stage::Done,",
        },
        Mutant::Source {
            name: "queued_are_not_told",
            file: FILE,
            from: "*told = Told::All;",
            to: "let _ = told;",
        },
        Mutant::Source {
            name: "notify_waiters_stores_a_permit",
            file: FILE,
            from: "state.rounds += 1;",
            to: "state.rounds += 1;\n            state.permit = true;",
        },
    ],
};

static BOTH: Model = Model {
    name: "notify_one_and_waiters",
    about: "with notify_waiters at the same time, notify_one is neither eaten nor doubled",
    invariants: &[9],
    bound: Some(3),
    body: || {
        let notify = Arc::new(Notify::new());
        let one = thread::spawn({
            let notify = notify.clone();
            move || notify.notify_one()
        });
        let all = thread::spawn({
            let notify = notify.clone();
            move || notify.notify_waiters()
        });
        {
            // Dropped at once: if notify_one had chosen it, that passes on and is stored.
            let told = pin!(notify.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
            if told {
                notify.notify_one();
            }
        }
        one.join().unwrap();
        all.join().unwrap();
        let poll = || pin!(notify.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert!(poll(), "notify_one was lost");
        assert!(!poll(), "one notification became two");
    },
    mutants: &[Mutant::Source {
        name: "notify_waiters_clears_the_permit",
        file: FILE,
        from: "state.rounds += 1;",
        to: "state.rounds += 1;\n            state.permit = false;",
    }],
};
