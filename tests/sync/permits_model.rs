//! Semaphore and mutex against a naive model, under random operations: futures that are made, polled and dropped at
//! any point, permits kept and given back, close. After every operation both agree on each result, on what is free,
//! and on who has been woken, which tells the order of the queue.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use cotask::sync::{AcquireError, Mutex, MutexGuard, Semaphore, SemaphorePermit, TryAcquireError};
use proptest::prelude::*;
use tokio_test::task::{Spawn, spawn};

type Task<'a, T> = Spawn<Pin<Box<dyn Future<Output = T> + 'a>>>;

/// Permits with a queue, without a thought for speed.
#[derive(Default)]
struct Permits {
    free: usize,
    closed: bool,
    /// The requests that wait, in the order of arrival.
    waiting: Vec<Request>,
}

struct Request {
    name: usize,
    wanted: usize,
    granted: bool,
}

impl Permits {
    fn take(&mut self, wanted: usize) -> Result<(), TryAcquireError> {
        if self.closed {
            return Err(TryAcquireError::Closed);
        }
        if self.free < wanted || self.waiting.iter().any(|request| !request.granted) {
            return Err(TryAcquireError::NoPermits);
        }
        self.free -= wanted;
        Ok(())
    }

    /// What the poll of that future comes to.
    fn poll(&mut self, name: usize, wanted: usize) -> Poll<Result<(), AcquireError>> {
        if let Some(place) = self.waiting.iter().position(|request| request.name == name) {
            if !self.waiting[place].granted && !self.closed {
                return Poll::Pending;
            }
            let granted = self.waiting.remove(place).granted;
            return Poll::Ready(if granted { Ok(()) } else { Err(AcquireError) });
        }
        match self.take(wanted) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(TryAcquireError::Closed) => Poll::Ready(Err(AcquireError)),
            Err(TryAcquireError::NoPermits) => {
                self.waiting.push(Request { name, wanted, granted: false });
                Poll::Pending
            }
        }
    }

    fn give(&mut self, permits: usize) {
        self.free += permits;
        while let Some(first) = self.waiting.iter_mut().find(|request| !request.granted) {
            if self.closed || first.wanted > self.free {
                return;
            }
            self.free -= first.wanted;
            first.granted = true;
        }
    }

    /// That future is dropped.
    fn leave(&mut self, name: usize) {
        if let Some(place) = self.waiting.iter().position(|request| request.name == name) {
            let request = self.waiting.remove(place);
            self.give(if request.granted { request.wanted } else { 0 });
        }
    }

    /// Whether that future must have been woken since its last poll; `None` for one that does not wait.
    fn woken(&self, name: usize) -> Option<bool> {
        let request = self.waiting.iter().find(|request| request.name == name)?;
        Some(request.granted || self.closed)
    }
}

#[derive(Clone, Debug)]
enum Op {
    Try(usize),
    /// Makes a future, which is not polled yet.
    Make(usize),
    Poll(usize),
    Drop(usize),
    GiveBack(usize),
    Forget(usize),
    Add(usize),
    Close,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        20 => (0..4_usize).prop_map(Op::Try),
        40 => (0..4_usize).prop_map(Op::Make),
        60 => (0..6_usize).prop_map(Op::Poll),
        30 => (0..6_usize).prop_map(Op::Drop),
        50 => (0..4_usize).prop_map(Op::GiveBack),
        5 => (0..4_usize).prop_map(Op::Forget),
        10 => (0..3_usize).prop_map(Op::Add),
        1 => Just(Op::Close),
    ];
    prop::collection::vec(op, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_semaphore_behaves_like_the_model(permits in 0..4_usize, ops in ops()) {
        type Acquired<'a> = Result<SemaphorePermit<'a>, AcquireError>;
        let semaphore = Semaphore::new(permits);
        let mut model = Permits { free: permits, ..Permits::default() };
        let mut waiters: Vec<(usize, usize, Task<'_, Acquired<'_>>)> = Vec::new();
        let mut held: Vec<SemaphorePermit<'_>> = Vec::new();

        for (name, op) in ops.into_iter().enumerate() {
            match op {
                Op::Try(wanted) => {
                    let taken = semaphore.try_acquire_many(wanted as u32);
                    prop_assert_eq!(taken.as_ref().map(drop).map_err(|error| *error), model.take(wanted));
                    held.extend(taken);
                }
                Op::Make(wanted) => {
                    waiters.push((name, wanted, spawn(Box::pin(semaphore.acquire_many(wanted as u32)))));
                }
                Op::Poll(which) if which < waiters.len() => {
                    let (name, wanted, task) = &mut waiters[which];
                    let expected = model.poll(*name, *wanted);
                    match task.poll() {
                        Poll::Ready(got) => {
                            prop_assert_eq!(Poll::Ready(got.as_ref().map(drop).map_err(|error| *error)), expected);
                            held.extend(got);
                            drop(waiters.remove(which));
                        }
                        Poll::Pending => prop_assert_eq!(Poll::Pending, expected),
                    }
                }
                Op::Drop(which) if which < waiters.len() => model.leave(waiters.remove(which).0),
                Op::GiveBack(which) if which < held.len() => {
                    let permit = held.remove(which);
                    model.give(permit.num_permits());
                }
                Op::Forget(which) if which < held.len() => held.remove(which).forget(),
                Op::Add(more) => {
                    semaphore.add_permits(more);
                    model.give(more);
                }
                Op::Close => {
                    semaphore.close();
                    model.closed = true;
                }
                Op::Poll(_) | Op::Drop(_) | Op::GiveBack(_) | Op::Forget(_) => {}
            }
            prop_assert_eq!((semaphore.available_permits(), semaphore.is_closed()), (model.free, model.closed));
            for (name, _, task) in &waiters {
                if let Some(woken) = model.woken(*name) {
                    prop_assert_eq!(task.is_woken(), woken, "waiter {}", name);
                }
            }
        }
    }

    #[test]
    fn a_mutex_behaves_like_the_model(ops in ops()) {
        let mutex = Mutex::new(0);
        // The last to have written, and one permit: the lock.
        let (mut value, mut model) = (0, Permits { free: 1, ..Permits::default() });
        let mut waiters: Vec<(usize, Task<'_, MutexGuard<'_, usize>>)> = Vec::new();
        let mut held: Option<MutexGuard<'_, usize>> = None;

        for (name, op) in ops.into_iter().enumerate() {
            match op {
                Op::Try(_) => {
                    let locked = mutex.try_lock();
                    prop_assert_eq!(locked.is_ok(), model.take(1).is_ok());
                    held = held.or(locked.ok());
                }
                Op::Make(_) => waiters.push((name, spawn(Box::pin(mutex.lock())))),
                Op::Poll(which) if which < waiters.len() => {
                    let (name, task) = &mut waiters[which];
                    let polled = task.poll();
                    prop_assert_eq!(polled.is_ready(), model.poll(*name, 1).is_ready());
                    if let Poll::Ready(guard) = polled {
                        prop_assert_eq!(*guard, value);
                        prop_assert!(held.replace(guard).is_none(), "two have the lock");
                        drop(waiters.remove(which));
                    }
                }
                Op::Drop(which) if which < waiters.len() => model.leave(waiters.remove(which).0),
                Op::GiveBack(_) => if let Some(mut guard) = held.take() {
                    (*guard, value) = (name, name);
                    drop(guard);
                    model.give(1);
                },
                _ => {}
            }
            for (name, task) in &waiters {
                if let Some(woken) = model.woken(*name) {
                    prop_assert_eq!(task.is_woken(), woken, "waiter {}", name);
                }
            }
        }
    }
}
