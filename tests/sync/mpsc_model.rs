//! The bounded channel against a naive model, under random operations: sends and reserves that wait and are
//! dropped at any point, receives that are dropped, permits used and dropped, close. After every operation
//! the two agree on each result, on the room left, and on who has been woken.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;

use cotask::sync::mpsc::error::{TryRecvError, TrySendError};
use cotask::sync::mpsc::{self, Permit};
use proptest::prelude::*;
use tokio_test::task::{Spawn, spawn};

#[derive(Clone, Debug)]
enum Op {
    TrySend,
    Send,
    Reserve,
    Poll(usize),
    DropWaiter(usize),
    SendPermit(usize),
    DropPermit(usize),
    TryRecv,
    /// Polled once and kept waiting if there is nothing.
    Recv,
    /// Polled once and dropped whatever came.
    RecvAndDrop,
    Close,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        2 => Just(Op::TrySend),
        4 => Just(Op::Send),
        2 => Just(Op::Reserve),
        4 => (0..6_usize).prop_map(Op::Poll),
        3 => (0..6_usize).prop_map(Op::DropWaiter),
        2 => (0..4_usize).prop_map(Op::SendPermit),
        1 => (0..4_usize).prop_map(Op::DropPermit),
        4 => Just(Op::TryRecv),
        3 => Just(Op::Recv),
        2 => Just(Op::RecvAndDrop),
        1 => prop_oneof![9 => Just(Op::TryRecv), 1 => Just(Op::Close)],
    ];
    prop::collection::vec(op, 0..120)
}

/// What a channel is, without a thought for speed.
#[derive(Default)]
struct Model {
    queue: VecDeque<u32>,
    capacity: usize,
    free: usize,
    closed: bool,
    /// The senders that wait for room, in order of arrival: a name, and whether it has been granted.
    waiting: Vec<(u32, bool)>,
}

impl Model {
    fn take(&mut self) -> Result<(), TrySendError<()>> {
        if self.closed {
            return Err(TrySendError::Closed(()));
        }
        if self.free == 0 || self.waiting.iter().any(|(_, granted)| !granted) {
            return Err(TrySendError::Full(()));
        }
        self.free -= 1;
        Ok(())
    }

    fn give(&mut self) {
        self.free += 1;
        self.settle();
    }

    fn settle(&mut self) {
        while self.free > 0 && !self.closed {
            let Some(first) = self.waiting.iter_mut().find(|(_, granted)| !granted) else { return };
            first.1 = true;
            self.free -= 1;
        }
    }

    fn leave(&mut self, name: u32) -> bool {
        let index = self.waiting.iter().position(|&(other, _)| other == name).expect("it waits");
        self.waiting.remove(index).1
    }

