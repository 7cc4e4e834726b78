//! Models of `sync::mpsc`, bounded and unbounded.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use cotask::sync::mpsc::{self, error::SendError};
use interleave::future::block_on;
use interleave::sync::Arc;
use interleave::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use interleave::thread;

use crate::model::{Model, Mutant};

const FILE: &str = "src/sync/mpsc/shared.rs";
const SENDER: &str = "src/sync/mpsc/sender.rs";
const RECEIVER: &str = "src/sync/mpsc/receiver.rs";
const PERMITS: &str = "src/sync/permits.rs";

pub const MODELS: &[&Model] =
    &[&BOUNDED, &UNBOUNDED, &DROPPED_RESERVE, &DROPPED_RECV, &RECEIVER_DROPPED, &CLOSE_DRAINS, &LATE_PERMIT];

static BOUNDED: Model = Model {
    name: "mpsc_bounded",
    about: "through a full channel: every value arrives, in order, with all written before it, and then the end",
    invariants: &[4],
    bound: Some(3),
    body: || {
        let (sender, mut receiver) = mpsc::channel(1);
        let written = Arc::new(AtomicUsize::new(0));
        let theirs = written.clone();
        let sending = thread::spawn(move || {
            for i in 1..=2 {
                theirs.store(i, Relaxed);
                block_on(sender.send(i)).unwrap();
            }
        });
        for i in 1..=2 {
            assert_eq!(block_on(receiver.recv()), Some(i));
            assert!(written.load(Relaxed) >= i, "received, and what was written before it is not there");
        }
        assert_eq!(block_on(receiver.recv()), None);
        sending.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "send_wakes_nobody",
            file: FILE,
            from: "after.wake(self.receiver.take());\n        Ok(())",
            to: "Ok(())",
        },
        Mutant::Source {
            name: "recv_frees_no_slot",
            file: FILE,
            from: "self.permits.give(1, after);\n                after.note(",
            to: "after.note(",
        },
    ],
};

static UNBOUNDED: Model = Model {
    name: "mpsc_last_sender",
    about: "the last sender goes while the receiver looks: no end before the last value, and no wait after it",
    invariants: &[4, 9],
    bound: Some(3),
    body: || {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let other = sender.clone();
        let senders = [sender, other].map(|sender| thread::spawn(move || sender.send(1).unwrap()));
        let mut received = 0;
        while let Some(one) = block_on(receiver.recv()) {
            received += one;
        }
        assert_eq!(received, 2, "the end came before the last value");
        for sender in senders {
            sender.join().unwrap();
        }
    },
    mutants: &[
        Mutant::Source {
            name: "last_sender_wakes_nobody",
            file: SENDER,
            from: "if state.senders == 0 {\n                after.wake(state.receiver.take());",
            to: "if state.senders == 0 {\n                after.discard(state.receiver.take());",
        },
        Mutant::Source {
            name: "queue_and_senders_are_looked_at_one_after_the_other",
            file: RECEIVER,
            from: "wait(&self.shared, receive, |state, (), after| after.discard(state.receiver.take())).await",
            to: "std::future::poll_fn(|cx| {
            let value = self.shared.lock().queue.pop_front();
            poll_locked(&self.shared, cx, |state, turn| match value {
                Some(value) => Poll::Ready(Some(value)),
                None if state.senders == 0 => Poll::Ready(None),
                None => receive(state, &mut None, turn),
            })
        }).await",
        },
    ],
};

static DROPPED_RESERVE: Model = Model {
    name: "mpsc_dropped_reserve",
    about: "room granted to a `reserve` that is dropped goes to the next sender",
    invariants: &[9],
    bound: Some(3),
    body: || {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.try_send(1).unwrap();
        let gives_up = thread::spawn({
            let sender = sender.clone();
            move || {
                let _ = pin!(sender.reserve()).poll(&mut Context::from_waker(Waker::noop()));
            }
        });
        let next = thread::spawn(move || block_on(sender.send(2)).unwrap());
        assert_eq!(block_on(receiver.recv()), Some(1));
        assert_eq!(block_on(receiver.recv()), Some(2));
        gives_up.join().unwrap();
        next.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "dropped_waiter_keeps_its_grant",
            file: PERMITS,
            from: "self.give(if request.granted { request.wanted } else { 0 }, after);",
            to: "self.give(0, after);",
        },
        Mutant::Source {
            name: "dropped_permit_is_not_given_back",
            file: FILE,
            from: "self.permits.give(1, after);\n        self.wake_receiver_at_end(after);",
            to: "self.wake_receiver_at_end(after);",
        },
    ],
};

