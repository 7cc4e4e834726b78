//! # The first waker, kept forever
//!
//! **What happened.** A future stores its waker in its first poll and keeps it: why clone it again at every poll? Then
//! the future is moved into another task, or into a `select` that wraps the waker, and is polled from there. When its
//! event comes, it wakes the task that it has left. The one that waits now is never woken.
//!
//! **Seen.** [futures-intrusive #19](https://github.com/Matthias247/futures-intrusive/pull/19) updates the stored
//! wakers at every poll. In [tokio #4497](https://github.com/tokio-rs/tokio/pull/4497) the test whether an update is
//! needed lacked its exclamation mark.
//!
//! **Why it is hard to see.** Most futures stay in one task all their life. And loom does not help: no two threads race
//! here, the order of the calls is fixed, and what counts is *which* waker is called. So this exhibit is driven by
//! hand, with two wakers that count.
//!
//! **Remember.** The last poll's waker is the one to call. `Waker::clone_from` keeps the old one where both would wake
//! the same task, so taking the new one costs nothing.

use std::task::{Context, Poll, Waker};
use std::{cell::RefCell, future::poll_fn, rc::Rc};

use futures_test::task::new_count_waker;

use super::{Calls, Tasks};
use crate::model::{Model, Mutant};

#[derive(Default)]
struct Event {
    happened: bool,
    waker: Option<Waker>,
}

impl Event {
    fn happen(&mut self) {
        self.happened = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    // ANCHOR: broken
    fn poll_broken(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.happened {
            return Poll::Ready(());
        }
        if self.waker.is_none() {
            self.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn poll_fixed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.happened {
            return Poll::Ready(());
        }
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(poll: fn(&mut Event, &mut Context<'_>) -> Poll<()>) {
    let mut event = Event::default();
    let (first, first_woken) = new_count_waker();
    let (second, second_woken) = new_count_waker();
    assert!(poll(&mut event, &mut Context::from_waker(&first)).is_pending());
    assert!(poll(&mut event, &mut Context::from_waker(&second)).is_pending());
    event.happen();
    assert_eq!(second_woken.get(), 1, "the task that polled last was not woken");
    assert_eq!(first_woken.get(), 0, "the task that the future has left was woken");
}
// ANCHOR_END: model

/// Any calls: a poll by one of two tasks, or the event. At last it happens.
fn calls(poll: fn(&mut Event, &mut Context<'_>) -> Poll<()>, calls: &[u8]) {
    let mut event = Event::default();
    let tasks = [new_count_waker(), new_count_waker()];
    let mut last = None;
    for call in calls {
        match tasks.get(usize::from(call % 3)) {
            Some((waker, woken)) if poll(&mut event, &mut Context::from_waker(waker)).is_pending() => {
                last = Some(woken);
            }
            Some(_) => {}
            None => event.happen(),
        }
    }
    event.happen();
    let woken = tasks[0].1.get() + tasks[1].1.get();
    assert!(
        last.is_none_or(|last| last.get() == 1 && woken == 1),
        "the task that polled last is woken, and no other"
    );
}

pub const CALLS: &[Calls] = &[|all| calls(Event::poll_fixed, all), |all| calls(Event::poll_broken, all)];

/// Tasks of one executor: one stops polling the future, another goes on with it.
async fn tasks(poll: fn(&mut Event, &mut Context<'_>) -> Poll<()>) {
    let event = Rc::new(RefCell::new(Event::default()));
    let [first, second] = [event.clone(), event.clone()];
    let giving_up = poll_fn(move |cx| Poll::Ready(poll(&mut first.borrow_mut(), cx)));
    assert!(cotask::spawn(giving_up).await.unwrap().is_pending());
    let waiting = cotask::spawn(poll_fn(move |cx| poll(&mut second.borrow_mut(), cx)));
    cotask::spawn(async move { event.borrow_mut().happen() }).await.unwrap();
    waiting.await.unwrap();
}

pub const TASKS: [Tasks; 2] = [|| Box::pin(tasks(Event::poll_fixed)), || Box::pin(tasks(Event::poll_broken))];

pub static MODEL: Model = Model {
    name: "museum_first_waker_kept",
    about: "the waker of the last poll is the one to call",
    invariants: &[5],
    bound: None,
    body: || model(Event::poll_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Event::poll_broken) }],
};