    fn receive(&mut self) -> Result<u32, TryRecvError> {
        match self.queue.pop_front() {
            Some(value) => {
                self.give();
                Ok(value)
            }
            None if self.closed && self.free == self.capacity => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }
}

/// What a waiting future comes to: a permit, nothing (it sent its value), or the value back.
type Outcome<'a> = Result<Option<Permit<'a, u32>>, Option<u32>>;

struct Waiter<'a> {
    name: u32,
    sends: bool,
    task: Spawn<Pin<Box<dyn Future<Output = Outcome<'a>> + 'a>>>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_the_model(capacity in 1..4_usize, ops in ops()) {
        let (sender, mut receiver) = mpsc::channel(capacity);
        let mut model = Model { capacity, free: capacity, ..Model::default() };
        let mut waiters: Vec<Waiter<'_>> = Vec::new();
        let mut permits: Vec<Permit<'_, u32>> = Vec::new();
        let mut receiving = spawn(());
        let mut receiver_waits = false;
        let mut name = 0;

        for op in ops {
            name += 1;
            match op {
                Op::TrySend => {
                    let expected = model.take();
                    if expected.is_ok() {
                        model.queue.push_back(name);
                    }
                    let result = sender.try_send(name).map_err(|error| match error {
                        TrySendError::Full(_) => TrySendError::Full(()),
                        TrySendError::Closed(_) => TrySendError::Closed(()),
                    });
                    prop_assert_eq!(result, expected);
                }
                Op::Send | Op::Reserve => {
                    let sends = matches!(op, Op::Send);
                    let sender = &sender;
                    waiters.push(Waiter {
                        name,
                        sends,
                        task: spawn(Box::pin(async move {
                            if sends {
                                sender.send(name).await.map(|()| None).map_err(|error| Some(error.0))
                            } else {
                                sender.reserve().await.map(Some).map_err(|_| None)
                            }
                        })),
                    });
                }
                Op::Poll(which) if which < waiters.len() => {
                    let Waiter { name, sends, task } = &mut waiters[which];
                    let waits = model.waiting.iter().find(|(other, _)| other == name).copied();
                    // Ok: got its slot. Err: turned away. None: must wait.
                    let expected = match waits {
                        Some((_, true)) => Some(Ok(())),
                        Some((_, false)) if model.closed => Some(Err(())),
                        Some((_, false)) => None,
                        None => match model.take() {
                            Ok(()) => Some(Ok(())),
                            Err(TrySendError::Closed(())) => Some(Err(())),
                            Err(TrySendError::Full(())) => {
                                model.waiting.push((*name, false));
                                None
                            }
                        },
                    };
                    if expected.is_some() && waits.is_some() {
                        model.leave(*name);
                    }
                    match (task.poll(), expected) {
                        (std::task::Poll::Pending, None) => {}
                        (std::task::Poll::Ready(Ok(permit)), Some(Ok(()))) => {
                            prop_assert_eq!(permit.is_none(), *sends);
                            if *sends {
                                model.queue.push_back(*name);
                            }
                            permits.extend(permit);
                            waiters.remove(which);
                        }
                        (std::task::Poll::Ready(Err(value)), Some(Err(()))) => {
                            prop_assert_eq!(value, sends.then_some(*name));
                            waiters.remove(which);
                        }
                        (result, expected) => prop_assert!(false, "{:?}, but the model says {:?}", result, expected),
                    }
                }
                Op::DropWaiter(which) if which < waiters.len() => {
                    let waiter = waiters.remove(which);
                    if model.waiting.iter().any(|&(other, _)| other == waiter.name) && model.leave(waiter.name) {
                        model.give();
                    }
                }
                Op::SendPermit(which) if which < permits.len() => {
                    permits.remove(which).send(name);
                    model.queue.push_back(name);
                }
                Op::DropPermit(which) if which < permits.len() => {
                    drop(permits.remove(which));
                    model.give();
                }
                Op::TryRecv => prop_assert_eq!(receiver.try_recv(), model.receive()),
                Op::Recv | Op::RecvAndDrop => {
                    let kept = matches!(op, Op::Recv);
                    let poll = receiving.enter(|cx, _| match kept {
                        true => receiver.poll_recv(cx),
                        false => Box::pin(receiver.recv()).as_mut().poll(cx),
                    });
                    let expected = match model.receive() {
                        Ok(value) => std::task::Poll::Ready(Some(value)),
                        Err(TryRecvError::Disconnected) => std::task::Poll::Ready(None),
                        Err(TryRecvError::Empty) => std::task::Poll::Pending,
                    };
                    prop_assert_eq!(poll, expected);
                    receiver_waits = kept && poll.is_pending();
                }
                Op::Close => {
                    receiver.close();
                    model.closed = true;
                }
                Op::Poll(_) | Op::DropWaiter(_) | Op::SendPermit(_) | Op::DropPermit(_) => {}
            }

            prop_assert_eq!(sender.capacity(), model.free);
            prop_assert_eq!(receiver.len(), model.queue.len());
            for waiter in &waiters {
                if let Some(&(_, granted)) = model.waiting.iter().find(|(other, _)| *other == waiter.name) {
                    prop_assert_eq!(waiter.task.is_woken(), granted || model.closed, "waiter {}", waiter.name);
                }
            }
            if receiver_waits {
                let something = !model.queue.is_empty() || model.closed && model.free == model.capacity;
                prop_assert!(receiving.is_woken() || !something, "the receiver sleeps and there is something for it");
            }
        }

        // Everybody goes: what is in the queue still arrives, then the end.
        drop(waiters);
        drop(permits);
        drop(sender);
        for value in model.queue {
            prop_assert_eq!(receiver.try_recv(), Ok(value));
        }
        prop_assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    }
}
