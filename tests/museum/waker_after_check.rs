//! # The waker stored after the check
//!
//! **What happened.** A future looks whether its event has happened, sees that it has not, and stores its waker.
//! Between the look and the store the event happens: its thread finds no waker, so it wakes no task. Then
//! the waker is stored, for a wake that has already been and gone. The task sleeps forever.
//!
//! **Seen.** [staticgc/taskwait #1](https://github.com/staticgc/taskwait/pull/1), a wait group that loaded its counter
//! and then registered the waker; asked about in
//! [async-oneshot #9](https://github.com/irrustible/async-oneshot/issues/9) for a channel closed in the same gap. It
//! is the first bug of nearly every channel written by hand.
//!
//! **Why it is hard to see.** Read alone, the poll is right: check, and if there is nothing, leave the waker. The gap
//! is a few instructions wide, and on one thread it does not exist at all.
//!
//! **Remember.** Leave the waker first, then look again. Whatever happens after the look finds the waker; whatever
//! happened before it, the look finds.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use super::Tasks;
use super::shim::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use super::shim::{Arc, Mutex, block_on, thread};
use crate::model::{Model, Mutant};

/// Something that happens once, and the one task that waits for it.
struct Event {
    happened: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Event {
    fn new() -> Event {
        Event { happened: AtomicBool::new(false), waker: Mutex::new(None) }
    }

    fn happen(&self) {
        self.happened.store(true, Release);
        let waker = self.waker.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    // ANCHOR: broken
    fn poll_broken(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.happened.load(Acquire) {
            return Poll::Ready(());
        }
        // Here the event happens, and finds no waker.
        *self.waker.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn poll_fixed(&self, cx: &mut Context<'_>) -> Poll<()> {
        *self.waker.lock().unwrap() = Some(cx.waker().clone());
        if self.happened.load(Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(poll: fn(&Event, &mut Context<'_>) -> Poll<()>) {
    let event = Arc::new(Event::new());
    let theirs = event.clone();
    let happening = thread::spawn(move || theirs.happen());
    block_on(poll_fn(|cx| poll(&event, cx)));
    happening.join().unwrap();
}
// ANCHOR_END: model

/// The same with tasks of one executor for threads.
async fn tasks(poll: fn(&Event, &mut Context<'_>) -> Poll<()>) {
    let event = Arc::new(Event::new());
    let theirs = event.clone();
    let happening = cotask::spawn(async move { theirs.happen() });
    poll_fn(|cx| poll(&event, cx)).await;
    happening.await.unwrap();
}

pub const TASKS: [Tasks; 2] = [|| Box::pin(tasks(Event::poll_fixed)), || Box::pin(tasks(Event::poll_broken))];

pub static MODEL: Model = Model {
    name: "museum_waker_after_check",
    about: "leave the waker first, then look",
    invariants: &[5],
    bound: None,
    body: || model(Event::poll_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Event::poll_broken) }],
};
