//! # The permit that died with its waiter
//!
//! **What happened.** A permit is released while two tasks wait, so the first of them is given it and woken. Before
//! it is polled again it is dropped, because its timeout struck or another branch of its `select` won. Its drop looks
//! for it in the queue, where it no longer is; the permit that it was given is lost. The second task waits for a
//! permit that no task has.
//!
//! **Seen.** [tokio #4618](https://github.com/tokio-rs/tokio/issues/4618) asks whether `Notify` loses such
//! notifications (it must not), [tokio #3652](https://github.com/tokio-rs/tokio/pull/3652) is one way in which it did,
//! and [embassy #6964](https://github.com/embassy-rs/embassy/pull/6964) the cancelled head of a semaphore's queue that
//! woke no waiter behind it.
//!
//! **Why it is hard to see.** Between its wake and its poll a waiter runs no code of its own: it is a state in which
//! a future merely lies in a queue. Only an author who knows the place tests a drop there.
//!
//! **Remember.** Whatever is handed to a waiter belongs to it only from its next poll on. Until then its drop must pass
//! it to the next.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::Tasks;
use super::shim::{Arc, Mutex, block_on, thread};
use crate::model::{Model, Mutant};

#[derive(Default)]
struct State {
    permits: usize,
    queue: VecDeque<(usize, Waker)>,
    /// The numbers of the waiters that have been given a permit and do not know it yet.
    given: Vec<usize>,
}

#[derive(Default)]
struct Semaphore(Mutex<State>);

impl Semaphore {
    fn release(&self) {
        let mut state = self.0.lock().unwrap();
        let Some((number, waker)) = state.queue.pop_front() else {
            state.permits += 1;
            return;
        };
        state.given.push(number);
        drop(state);
        waker.wake();
    }
}

/// A waiter, by its number.
struct Acquire(Arc<Semaphore>, usize, fn(&mut Acquire));

impl Future for Acquire {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.0.lock().unwrap();
        if let Some(at) = state.given.iter().position(|number| *number == self.1) {
            state.given.swap_remove(at);
            return Poll::Ready(());
        }
        state.queue.retain(|(number, _)| *number != self.1);
        if state.permits > 0 {
            state.permits -= 1;
            return Poll::Ready(());
        }
        state.queue.push_back((self.1, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        self.2(self);
    }
}

impl Acquire {
    // ANCHOR: broken
    fn drop_broken(&mut self) {
        self.0.0.lock().unwrap().queue.retain(|(number, _)| *number != self.1);
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn drop_fixed(&mut self) {
        let mut state = self.0.0.lock().unwrap();
        state.queue.retain(|(number, _)| *number != self.1);
        if state.given.contains(&self.1) {
            drop(state);
            self.0.release();
        }
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(on_drop: fn(&mut Acquire)) {
    let semaphore = Arc::new(Semaphore::default());
    let mut first = Acquire(semaphore.clone(), 1, on_drop);
    let second = Acquire(semaphore.clone(), 2, on_drop);
    assert!(Pin::new(&mut first).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let releasing = thread::spawn(move || semaphore.release());
    drop(first);
    block_on(second);
    releasing.join().unwrap();
}
// ANCHOR_END: model

// ANCHOR: tasks
/// The same with tasks of one executor for threads: what cancels the first waiter is awaited.
async fn tasks(on_drop: fn(&mut Acquire)) {
    let semaphore = Arc::new(Semaphore::default());
    let mut first = Acquire(semaphore.clone(), 1, on_drop);
    let second = cotask::spawn(Acquire(semaphore.clone(), 2, on_drop));
    assert!(Pin::new(&mut first).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let releasing = cotask::spawn(async move { semaphore.release() });
    cotask::yield_now().await;
    drop(first);
    second.await.unwrap();
    releasing.await.unwrap();
}
// ANCHOR_END: tasks

pub const TASKS: [Tasks; 2] =
    [|| Box::pin(tasks(Acquire::drop_fixed)), || Box::pin(tasks(Acquire::drop_broken))];

pub static MODEL: Model = Model {
    name: "museum_dropped_permit",
    about: "what a dropped waiter was given goes to the next",
    invariants: &[9],
    bound: None,
    body: || model(Acquire::drop_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Acquire::drop_broken) }],
};