static DROPPED_RECV: Model = Model {
    name: "mpsc_dropped_recv",
    about: "a `recv` dropped while a value is sent loses nothing",
    invariants: &[9],
    bound: None,
    body: || {
        let (sender, mut receiver) = mpsc::channel(1);
        let sending = thread::spawn(move || block_on(sender.send(7)).unwrap());
        let got = match pin!(receiver.recv()).poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => None,
        };
        let got = got.or_else(|| block_on(receiver.recv()));
        assert_eq!(got, Some(7));
        sending.join().unwrap();
    },
    mutants: &[Mutant::Source {
        name: "value_taken_for_one_who_may_not_come_back",
        file: RECEIVER,
        from: "|state, (), after| after.discard(state.receiver.take())",
        to: "|state, (), after| {
            state.queue.pop_front();
            after.discard(state.receiver.take());
        }",
    }],
};

static RECEIVER_DROPPED: Model = Model {
    name: "mpsc_receiver_dropped",
    about: "the receiver goes while one sends into a full channel: the sender has its value back",
    invariants: &[9],
    bound: Some(3),
    body: || {
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(1).unwrap();
        let dropping = thread::spawn(move || drop(receiver));
        assert_eq!(block_on(sender.send(2)), Err(SendError(2)));
        dropping.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "close_wakes_nobody",
            file: PERMITS,
            from: "while let Some((_, waker)) = self.queue.pop_front() {\n            after.wake(waker);",
            to: "while let Some((_, waker)) = self.queue.pop_front() {\n            after.discard(waker);",
        },
        Mutant::Source {
            name: "drop_does_not_close",
            file: RECEIVER,
            from: "state.receiver_dropped = true;\n            state.close(after);",
            to: "state.receiver_dropped = true;",
        },
    ],
};

static CLOSE_DRAINS: Model = Model {
    name: "mpsc_close_drains",
    about: "after close, what has a permit still arrives, or the permit comes back, and then the end comes",
    invariants: &[9],
    bound: Some(3),
    body: || {
        let (sender, mut receiver) = mpsc::channel(2);
        let other = sender.clone();
        let sends = thread::spawn(move || match sender.try_reserve() {
            Ok(permit) => {
                permit.send(1);
                1
            }
            Err(_) => 0,
        });
        // A sender that stays, so that only the close can bring the end.
        let changes_its_mind = thread::spawn({
            let other = other.clone();
            move || drop(other.try_reserve())
        });
        receiver.close();
        let mut received = 0;
        while let Some(one) = block_on(receiver.recv()) {
            received += one;
        }
        assert_eq!(received, sends.join().unwrap(), "sent with a permit, and not received");
        changes_its_mind.join().unwrap();
        drop(other);
    },
    mutants: &[
        Mutant::Source {
            name: "end_without_waiting_for_permits",
            file: FILE,
            from: "self.permits.is_closed() && self.permits.free() == self.capacity",
            to: "self.permits.is_closed()",
        },
        Mutant::Source {
            name: "last_permit_wakes_nobody",
            file: FILE,
            from: "if self.queue.is_empty() && self.has_ended() {",
            to: "if false {",
        },
    ],
};

static LATE_PERMIT: Model = Model {
    name: "mpsc_late_permit",
    about: "the receiver goes while a permit is used: the value is dropped with it, not left in the queue",
    invariants: &[9],
    bound: None,
    body: || {
        let (sender, receiver) = mpsc::channel(1);
        let value = std::sync::Arc::new(());
        let permit = sender.try_reserve().unwrap();
        let dropping = thread::spawn(move || drop(receiver));
        permit.send(value.clone());
        dropping.join().unwrap();
        assert_eq!(std::sync::Arc::strong_count(&value), 1);
    },
    mutants: &[Mutant::Source {
        name: "permit_puts_it_into_the_queue",
        file: FILE,
        from: "if self.receiver_dropped {",
        to: "if false {",
    }],
};
