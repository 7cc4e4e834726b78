//! Models of `cores`: threads that start, and that are stopped while they start or sleep.

use std::io;
use std::num::NonZeroUsize;

use cotask::Handle;
use cotask::cores::Cores;
use cotask::inside::{Inbox, cores, handle};
use cotask::sync::Notify;
use interleave::future::block_on;
use interleave::sync::Arc;
use interleave::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use interleave::thread;

use crate::model::{Model, Mutant};

const FILE: &str = "src/runtime/cores.rs";

pub const MODELS: &[&Model] = &[&STOP, &STOPPED_FROM_ELSEWHERE, &FAILED_START];

/// Stands for a runtime: it sleeps until it is notified to stop, and counts itself in `gone` when it is dropped.
struct Engine {
    stop: Arc<Notify>,
    gone: Arc<AtomicUsize>,
}

impl Engine {
    fn run(self) {
        block_on(self.stop.notified());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.gone.fetch_add(1, Relaxed);
    }
}

/// Starts `count` cores, of which `failing` fails. Each adds to `gone` when it is.
fn start(count: usize, failing: usize, gone: &Arc<AtomicUsize>) -> io::Result<Cores> {
    let gone = gone.clone();
    let make = move |number| {
        let engine = Engine { stop: Arc::default(), gone };
        if number == failing {
            return Err(io::Error::other("out of descriptors"));
        }
        let handle: Handle = handle(Arc::new(Inbox::new(Box::new(|| ()))), engine.stop.clone());
        Ok((handle, move || engine.run()))
    };
    cores(NonZeroUsize::new(count).unwrap(), make)
}

const NONE: usize = usize::MAX;

static STOP: Model = Model {
    name: "cores_stop",
    about: "stop reaches every core, whether it still starts or sleeps already, and waits until it is gone",
    invariants: &[6, 10],
    bound: Some(3),
    body: || {
        let gone = Arc::new(AtomicUsize::new(0));
        let cores = start(2, NONE, &gone).unwrap();
        cores.stop().unwrap();
        assert_eq!(gone.load(Relaxed), 2, "stopped, and a core is still there");
    },
    mutants: &[
        Mutant::Source {
            name: "a_core_that_does_not_sleep_yet_is_not_told",
            file: "src/runtime/handle.rs",
            from: "self.stop.notify_one();",
            to: "self.stop.notify_waiters();",
        },
        Mutant::Source {
            name: "only_the_first_is_told",
            file: FILE,
            from: "self.cores.iter().for_each(|core|",
            to: "self.cores.iter().take(1).for_each(|core|",
        },
        Mutant::Source {
            name: "stop_waits_for_nobody",
            file: FILE,
            from: "join(number, core.thread)",
            to: "{ let _ = (number, core.thread); Ok(()) }",
        },
        Mutant::Source {
            name: "the_thread_keeps_its_handle_to_itself",
            file: FILE,
            from: "drop(sender.send(handle));\n            run();",
            to: "run();\n            drop(sender.send(handle));",
        },
    ],
};

static STOPPED_FROM_ELSEWHERE: Model = Model {
    name: "cores_stopped_from_elsewhere",
    about: "a core is shut down through its handle while all are stopped: each ends once, and no thread hangs",
    invariants: &[6, 10],
    bound: Some(3),
    body: || {
        let gone = Arc::new(AtomicUsize::new(0));
        let cores = start(1, NONE, &gone).unwrap();
        let first = cores.next().clone();
        let elsewhere = thread::spawn(move || first.shutdown());
        drop(cores);
        assert_eq!(gone.load(Relaxed), 1, "dropped, and a core is still there");
        elsewhere.join().unwrap();
    },
    mutants: &[Mutant::Source {
        name: "drop_stops_nobody",
        file: FILE,
        from: "let _ = self.stop_all();",
        to: "",
    }],
};

static FAILED_START: Model = Model {
    name: "cores_failed_start",
    about: "the second core fails to start: the error is returned when the first has been stopped and both are gone",
    invariants: &[10],
    bound: Some(3),
    body: || {
        let gone = Arc::new(AtomicUsize::new(0));
        let error = start(2, 1, &gone).unwrap_err();
        assert_eq!(error.to_string(), "out of descriptors");
        assert_eq!(gone.load(Relaxed), 2, "failed, and a core is still there");
    },
    mutants: &[
        Mutant::Source {
            name: "those_that_have_started_are_forgotten",
            file: FILE,
            from: "cores.cores.push(Core::start(number, make.clone())?);",
            to: "match Core::start(number, make.clone()) {
                Ok(core) => cores.cores.push(core),
                Err(error) => {
                    cores.cores.drain(..).for_each(drop);
                    return Err(error);
                }
            }",
        },
        Mutant::Source {
            name: "the_one_that_fails_says_nothing",
            file: FILE,
            from: "let (handle, run) = make(number)?;",
            to: "let Ok((handle, run)) = make(number) else {
                std::mem::forget(sender);
                return Ok(());
            };",
        },
    ],
};
