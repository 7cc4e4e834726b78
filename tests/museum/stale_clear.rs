//! # A clear that came too late
//!
//! **What happened.** A socket's readiness is a flag that the driver sets on an event and the task clears when a read
//! finds no data. The task reads: nothing. Now data arrives, and the driver sets the flag, which is set already.
//! Now the task clears it, because of the read that found nothing. The event came once, as edge-triggered events do:
//! data lies in the socket, the flag says no, and no event will set it again.
//!
//! **Seen.** [tokio #6133](https://github.com/tokio-rs/tokio/issues/6133) reports this race and the cure, a tick that
//! goes up with every event, and how too few bits of tick brought it back;
//! [tokio #8331](https://github.com/tokio-rs/tokio/pull/8331) restores the tick's full width where it had been cut
//! to eight bits.
//!
//! **Why it is hard to see.** The task and the driver must be on two threads, and the data must come in between two
//! neighbouring lines. It shows as a connection that hangs, rarely, with its data already there.
//!
//! **Remember.** Clear only what you have seen. The clear names the event that is used up, and a newer one
//! stays.

use super::shim::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use super::shim::{Arc, thread};
use crate::model::{Model, Mutant};

const READY: usize = 1;
/// The events are counted in the bits above.
const TICK: usize = 2;

struct Socket {
    /// What the kernel holds.
    bytes: AtomicUsize,
    readiness: AtomicUsize,
}

impl Socket {
    /// The driver: data has arrived. It is the only one who counts, so it need not compare.
    fn event(&self) {
        self.bytes.fetch_add(1, Relaxed);
        self.readiness.fetch_add(TICK, AcqRel);
        self.readiness.fetch_or(READY, AcqRel);
    }

    fn read(&self) -> usize {
        self.bytes.swap(0, Relaxed)
    }

    // ANCHOR: broken
    fn clear_broken(&self, _seen: usize) {
        self.readiness.fetch_and(!READY, AcqRel);
    }

    /// It compares, but only the flag, which looks the same before and after an event.
    fn clear_without_tick(&self, seen: usize) {
        let now = self.readiness.load(Acquire);
        if now & READY == seen & READY {
            self.readiness.fetch_and(!READY, AcqRel);
        }
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn clear_fixed(&self, seen: usize) {
        // Whether it failed does not matter: then there is a newer event, and it stays.
        let _ = self.readiness.compare_exchange(seen, seen & !READY, AcqRel, Acquire);
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(clear: fn(&Socket, usize)) {
    // An earlier event has set the flag, and its data has been read.
    let socket = Arc::new(Socket { bytes: AtomicUsize::new(0), readiness: AtomicUsize::new(READY) });
    let theirs = socket.clone();
    let driver = thread::spawn(move || theirs.event());
    let seen = socket.readiness.load(Acquire);
    let read = socket.read();
    if read == 0 {
        clear(&socket, seen);
    }
    driver.join().unwrap();
    let ready = socket.readiness.load(Acquire) & READY != 0;
    assert!(read > 0 || ready, "data in the socket, and no readiness to say so");
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_stale_clear",
    about: "clear only the event that you have seen",
    invariants: &[6],
    bound: None,
    body: || model(Socket::clear_fixed),
    mutants: &[
        Mutant::Body { name: "broken", body: || model(Socket::clear_broken) },
        Mutant::Body { name: "without_tick", body: || model(Socket::clear_without_tick) },
    ],
};
