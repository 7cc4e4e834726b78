//! The museum's only door to threads, locks and atomics: to watch them with another tool (a recorder, another model
//! checker), change this file alone. With `cargo loom` they are loom's; in `cargo test` they are `std`'s, and an
//! exhibit is an ordinary small program; `tests/tools` substitutes one tool's after another.

#[cfg(museum_tools)]
pub use super::super::primitives::{Arc, Condvar, Mutex, atomic, block_on, thread};

#[cfg(cotask_loom)]
pub use interleave::{
    future::block_on,
    sync::{Arc, Condvar, Mutex, atomic},
    thread,
};

#[cfg(not(any(cotask_loom, museum_tools)))]
pub use futures::executor::block_on;
#[cfg(not(any(cotask_loom, museum_tools)))]
pub use std::{
    sync::{Arc, Condvar, Mutex, atomic},
    thread,
};

/// What a sleeping thread sleeps on, like the eventfd of a poller: a ring is kept until a thread waits for it, and
/// two rings before that are one.
#[derive(Debug)]
pub struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    pub fn new() -> Bell {
        Bell { rung: Mutex::new(false), changed: Condvar::new() }
    }

    pub fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }

    pub fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
        *rung = false;
    }
}
