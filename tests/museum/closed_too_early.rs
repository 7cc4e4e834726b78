//! # Closed, with a message inside
//!
//! **What happened.** A receiver finds its queue empty. It looks whether any sender is left; there is none; so it says
//! "closed". Between the two looks the last sender had sent a last message and gone. The message lies in the queue of a
//! channel that its only reader believes to be closed.
//!
//! **Seen.** [crossfire #70](https://github.com/frostyplanet/crossfire-rs/issues/70): `Disconnected` while messages
//! whose send had returned `Ok` were still in the channel. [nexus #737](https://github.com/Abso1ut3Zer0/nexus/issues/737)
//! finds the same in five places of another, beside two that had it right.
//!
//! **Why it is hard to see.** The message lost is the last one: the flush, the farewell, the result. No code asks for
//! it again, and the program ends, as it was about to.
//!
//! **Remember.** Two looks at two things are true at two times. Look for the end first and for messages after it: what
//! was sent before the end is then there.

use std::collections::VecDeque;

use super::shim::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};
use super::shim::{Arc, Mutex, thread};
use crate::model::{Model, Mutant};

#[derive(Debug, PartialEq)]
enum Received {
    Message(u32),
    Empty,
    Closed,
}

struct Channel {
    queue: Mutex<VecDeque<u32>>,
    senders: AtomicUsize,
}

impl Channel {
    fn send(&self, message: u32) {
        self.queue.lock().unwrap().push_back(message);
    }

    fn drop_sender(&self) {
        self.senders.fetch_sub(1, Release);
    }

    fn pop(&self) -> Option<u32> {
        self.queue.lock().unwrap().pop_front()
    }

    // ANCHOR: broken
    fn receive_broken(&self) -> Received {
        match self.pop() {
            Some(message) => Received::Message(message),
            // Here the last sender sends, and goes.
            None if self.senders.load(Acquire) == 0 => Received::Closed,
            None => Received::Empty,
        }
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn receive_fixed(&self) -> Received {
        let closed = self.senders.load(Acquire) == 0;
        match self.pop() {
            Some(message) => Received::Message(message),
            None if closed => Received::Closed,
            None => Received::Empty,
        }
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(receive: fn(&Channel) -> Received) {
    let channel = Arc::new(Channel { queue: Mutex::default(), senders: AtomicUsize::new(1) });
    let theirs = channel.clone();
    let sending = thread::spawn(move || {
        theirs.send(7);
        theirs.drop_sender();
    });
    let early = receive(&channel);
    assert_ne!(early, Received::Closed, "there was a message, or a sender that was going to send it");
    sending.join().unwrap();
    if early == Received::Empty {
        assert_eq!(receive(&channel), Received::Message(7));
    }
    assert_eq!(receive(&channel), Received::Closed);
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_closed_too_early",
    about: "look for the end first, then for messages",
    invariants: &[],
    bound: None,
    body: || model(Channel::receive_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Channel::receive_broken) }],
};
