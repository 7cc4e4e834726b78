//! # One read for each edge
//!
//! **What happened.** A socket is registered edge-triggered: the kernel reports that data *has come*, not that data is
//! there. The handler reads once for each event. Two datagrams arrive before it runs, which is one event; it reads one.
//! The next datagram comes to a socket that was never emptied, and such a socket has no edge. From then on it lags
//! behind, or hangs for good.
//!
//! **Seen.** [mio #1076](https://github.com/tokio-rs/mio/issues/1076): UDP sockets stopped receiving "randomly".
//! [mio #1085](https://github.com/tokio-rs/mio/issues/1085) asks whether the example should not read in a loop, and it
//! should.
//!
//! **Why it is hard to see.** As long as the handler is faster than the network, there is one datagram for each event
//! and one read is enough. loom knows no kernel. So the socket here is a few lines of our own, and a seed decides how
//! many datagrams come between two runs of the handler.
//!
//! **Remember.** After an edge, read until the socket says that it would block. Only then is another edge promised.

use super::Calls;
use crate::model::{Model, Mutant};

/// A socket whose readiness is reported when data comes to it after it was empty.
#[derive(Default)]
struct Socket {
    datagrams: u32,
    drained: bool,
    event: bool,
}

impl Socket {
    fn arrive(&mut self) {
        self.datagrams += 1;
        self.event |= std::mem::take(&mut self.drained);
    }

    /// A datagram, or `None` for "would block", which arms the next event.
    fn read(&mut self) -> Option<()> {
        self.drained = self.datagrams == 0;
        self.datagrams = self.datagrams.checked_sub(1)?;
        Some(())
    }
}

// ANCHOR: broken
fn on_event_broken(socket: &mut Socket) -> u32 {
    u32::from(socket.read().is_some())
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn on_event_fixed(socket: &mut Socket) -> u32 {
    let mut received = 0;
    while socket.read().is_some() {
        received += 1;
    }
    received
}
// ANCHOR_END: fixed

// ANCHOR: model
fn model(on_event: fn(&mut Socket) -> u32) {
    for seed in 1..=8 {
        let mut random = seed;
        let turns = (0..20).flat_map(|_| {
            random = random * 5 % 23;
            // So many datagrams, then a turn of the handler.
            [0].repeat(random % 3).into_iter().chain([1])
        });
        calls(on_event, &turns.collect::<Vec<u8>>());
    }
}

/// Any calls: a datagram arrives, or the handler has its turn; at last it has one.
fn calls(on_event: fn(&mut Socket) -> u32, calls: &[u8]) {
    let mut socket = Socket { drained: true, ..Socket::default() };
    let (mut sent, mut received) = (0, 0);
    for call in calls.iter().chain(&[1]) {
        if call % 2 == 0 {
            socket.arrive();
            sent += 1;
        } else if std::mem::take(&mut socket.event) {
            received += on_event(&mut socket);
        }
    }
    assert_eq!(received, sent, "the network is silent, and the socket is not empty");
}
// ANCHOR_END: model

pub const CALLS: &[Calls] = &[|all| calls(on_event_fixed, all), |all| calls(on_event_broken, all)];

pub static MODEL: Model = Model {
    name: "museum_one_read_an_edge",
    about: "after an edge, read until it would block",
    invariants: &[6],
    bound: None,
    body: || model(on_event_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(on_event_broken) }],
};
