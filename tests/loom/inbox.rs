//! Models of `inbox`: a runtime's thread that goes to sleep while others wake its tasks, and that ends.

use cotask::inside::{Inbox, Mail, Registry, TaskKey};
use interleave::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use interleave::sync::{Arc, Notify};
use interleave::thread;

use crate::model::{Model, Mutant};

const FILE: &str = "src/executor/inbox.rs";

pub const MODELS: &[&Model] = &[&SLEEP, &TWO_WAKERS, &HINT, &PORTIONS, &CLOSE, &REGISTRY];

/// What the owner of an inbox has: the inbox, and the poller's eventfd, which keeps a signal until it is waited for.
struct Owner {
    inbox: Arc<Inbox>,
    eventfd: Arc<Notify>,
}

impl Owner {
    fn new() -> Owner {
        let eventfd = Arc::new(Notify::new());
        let written = eventfd.clone();
        Owner { inbox: Arc::new(Inbox::new(Box::new(move || written.notify()))), eventfd }
    }

    /// Sleeps until there is mail, as the executor does, and returns the slots of the woken tasks.
    fn sleep(&self) -> Vec<u32> {
        let mut mail = Mail::default();
        while mail.keys.is_empty() {
            if self.inbox.begin_park() {
                self.eventfd.wait();
            }
            self.inbox.take(&mut mail, 1);
        }
        mail.keys.iter().map(|key| key.slot()).collect()
    }
}

fn task(slot: u32) -> TaskKey {
    TaskKey::new(0, 0, slot)
}

// ANCHOR: mutant
const CHECK_THEN_PARK: Mutant = Mutant::Source {
    name: "checked_and_parked_in_two_sections",
    file: FILE,
    from: "state.parked = state.mail.is_empty();\n        state.parked",
    to: "let empty = state.mail.is_empty();
         drop(state);
         self.state.lock().parked = empty;
         empty",
};
// ANCHOR_END: mutant

// ANCHOR: sleep
static SLEEP: Model = Model {
    name: "inbox",
    about: "a wake while the owner is about to sleep ends the sleep, and the poll sees what was written before",
    invariants: &[1, 4, 6],
    bound: None,
    body: || {
        let owner = Owner::new();
        let written = Arc::new(AtomicUsize::new(0));
        let (inbox, theirs) = (owner.inbox.clone(), written.clone());
        let waking = thread::spawn(move || {
            theirs.store(1, Relaxed);
            inbox.send(task(7));
        });
        assert_eq!(owner.sleep(), [7]);
        assert_eq!(written.load(Relaxed), 1);
        waking.join().unwrap();
    },
    // ANCHOR_END: sleep
    mutants: &[
        CHECK_THEN_PARK,
        Mutant::Source {
            name: "parked_taken_before_the_push",
            file: FILE,
            from: "        put(&mut state.mail);
        self.nonempty.store(true, Ordering::Relaxed);
        let was_parked = mem::take(&mut state.parked);
        drop(state);",
            to: "        let was_parked = mem::take(&mut state.parked);
        drop(state);
        put(&mut self.state.lock().mail);
        self.nonempty.store(true, Ordering::Relaxed);",
        },
        Mutant::Source {
            name: "no_write_to_the_eventfd",
            file: FILE,
            from: "        if was_parked {\n            (self.unpark)();\n        }",
            to: "        let _ = was_parked;",
        },
    ],
};

static TWO_WAKERS: Model = Model {
    name: "inbox_two_wakers",
    about: "two threads that wake two tasks at once: both are polled, and one write ends one sleep",
    invariants: &[1, 6],
    bound: Some(3),
    body: || {
        let owner = Owner::new();
        let waking = [1, 2].map(|slot| {
            let inbox = owner.inbox.clone();
            thread::spawn(move || inbox.send(task(slot)))
        });
        let mut woken = owner.sleep();
        while woken.len() < 2 {
            woken.extend(owner.sleep());
        }
        woken.sort_unstable();
        assert_eq!(woken, [1, 2]);
        for thread in waking {
            thread.join().unwrap();
        }
    },
    mutants: &[
        CHECK_THEN_PARK,
        Mutant::Source {
            name: "mail_replaced_by_the_last_name",
            file: FILE,
            from: "self.push(|mail| mail.keys.push(key));",
            to: "self.push(|mail| mail.keys = vec![key]);",
        },
    ],
};

