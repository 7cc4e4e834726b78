//! Models of `sync::oneshot`: two ends, each of which may go at any moment.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use cotask::sync::oneshot::{self, error::RecvError};
use interleave::future::block_on;
use interleave::sync::Arc;
use interleave::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use interleave::thread;

use crate::model::{Model, Mutant};

const FILE: &str = "src/sync/oneshot.rs";

pub const MODELS: &[&Model] =
    &[&SEND, &DROP_SENDER, &CLOSE_AGAINST_SEND, &CLOSED, &LAST_WAKER, &PLAIN_THREAD];

static SEND: Model = Model {
    name: "oneshot_send",
    about: "a value sent while the receiver is about to wait is received, with all written before it",
    invariants: &[4],
    bound: None,
    body: || {
        let (sender, receiver) = oneshot::channel();
        let written = Arc::new(AtomicUsize::new(0));
        let theirs = written.clone();
        let sending = thread::spawn(move || {
            theirs.store(1, Relaxed);
            sender.send(7).unwrap();
        });
        assert_eq!(block_on(receiver), Ok(7));
        assert_eq!(written.load(Relaxed), 1);
        sending.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "send_wakes_nobody",
            file: FILE,
            from: "state.sender_done = true;\n            after.wake(state.receiver.take());\n            Ok(())",
            to: "state.sender_done = true;\n            Ok(())",
        },
        Mutant::Source {
            name: "waker_stored_after_the_check",
            file: FILE,
            from: "poll_locked(&self.shared, cx, |state, turn| match state.receive() {",
            to: "let mut checked = Some(self.shared.lock().receive());
                 poll_locked(&self.shared, cx, |state, turn| match checked.take().unwrap_or(Err(TryRecvError::Empty)) {",
        },
    ],
};

static DROP_SENDER: Model = Model {
    name: "oneshot_drop_sender",
    about: "a sender dropped while the receiver is about to wait ends the wait",
    invariants: &[9],
    bound: None,
    body: || {
        let (sender, receiver) = oneshot::channel::<u8>();
        let dropping = thread::spawn(move || drop(sender));
        assert_eq!(block_on(receiver), Err(RecvError));
        dropping.join().unwrap();
    },
    mutants: &[Mutant::Source {
        name: "drop_wakes_nobody",
        file: FILE,
        from: "after.discard(state.sender.take());\n            after.wake(state.receiver.take());\n        });",
        to: "after.discard(state.sender.take());\n            after.discard(state.receiver.take());\n        });",
    }],
};

static CLOSE_AGAINST_SEND: Model = Model {
    name: "oneshot_close_against_send",
    about: "send and close at once: either the value is received, or the sender has it back",
    invariants: &[9],
    bound: None,
    body: || {
        let (sender, mut receiver) = oneshot::channel();
        let sending = thread::spawn(move || sender.send(7));
        receiver.close();
        let received = receiver.try_recv();
        match sending.join().unwrap() {
            Ok(()) => assert_eq!(received, Ok(7), "sent, and neither end has it"),
            Err(value) => assert!(value == 7 && received.is_err(), "both ends have it"),
        }
    },
    mutants: &[Mutant::Source {
        name: "send_ignores_close",
        file: FILE,
        from: "if state.closed {\n                return Err(value);",
        to: "if false {\n                return Err(value);",
    }],
};

static CLOSED: Model = Model {
    name: "oneshot_closed",
    about: "a receiver dropped while the sender is about to wait for that ends the wait",
    invariants: &[9],
    bound: None,
    body: || {
        let (mut sender, receiver) = oneshot::channel::<u8>();
        let dropping = thread::spawn(move || drop(receiver));
        block_on(sender.closed());
        assert!(sender.is_closed());
        dropping.join().unwrap();
    },
    mutants: &[Mutant::Source {
        name: "drop_wakes_nobody",
        file: FILE,
        from: "after.wake(state.sender.take());\n            after.discard(state.receiver.take());",
        to: "after.discard(state.sender.take());\n            after.discard(state.receiver.take());",
    }],
};

static LAST_WAKER: Model = Model {
    name: "oneshot_last_waker",
    about: "a receiver that moves to another task while the value is sent wakes that task",
    invariants: &[5],
    bound: None,
    body: || {
        let (sender, mut receiver) = oneshot::channel();
        let sending = thread::spawn(move || sender.send(7).unwrap());
        let mut former_task = Context::from_waker(Waker::noop());
        if Pin::new(&mut receiver).poll(&mut former_task).is_pending() {
            assert_eq!(block_on(receiver), Ok(7));
        }
        sending.join().unwrap();
    },
    mutants: &[Mutant::Source {
        name: "only_the_first_waker_is_kept",
        file: "src/sync/critical.rs",
        from: "std::mem::replace(slot, self.waker.take())",
        to: "if slot.is_some() { None } else { std::mem::replace(slot, self.waker.take()) }",
    }],
};

static PLAIN_THREAD: Model = Model {
    name: "oneshot_plain_thread",
    about: "a plain thread that is about to wait is woken",
    invariants: &[4, 6],
    bound: Some(3),
    body: || {
        let (sender, receiver) = oneshot::channel();
        let sending = thread::spawn(move || sender.send(7).unwrap());
        assert_eq!(receiver.blocking_recv(), Ok(7));
        sending.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "bell_without_the_flag",
            file: "src/sync/sleeper.rs",
            from: "*self.woken.lock() = true;\n        self.bell.notify_one();",
            to: "self.bell.notify_one();",
        },
        Mutant::Source {
            name: "bell_before_the_flag",
            file: "src/sync/sleeper.rs",
            from: "*self.woken.lock() = true;\n        self.bell.notify_one();",
            to: "self.bell.notify_one();\n        *self.woken.lock() = true;",
        },
    ],
};
