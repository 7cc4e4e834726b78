//! # The message in the arms of a cancelled receive
//!
//! **What happened.** A receiver waits in a `select`. The sender finds it waiting and, to save a trip through the queue,
//! hands it the message directly. At that very moment another branch of the `select` wins and the receive is dropped,
//! with the message that it holds. The sender's call succeeded. The next receive waits in vain.
//!
//! **Seen.** [kanal #24](https://github.com/fereidani/kanal/issues/24), where the maintainer confirms that data can get
//! lost if the future is dropped at the exact time at which a sender writes to it;
//! [kanal #50](https://github.com/fereidani/kanal/issues/50) is a user who met it.
//!
//! **Why it is hard to see.** Without `select` a receive is never dropped half-way. With one, the two branches must
//! become ready at the same moment, and then a message is missing that no test counted.
//!
//! **Remember.** A receive may be dropped at any time, and a message lives in one place: in the queue until a poll
//! returns it. If it was laid elsewhere, `drop` puts it back, at the front.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::Tasks;
use super::shim::{Arc, Mutex, block_on, thread};
use crate::model::{Model, Mutant};

#[derive(Default)]
struct State {
    queue: VecDeque<u32>,
    waiting: Option<Waker>,
    /// Laid into the hands of the receive that waits.
    handed: Option<u32>,
}

#[derive(Default)]
struct Channel(Mutex<State>);

impl Channel {
    fn send(&self, message: u32) {
        let mut state = self.0.lock().unwrap();
        let Some(waker) = state.waiting.take() else {
            state.queue.push_back(message);
            return;
        };
        state.handed = Some(message);
        drop(state);
        waker.wake();
    }
}

struct Receive(Arc<Channel>, fn(&mut State));

impl Future for Receive {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        let mut state = self.0.0.lock().unwrap();
        if let Some(message) = state.handed.take().or_else(|| state.queue.pop_front()) {
            return Poll::Ready(message);
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Receive {
    fn drop(&mut self) {
        self.1(&mut self.0.0.lock().unwrap());
    }
}

// ANCHOR: broken
fn drop_broken(state: &mut State) {
    state.waiting = None;
    state.handed = None;
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn drop_fixed(state: &mut State) {
    state.waiting = None;
    if let Some(message) = state.handed.take() {
        state.queue.push_front(message);
    }
}
// ANCHOR_END: fixed

// ANCHOR: model
fn model(on_drop: fn(&mut State)) {
    let channel = Arc::new(Channel::default());
    let mut cancelled = Receive(channel.clone(), on_drop);
    assert!(Pin::new(&mut cancelled).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let theirs = channel.clone();
    let sending = thread::spawn(move || theirs.send(7));
    // Another branch of the select was ready.
    drop(cancelled);
    assert_eq!(block_on(Receive(channel, on_drop)), 7);
    sending.join().unwrap();
}
// ANCHOR_END: model

/// The same with tasks of one executor for threads: what cancels the receive is awaited.
async fn tasks(on_drop: fn(&mut State)) {
    let channel = Arc::new(Channel::default());
    let mut cancelled = Receive(channel.clone(), on_drop);
    assert!(Pin::new(&mut cancelled).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let theirs = channel.clone();
    let sending = cotask::spawn(async move { theirs.send(7) });
    cotask::yield_now().await;
    drop(cancelled);
    assert_eq!(Receive(channel, on_drop).await, 7);
    sending.await.unwrap();
}

pub const TASKS: [Tasks; 2] = [|| Box::pin(tasks(drop_fixed)), || Box::pin(tasks(drop_broken))];

pub static MODEL: Model = Model {
    name: "museum_cancelled_receive",
    about: "a receive that is dropped returns what it was handed",
    invariants: &[9],
    bound: None,
    body: || model(drop_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(drop_broken) }],
};
