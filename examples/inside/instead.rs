//! What cotask does not have, made of what it has: the latest value, a message for all, a file, a process.

use std::cell::{Cell, RefCell};
use std::process::{Command, Stdio};
use std::rc::Rc;

use anyhow::{Context, Result};
use cotask::spawn_blocking;
use cotask::sync::{Notify, mpsc};

pub(crate) async fn scene() -> Result<()> {
    latest().await?;
    for_all().await?;
    file().await?;
    process().await
}

// ANCHOR: latest
/// The latest of some values, and a wait for the next one.
struct Latest<T> {
    value: RefCell<T>,
    version: Cell<u64>,
    changed: Notify,
}

impl<T: Clone> Latest<T> {
    fn new(value: T) -> Latest<T> {
        Latest { value: RefCell::new(value), version: Cell::new(0), changed: Notify::new() }
    }

    fn set(&self, value: T) {
        self.value.replace(value);
        self.version.set(self.version.get() + 1);
        self.changed.notify_waiters();
    }

    /// Waits for a version other than the one that was `seen`. Versions in between are skipped.
    async fn next(&self, seen: &mut u64) -> T {
        loop {
            // Made before the look: a change between the look and the await is not missed.
            let changed = self.changed.notified();
            if self.version.get() != *seen {
                *seen = self.version.get();
                return self.value.borrow().clone();
            }
            changed.await;
        }
    }
}

async fn latest() -> Result<()> {
    let limit = Rc::new(Latest::new(10));
    let watcher = cotask::spawn_named("watcher", {
        let limit = Rc::clone(&limit);
        async move {
            let mut seen = 0;
            let mut got = Vec::new();
            while got.last() != Some(&40) {
                got.push(limit.next(&mut seen).await);
            }
            got
        }
    });
    limit.set(20);
    cotask::yield_now().await;
    // The watcher has no turn between these two.
    limit.set(30);
    limit.set(40);
    println!("the latest value:    set to 20, 30 and 40, and the watcher saw {:?}", watcher.await?);
    Ok(())
}
// ANCHOR_END: latest

// ANCHOR: for_all
/// A channel for each subscriber. The sender decides what happens to one that is too slow: here it loses its place.
async fn for_all() -> Result<()> {
    let (mut subscribers, mut tasks) = (Vec::new(), Vec::new());
    for (name, room) in [("quick", 8), ("slow", 2)] {
        let (sender, mut receiver) = mpsc::channel(room);
        subscribers.push(sender);
        tasks.push(cotask::spawn_named(name, async move {
            let mut got = Vec::new();
            while let Some(message) = receiver.recv().await {
                got.push(message);
            }
            (name, got)
        }));
    }
    for message in 1..=4 {
        subscribers.retain(|subscriber| subscriber.try_send(message).is_ok());
    }
    println!("\na message for all:   {} of 2 subscribers kept up with 1 to 4", subscribers.len());
    drop(subscribers);
    for task in tasks {
        println!("                     {:?}", task.await?);
    }
    Ok(())
}
// ANCHOR_END: for_all

// ANCHOR: file
/// A file blocks the thread that reads it, so a thread of the pool reads it.
async fn file() -> Result<()> {
    const LICENSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../LICENSE-MIT");
    let text = spawn_blocking(|| std::fs::read_to_string(LICENSE)).await?.context(LICENSE)?;
    println!("\na file:              {} lines", text.lines().count());
    Ok(())
}
// ANCHOR_END: file

// ANCHOR: process
/// To wait for a process blocks as well.
async fn process() -> Result<()> {
    let this = std::env::current_exe()?;
    let child = Command::new(this).arg("--help").stdout(Stdio::piped()).spawn()?;
    let output = spawn_blocking(move || child.wait_with_output()).await??;
    let first = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned();
    println!("a process:           ended with {:?} after printing {first:?}", output.status.code());
    Ok(())
}
// ANCHOR_END: process
