//! # A token that outlived its connection
//!
//! **What happened.** A reactor names each connection by its slot in a table. One batch of events says: slot 0 hung up,
//! the listener is ready, slot 0 is readable. The first closes the connection and frees the slot. The second accepts a
//! new connection, which gets the free slot. The third was meant for the old connection, and reaches the
//! new one.
//!
//! **Seen.** [mio #172](https://github.com/tokio-rs/mio/issues/172), an echo server that reused its tokens and found
//! itself with another connection's socket; [mio #219](https://github.com/tokio-rs/mio/issues/219) asks what a removed token's pending events
//! do, and [mob #2](https://github.com/hjr3/mob/pull/2) puts off every removal to the end of the batch.
//!
//! **Why it is hard to see.** All three events must come in one batch, so it takes load. loom cannot make them: they
//! come from the kernel, on one thread. What matters is their order, so the batch is written by hand here.
//!
//! **Remember.** A number that is used again needs a generation. Slot and generation go into the token, and an event
//! whose generation is not the slot's is for a connection that has gone.

use super::Calls;
use crate::model::{Model, Mutant};

#[derive(Clone, Copy, PartialEq)]
struct Token {
    slot: usize,
    generation: u32,
}

#[derive(Clone, Copy)]
enum Event {
    HungUp(Token),
    Accept,
    Readable(Token),
}

#[derive(Default)]
struct Slot {
    generation: u32,
    /// The connection: how often it was notified to read.
    told: Option<u32>,
}

#[derive(Default)]
struct Table(Vec<Slot>);

impl Table {
    fn insert(&mut self) -> Token {
        let slot = self.0.iter().position(|slot| slot.told.is_none()).unwrap_or(self.0.len());
        if slot == self.0.len() {
            self.0.push(Slot::default());
        }
        self.0[slot].told = Some(0);
        Token { slot, generation: self.0[slot].generation }
    }

    fn remove(&mut self, token: Token) {
        self.0[token.slot].told = None;
        self.0[token.slot].generation += 1;
    }

    // ANCHOR: broken
    fn readable_broken(&mut self, token: Token) {
        if let Some(told) = &mut self.0[token.slot].told {
            *told += 1;
        }
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn readable_fixed(&mut self, token: Token) {
        let slot = &mut self.0[token.slot];
        if let Some(told) = slot.told.as_mut().filter(|_| slot.generation == token.generation) {
            *told += 1;
        }
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(readable: fn(&mut Table, Token)) {
    let mut table = Table::default();
    let old = table.insert();
    let mut new = None;
    for event in [Event::Readable(old), Event::HungUp(old), Event::Accept, Event::Readable(old)] {
        match event {
            Event::HungUp(token) => table.remove(token),
            Event::Accept => new = Some(table.insert()),
            Event::Readable(token) => readable(&mut table, token),
        }
    }
    let new = new.unwrap();
    assert_eq!(new.slot, old.slot, "the slot is used again, or there is nothing to see");
    assert_eq!(table.0[new.slot].told, Some(0), "a new connection got an event meant for the old one");
    readable(&mut table, new);
    assert_eq!(table.0[new.slot].told, Some(1), "and it does get its own");
}
// ANCHOR_END: model

/// Any calls: a connection is made; one hangs up; an event comes, by a token that may be old.
fn calls(readable: fn(&mut Table, Token), calls: &[u8]) {
    let mut table = Table::default();
    // Of all connections: how often each that is there was meant.
    let mut connections: Vec<(Token, Option<u32>)> = Vec::new();
    for call in calls {
        match (call % 3, connections.get_mut(usize::from(call / 3))) {
            (0, _) => connections.push((table.insert(), Some(0))),
            (1, Some((token, meant @ Some(_)))) => {
                table.remove(*token);
                *meant = None;
            }
            (2, Some((token, meant))) => {
                readable(&mut table, *token);
                *meant = meant.map(|meant| meant + 1);
            }
            _ => {}
        }
        for (token, meant) in connections.iter().filter(|(_, meant)| meant.is_some()) {
            assert_eq!(table.0[token.slot].told, *meant, "it got an event meant for another connection");
        }
    }
}

pub const CALLS: &[Calls] =
    &[|all| calls(Table::readable_fixed, all), |all| calls(Table::readable_broken, all)];

pub static MODEL: Model = Model {
    name: "museum_stale_token",
    about: "a slot that is given again needs a generation",
    invariants: &[3],
    bound: None,
    body: || model(Table::readable_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Table::readable_broken) }],
};
