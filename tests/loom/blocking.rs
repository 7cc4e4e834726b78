//! Models of the blocking pool: jobs against threads that are about to sleep or to end, and against shutdown.

use std::time::Duration;

use cotask::blocking::{Config, Pool};
use interleave::future::block_on;
use interleave::sync::Arc;
use interleave::sync::atomic::{AtomicBool, Ordering};
use interleave::sync::mpsc::channel;
use interleave::thread;

use crate::model::{Model, Mutant};

const FILE: &str = "src/blocking/pool.rs";

pub const MODELS: &[&Model] = &[
    &SLEEP,
    &IDLE_END,
    &GROW,
    &SHUTDOWN_AGAINST_PUSH,
    &SHUTDOWN_TELLS,
    &SHUTDOWN_TIMEOUT,
    &SHUTDOWN_AT_ONCE,
];

/// To a model a limit of zero is always over, and any other never is.
const AT_ONCE: Duration = Duration::ZERO;
const NEVER: Duration = Duration::MAX;

fn pool(max_threads: usize, keep_alive: Duration) -> Pool {
    Pool::new(Config { max_threads, keep_alive, ..Config::default() })
}

static SLEEP: Model = Model {
    name: "blocking_sleep",
    about: "a job finds the only thread, whether that runs another, looks for more, or sleeps",
    invariants: &[6],
    bound: None,
    body: || {
        let pool = pool(1, NEVER);
        let first = pool.spawn(|| 1).unwrap();
        let second = pool.spawn(|| 2).unwrap();
        assert_eq!(block_on(second).unwrap(), 2);
        assert_eq!(block_on(first).unwrap(), 1);
    },
    mutants: &[
        Mutant::Source {
            name: "push_wakes_nobody",
            file: FILE,
            from: "self.shared.changed.notify_one();",
            to: "",
        },
        Mutant::Source {
            name: "unlocked_between_look_and_sleep",
            file: FILE,
            from: "let timed_out;",
            to: "drop(state);
                 state = self.state.lock();
                 let timed_out;",
        },
    ],
};

static IDLE_END: Model = Model {
    name: "blocking_idle_end",
    about: "a job finds a thread, though the only one is about to end for want of work",
    invariants: &[6],
    bound: None,
    body: || {
        let pool = pool(1, AT_ONCE);
        let first = pool.spawn(|| 1).unwrap();
        let second = pool.spawn(|| 2).unwrap();
        assert_eq!(block_on(second).unwrap(), 2);
        assert_eq!(block_on(first).unwrap(), 1);
    },
    mutants: &[
        Mutant::Source {
            name: "ends_without_a_last_look",
            file: FILE,
            from: "if timed_out && state.queue.is_empty() {",
            to: "if timed_out {",
        },
        Mutant::Source {
            name: "still_counted_when_it_has_ended",
            file: FILE,
            from: "state.free -= 1;\n        // The next",
            to: "// The next",
        },
    ],
};

static GROW: Model = Model {
    name: "blocking_grow",
    about: "below the bound no job waits behind another",
    invariants: &[7],
    bound: Some(3),
    body: || {
        let pool = pool(2, NEVER);
        let (sender, receiver) = channel();
        let first = pool.spawn(move || receiver.recv()).unwrap();
        drop(pool.spawn(move || sender.send(7)).unwrap());
        assert_eq!(block_on(first).unwrap(), Ok(7));
    },
    mutants: &[Mutant::Source {
        name: "any_free_thread_will_do",
        file: FILE,
        from: "state.queue.len() > state.free",
        to: "state.free == 0",
    }],
};

static SHUTDOWN_AGAINST_PUSH: Model = Model {
    name: "blocking_shutdown_against_push",
    about: "a job that is pushed while the pool shuts down runs before the end of it, or never",
    invariants: &[10],
    bound: None,
    body: || {
        let pool = Arc::new(pool(1, NEVER));
        let down = Arc::new(AtomicBool::new(false));
        let pushing = thread::spawn({
            let (pool, down) = (pool.clone(), down.clone());
            move || {
                let task = pool.spawn(move || down.load(Ordering::SeqCst)).unwrap();
                match block_on(task) {
                    Ok(ran_after_the_end) => assert!(!ran_after_the_end),
                    Err(error) => assert!(error.is_cancelled()),
                }
            }
        });
        pool.shutdown();
        down.store(true, Ordering::SeqCst);
        pushing.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "push_does_not_ask",
            file: FILE,
            from: "if state.closed {\n            drop(state);",
            to: "if false {\n            drop(state);",
        },
        Mutant::Source {
            name: "shutdown_waits_for_no_thread",
            file: FILE,
            from: "state.threads.values().any(is_other) {",
            to: "false {",
        },
    ],
};

static SHUTDOWN_TELLS: Model = Model {
    name: "blocking_shutdown_tells",
    about: "shutdown comes before, between or after two jobs: each one's task gets a result, and the thread ends",
    invariants: &[10],
    bound: None,
    body: || {
        let pool = pool(1, NEVER);
        let first = pool.spawn(|| 1).unwrap();
        let second = pool.spawn(|| 2).unwrap();
        drop(pool);
        for (task, value) in [(first, 1), (second, 2)] {
            match block_on(task) {
                Ok(given) => assert_eq!(given, value),
                Err(error) => assert!(error.is_cancelled()),
            }
        }
    },
    mutants: &[Mutant::Source {
        name: "shutdown_wakes_nobody",
        file: FILE,
        from: "self.shared.changed.notify_all();",
        to: "",
    }],
};

static SHUTDOWN_TIMEOUT: Model = Model {
    name: "blocking_shutdown_timeout",
    about: "shutdown with a limit hears of the end of the last job, whether it waits already or not",
    invariants: &[6, 10],
    bound: None,
    body: || {
        let pool = pool(1, NEVER);
        let task = pool.spawn(|| 1).unwrap();
        assert!(pool.shutdown_timeout(NEVER), "all jobs have ended, and it says that one has not");
        match block_on(task) {
            Ok(given) => assert_eq!(given, 1),
            Err(error) => assert!(error.is_cancelled()),
        }
    },
    mutants: &[Mutant::Source {
        name: "a_thread_that_ends_tells_nobody",
        file: FILE,
        from: "self.changed.notify_all();\n        }",
        to: "}",
    }],
};

static SHUTDOWN_AT_ONCE: Model = Model {
    name: "blocking_shutdown_at_once",
    about: "shutdown without patience: what it says of the job is so, and the thread that it leaves behind ends",
    invariants: &[10],
    bound: None,
    body: || {
        let pool = pool(1, NEVER);
        let ended = Arc::new(AtomicBool::new(false));
        let job = {
            let ended = ended.clone();
            move || ended.store(true, Ordering::Relaxed)
        };
        let task = pool.spawn(job).unwrap();
        let all_ended = pool.shutdown_timeout(AT_ONCE);
        let has_ended = ended.load(Ordering::Relaxed);
        drop(pool);
        // A job that was dropped before it started has not to end.
        let outcome = block_on(task);
        assert!(!all_ended || has_ended || outcome.is_err(), "all have ended, it says, and one runs");
    },
    mutants: &[
        Mutant::Source {
            name: "a_thread_that_runs_a_job_counts_as_free",
            file: FILE,
            from: "running == 0\n",
            to: "running < 2\n",
        },
        Mutant::Source {
            name: "a_limit_is_none",
            file: FILE,
            from: "while !timed_out && state",
            to: "while state",
        },
    ],
};