static HINT: Model = Model {
    name: "inbox_hint",
    about: "an owner that never sleeps: mail it has not taken shows in the hint",
    invariants: &[7],
    bound: None,
    body: || {
        let owner = Owner::new();
        let inbox = owner.inbox.clone();
        let waking = thread::spawn(move || inbox.send(task(7)));
        let mut mail = Mail::default();
        owner.inbox.take(&mut mail, 1);
        waking.join().unwrap();
        assert!(!mail.keys.is_empty() || owner.inbox.looks_nonempty());
    },
    mutants: &[Mutant::Source {
        name: "hint_cleared_after_the_lock",
        file: FILE,
        from: "self.nonempty.store(!state.mail.is_empty(), Ordering::Relaxed);",
        to: "let empty = state.mail.is_empty();
        drop(state);
        self.nonempty.store(!empty, Ordering::Relaxed);",
    }],
};

static PORTIONS: Model = Model {
    name: "inbox_portions",
    about: "an owner that takes one job at a look: each job runs, in the order in which it was sent",
    invariants: &[6, 7],
    bound: None,
    body: || {
        let owner = Owner::new();
        let run = Arc::new(AtomicUsize::new(0));
        let (inbox, theirs) = (owner.inbox.clone(), run.clone());
        let sending = thread::spawn(move || {
            for job in 1..=2 {
                let run = theirs.clone();
                let job = Box::new(move || run.store(10 * run.load(Relaxed) + job, Relaxed));
                assert!(inbox.send_job(job).is_ok());
            }
        });
        let mut mail = Mail::default();
        while run.load(Relaxed) < 12 {
            // As the executor does when its run queue is empty.
            let sleep = owner.inbox.begin_park();
            if sleep {
                owner.eventfd.wait();
            }
            assert!(sleep || owner.inbox.looks_nonempty(), "mail, and the hint does not show it");
            owner.inbox.take(&mut mail, 1);
            assert!(mail.jobs.len() <= 1);
            mail.jobs.drain(..).for_each(|job| job());
        }
        assert_eq!(run.load(Relaxed), 12);
        sending.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "sleeps_while_jobs_are_left",
            file: FILE,
            from: "state.parked = state.mail.is_empty();",
            to: "state.parked = state.mail.keys.is_empty();",
        },
        Mutant::Source {
            name: "hint_says_that_all_was_taken",
            file: FILE,
            from: "self.nonempty.store(!state.mail.is_empty(), Ordering::Relaxed);",
            to: "self.nonempty.store(false, Ordering::Relaxed);",
        },
        Mutant::Source {
            name: "last_job_first",
            file: FILE,
            from: "mail.jobs.extend(state.mail.jobs.drain(..jobs));",
            to: "let first = state.mail.jobs.len() - jobs;
        mail.jobs.extend(state.mail.jobs.drain(first..));",
        },
    ],
};

static CLOSE: Model = Model {
    name: "inbox_close",
    about: "a job sent while the runtime ends is run, handed to the end, or given back: never lost, never twice",
    invariants: &[10],
    bound: None,
    body: || {
        let owner = Owner::new();
        let seen = Arc::new(AtomicUsize::new(0));
        let (inbox, theirs) = (owner.inbox.clone(), seen.clone());
        let sending = thread::spawn(move || {
            let counted = theirs.clone();
            let job = Box::new(move || {
                counted.fetch_add(1, Relaxed);
            });
            if let Err(refused) = inbox.send_job(job) {
                drop(refused);
                theirs.fetch_add(1, Relaxed);
            }
        });
        owner.inbox.close().jobs.into_iter().for_each(|job| job());
        sending.join().unwrap();
        assert_eq!(seen.load(Relaxed), 1);
    },
    mutants: &[
        Mutant::Source {
            name: "nothing_is_refused",
            file: FILE,
            from: "        if state.closed {\n            return;\n        }\n",
            to: "",
        },
        Mutant::Source {
            name: "closed_checked_in_a_section_of_its_own",
            file: FILE,
            from: "        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        put(",
            to: "        if self.state.lock().closed {
            return;
        }
        let mut state = self.state.lock();
        put(",
        },
    ],
};

static REGISTRY: Model = Model {
    name: "registry",
    about: "a wake while its runtime ends and another begins: it finds the old one or none, never the new one",
    invariants: &[3, 10],
    bound: Some(3),
    body: || {
        let registry = Arc::new(Registry::default());
        let old = Owner::new();
        let number = registry.register(old.inbox.clone()).unwrap();
        let theirs = registry.clone();
        let waking = thread::spawn(move || theirs.send(TaskKey::new(number, 0, 7)));

        old.inbox.close();
        registry.unregister(number);
        let new = Owner::new();
        let its_number = registry.register(new.inbox.clone()).unwrap();

        waking.join().unwrap();
        assert!(!new.inbox.looks_nonempty(), "a stale key woke a task of another runtime");
        registry.unregister(its_number);
    },
    mutants: &[Mutant::Source {
        name: "number_given_again_at_once",
        file: FILE,
        from: "        inboxes.next = (number + 1) % limit;\n",
        to: "",
    }],
};
