//! # Two tasks, one slot
//!
//! **What happened.** Something that can be waited for through a shared reference had room for one waker. Two tasks
//! waited. Each stored its waker, the second over the first, and when the event came one task was woken. Nothing told
//! the other that its waker had been thrown away.
//!
//! **Seen.** [futures-rs #2292](https://github.com/rust-lang/futures-rs/issues/2292) asks how many wakers a socket must
//! store: one task writes, another flushes, they race to be the last to set the "write waker", and the loser may never
//! be woken.
//!
//! **Why it is hard to see.** Each task alone is served perfectly. And where the two polls come one after the other
//! with the event between them, both are: it takes two who wait at the same time.
//!
//! **Remember.** A single slot is a contract, "at most one task waits", and the type should enforce it: by `&mut self`,
//! or by a receiver that cannot be cloned. Where `&self` can be polled, keep a list.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use super::Tasks;
use super::shim::{Arc, Mutex, block_on, thread};
use crate::model::{Model, Mutant};

#[derive(Default)]
struct State {
    happened: bool,
    wakers: Vec<Waker>,
}

#[derive(Default)]
struct Event(Mutex<State>);

impl Event {
    fn happen(&self) {
        let mut state = self.0.lock().unwrap();
        state.happened = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    // ANCHOR: broken
    fn poll_broken(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        if state.happened {
            return Poll::Ready(());
        }
        state.wakers = vec![cx.waker().clone()];
        Poll::Pending
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn poll_fixed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        if state.happened {
            return Poll::Ready(());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(poll: fn(&Event, &mut Context<'_>) -> Poll<()>) {
    let event = Arc::new(Event::default());
    let waiting = [(); 2].map(|()| {
        let event = event.clone();
        thread::spawn(move || block_on(poll_fn(|cx| poll(&event, cx))))
    });
    event.happen();
    for thread in waiting {
        thread.join().unwrap();
    }
}
// ANCHOR_END: model

/// The same with tasks of one executor for threads.
async fn tasks(poll: fn(&Event, &mut Context<'_>) -> Poll<()>) {
    let event = Arc::new(Event::default());
    let waiting = [(); 2].map(|()| {
        let event = event.clone();
        cotask::spawn(async move { poll_fn(|cx| poll(&event, cx)).await })
    });
    cotask::spawn(async move { event.happen() }).await.unwrap();
    for task in waiting {
        task.await.unwrap();
    }
}

pub const TASKS: [Tasks; 2] = [|| Box::pin(tasks(Event::poll_fixed)), || Box::pin(tasks(Event::poll_broken))];

pub static MODEL: Model = Model {
    name: "museum_two_tasks_one_slot",
    about: "where two can wait, one slot loses one of them",
    invariants: &[5],
    bound: Some(3),
    body: || model(Event::poll_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Event::poll_broken) }],
};
