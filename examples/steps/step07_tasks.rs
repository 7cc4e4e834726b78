//! Step 7: many tasks take turns on one thread. A run queue, `spawn`, `join`; and a
//! wake during a poll.
//!
//! `cargo run --example step07_tasks`; the executor is in `tasks.rs`.

mod help;
mod tasks;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tasks::{ThisThread, block_on, spawn, yield_now};

// ANCHOR: wrong
/// What an executor knows of a single task: whether it is to be polled.
struct Mark(AtomicBool);

impl Wake for Mark {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// WRONG: removes the mark when the poll has ended, and with it the mark of a wake
/// during the poll.
fn run_and_forget(future: impl Future<Output = ()>) -> Result<u32, u32> {
    let (mut future, mark) = (pin!(future), Arc::new(Mark(AtomicBool::new(true))));
    let waker = Waker::from(Arc::clone(&mark));
    let mut polls = 0;
    while mark.0.load(Ordering::Acquire) {
        polls += 1;
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return Ok(polls);
        }
        mark.0.store(false, Ordering::Release); // too late by one poll
    }
    Err(polls) // not marked: an executor would sleep here forever
}
// ANCHOR_END: wrong

/// WRONG, and the opposite: a future that does not leave its waker anywhere.
async fn forgets_its_waker() {
    let mut asked = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

// ANCHOR: main
type Log = Rc<RefCell<Vec<String>>>;

async fn count_to_three(name: &'static str, log: Log) -> usize {
    for number in 1..=3 {
        log.borrow_mut().push(format!("{name}{number}"));
        yield_now().await;
    }
    name.len()
}

fn many_tasks() -> (String, usize) {
    let log = Log::default();
    let letters = block_on(&ThisThread, async {
        let handles = ["a", "b", "c"]
            .map(|name| spawn(name, count_to_three(name, Rc::clone(&log))));
        let mut letters = 0;
        for handle in handles {
            letters += handle.await;
        }
        letters
    });
    let order = log.borrow().join(" ");
    (order, letters)
}
// ANCHOR_END: main

// ANCHOR: million
/// Tasks are small. So many at once, and all of them joined.
fn crowd(count: u64) -> u64 {
    let sum = Rc::new(Cell::new(0));
    block_on(&ThisThread, async {
        let add = |number| {
            let sum = Rc::clone(&sum);
            spawn("adder", async move { sum.set(sum.get() + number) })
        };
        let handles: Vec<_> = (1..=count).map(add).collect();
        for handle in handles {
            handle.await;
        }
    });
    sum.get()
}
// ANCHOR_END: million

fn main() {
    let recording = help::begin("Step 7: many tasks on one thread");
    match run_and_forget(yield_now()) {
        Ok(polls) => println!("wrong: over after {polls} polls"),
        Err(polls) => {
            println!("wrong: asleep forever after {polls} poll, though it was woken")
        }
    }
    let polls = run_and_forget(forgets_its_waker());
    println!("a future that keeps no waker: {polls:?}, and no executor can help it");

    let (order, letters) = many_tasks();
    println!("right: {order}; joined {letters} tasks");
    drop(recording);
    println!(
        "100000 tasks at once: their sum is {}, and no lock was needed for it",
        crowd(100_000)
    );
}
