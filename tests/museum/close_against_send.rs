//! # Sent into a closed channel, and both believe it
//!
//! **What happened.** A channel for one value, its state in two bits. The sender puts its value down and sets "sent".
//! If the bits it found say "closed", it takes the value back, to return it to its caller. But "sent" is now set all
//! the same: the receiver sees it and takes the value too. One of the two finds nothing.
//!
//! **Seen.** [tokio #4225](https://github.com/tokio-rs/tokio/issues/4225), a panic in `oneshot::Sender::send`, every few
//! seconds on a machine with many cores, and unsound. [tokio #4226](https://github.com/tokio-rs/tokio/pull/4226) adds
//! two loom tests that find it, and no longer sets "sent" on a closed channel.
//!
//! **Why it is hard to see.** The receiver must close, and *then* look whether something came before the close. That
//! is correct and careful, and few do it.
//!
//! **Remember.** Do not enter a forbidden state and then leave it again: another thread sees it. Make the transition
//! conditional, so that it is refused.

use super::shim::atomic::{
    AtomicU8,
    Ordering::{AcqRel, Acquire},
};
use super::shim::{Arc, Mutex, thread};
use crate::model::{Model, Mutant};

const OPEN: u8 = 0;
const SENT: u8 = 1;
const CLOSED: u8 = 2;

struct Oneshot {
    state: AtomicU8,
    value: Mutex<Option<u32>>,
}

impl Oneshot {
    fn new() -> Oneshot {
        Oneshot { state: AtomicU8::new(0), value: Mutex::new(None) }
    }

    fn take(&self) -> Option<u32> {
        self.value.lock().unwrap().take()
    }

    fn close(&self) {
        self.state.fetch_or(CLOSED, AcqRel);
    }

    fn try_receive(&self) -> Option<u32> {
        (self.state.load(Acquire) & SENT != 0).then(|| self.take()).flatten()
    }

    // ANCHOR: broken
    fn send_broken(&self, value: u32) -> Result<(), u32> {
        *self.value.lock().unwrap() = Some(value);
        let before = self.state.fetch_or(SENT, AcqRel);
        if before & CLOSED != 0 {
            return Err(self.take().expect("it was put there two lines above"));
        }
        Ok(())
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn send_fixed(&self, value: u32) -> Result<(), u32> {
        *self.value.lock().unwrap() = Some(value);
        match self.state.compare_exchange(OPEN, SENT, AcqRel, Acquire) {
            Ok(_) => Ok(()),
            // It was never sent, so only the sender looks for it.
            Err(_) => Err(self.take().expect("it was put there a moment ago")),
        }
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(send: fn(&Oneshot, u32) -> Result<(), u32>) {
    let channel = Arc::new(Oneshot::new());
    let theirs = channel.clone();
    let sending = thread::spawn(move || send(&theirs, 7));
    channel.close();
    let received = channel.try_receive();
    let returned = sending.join().unwrap().err();
    assert_eq!(received.or(returned), Some(7), "the value is lost");
    assert!(received.is_none() || returned.is_none(), "the value is there twice");
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_close_against_send",
    about: "refuse a transition, do not take it back",
    invariants: &[],
    bound: None,
    body: || model(Oneshot::send_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Oneshot::send_broken) }],
};
