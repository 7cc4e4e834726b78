//! # A lock held across a wake
//!
//! **What happened.** A channel pushed a message and called the receiver's waker, all under its own lock. A waker is
//! foreign code: this one locks a run queue. On the other side an executor held the run queue's lock while it polled,
//! and the poll locked the channel. Each waits for what the other holds.
//!
//! **Seen.** [ngx-rust #294](https://github.com/nginx/ngx-rust/issues/294): a library wakes a task while it holds its
//! mutex, the executor polls the task inside of the wake, and the poll wants the mutex.
//! [tokio #5429](https://github.com/tokio-rs/tokio/issues/5429) is the same with a waker that is merely *dropped* under
//! the lock; [asyncband #125](https://github.com/apache/asyncband/pull/125) moves its wakes behind the unlock.
//!
//! **Why it is hard to see.** With an executor that only pushes, a wake under a lock works, and is even a little slower
//! at worst. The executor's half hides in the language: in `while let Some(task) = queue.lock().unwrap().pop()` the
//! guard lives as long as the body.
//!
//! **Remember.** Take the waker out, unlock, then wake. The same for dropping a waker, and for any drop of what is not
//! yours.

use std::task::{Wake, Waker};

use super::shim::{Arc, Mutex, thread};
use crate::model::{Model, Mutant};

/// How many tasks are ready.
type RunQueue = Arc<Mutex<usize>>;

struct Push(RunQueue);

impl Wake for Push {
    fn wake(self: std::sync::Arc<Self>) {
        *self.0.lock().unwrap() += 1;
    }
}

#[derive(Default)]
struct State {
    message: Option<u32>,
    waiting: Option<Waker>,
}

#[derive(Default)]
struct Channel(Mutex<State>);

impl Channel {
    // ANCHOR: broken
    fn send_broken(&self, message: u32) {
        let mut state = self.0.lock().unwrap();
        state.message = Some(message);
        if let Some(waker) = state.waiting.take() {
            waker.wake();
        }
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn send_fixed(&self, message: u32) {
        let mut state = self.0.lock().unwrap();
        state.message = Some(message);
        let waiting = state.waiting.take();
        drop(state);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
    // ANCHOR_END: fixed

    fn receive(&self) -> Option<u32> {
        self.0.lock().unwrap().message.take()
    }
}

/// An executor's turn. It polls under its lock, which it had better not; the channel cannot know.
fn turn(queue: &RunQueue, channel: &Channel) -> Option<u32> {
    let mut ready = queue.lock().unwrap();
    *ready = 0;
    channel.receive()
}

// ANCHOR: model
fn model(send: fn(&Channel, u32)) {
    let queue = RunQueue::default();
    let channel = Arc::new(Channel::default());
    channel.0.lock().unwrap().waiting = Some(Waker::from(std::sync::Arc::new(Push(queue.clone()))));
    let theirs = channel.clone();
    let sending = thread::spawn(move || send(&theirs, 7));
    let early = turn(&queue, &channel);
    sending.join().unwrap();
    assert!(early.is_some() || *queue.lock().unwrap() == 1, "a message, and no task woken for it");
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_lock_across_wake",
    about: "unlock, then wake",
    invariants: &[],
    bound: None,
    body: || model(Channel::send_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Channel::send_broken) }],
};
