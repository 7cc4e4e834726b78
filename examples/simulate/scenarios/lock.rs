//! A lock service that trusts clocks: a lease can end by the service's clock before it ends by its holder's.
//!
//! Workers add to a number in a store, under a lock: read, think, write. The lock is a lease, so that a worker that dies
//! does not keep it, and each worker looks at its own clock before it writes. That does not help: clocks differ, and
//! after the look the write is still on its way. The repair is the store's: each lease has a number that only grows, and the
//! store refuses a number that is lower than one it has seen. Source: M. Kleppmann, "How to do distributed locking", 2016
//! (fencing tokens).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use cotask::sim::{self, random};
use cotask::time::{Instant, sleep};

use super::Version;
use super::wire::{ask, numbers, serve};
use crate::common::Backoff;

const WORKERS: [&str; 3] = ["ann", "bob", "cid"];
const ADDITIONS: u64 = 4;
const LEASE: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_millis(1_000);

/// What the lock service keeps on disk, so that a crash does not release the lock.
#[derive(Default)]
struct Lease {
    until: Option<Instant>,
    token: u64,
}

#[derive(Default)]
struct Store {
    number: u64,
    /// The highest token that was seen.
    token: u64,
}

pub(super) async fn run(version: Version) {
    let lease = Rc::new(RefCell::new(Lease::default()));
    sim::host("locks", move || locks(Rc::clone(&lease)));
    let store = Rc::new(RefCell::new(Store::default()));
    let disk = Rc::clone(&store);
    sim::host("store", move || keep(version, Rc::clone(&disk)));
    let told = Rc::new(Cell::new(0));
    let workers = WORKERS.map(|name| {
        let told = Rc::clone(&told);
        sim::host(name, move || work(Rc::clone(&told)))
    });
    for worker in workers {
        worker.done().await;
    }
    let (number, told) = (store.borrow().number, told.get());
    assert!(number >= told, "{told} additions were confirmed, and the number is {number}");
}

// ANCHOR: locks
async fn locks(lease: Rc<RefCell<Lease>>) {
    serve(async move |question| {
        let mut lease = lease.borrow_mut();
        match numbers(question) {
            Some([token]) if token == lease.token => lease.until = None,
            Some([_]) => {}
            _ if lease.until.is_some_and(|until| Instant::now() < until) => return "taken".into(),
            _ => {
                lease.token += 1;
                lease.until = Some(Instant::now() + LEASE);
            }
        }
        format!("token {}", lease.token)
    })
    .await
}
// ANCHOR_END: locks

// ANCHOR: store
async fn keep(version: Version, store: Rc<RefCell<Store>>) {
    serve(async move |question| {
        let mut store = store.borrow_mut();
        let (token, write) = match (numbers(question), numbers(question)) {
            (Some([token]), _) => (token, None),
            (_, Some([token, number])) => (token, Some(number)),
            _ => return "what?".into(),
        };
        if version == Version::Repaired && token < store.token {
            return "too late".into();
        }
        store.token = token;
        store.number = write.unwrap_or(store.number);
        format!("number {}", store.number)
    })
    .await
}
// ANCHOR_END: store

async fn work(told: Rc<Cell<u64>>) {
    let mut backoff = Backoff::new(LEASE / 2, LEASE * 4);
    let mut done = 0;
    while done < ADDITIONS {
        if add().await.is_some() {
            done += 1;
            told.set(told.get() + 1);
            backoff = Backoff::new(LEASE / 2, LEASE * 4);
        }
        sleep(backoff.pause(random())).await;
    }
}

// ANCHOR: add
/// Adds one to the number under the lock. `None` when there was no lock to be had, or no word that it was done.
async fn add() -> Option<()> {
    let until = Instant::now() + LEASE;
    let [token] = numbers(&ask("locks:80", "lock", PATIENCE).await.ok()?)?;
    let [number] = numbers(&ask("store:80", &format!("read {token}"), PATIENCE).await.ok()?)?;
    sleep(Duration::from_millis(50 + random() % 100)).await;
    if Instant::now() >= until {
        return None;
    }
    let written = ask("store:80", &format!("write {token} {}", number + 1), PATIENCE).await.ok()?;
    let [_] = numbers::<1>(&written)?;
    // Not heard is no harm: the lease ends by itself.
    let _ = ask("locks:80", &format!("unlock {token}"), PATIENCE).await;
    Some(())
}
// ANCHOR_END: add
