//! Backpressure: when work arrives faster than it can be done, the rest must wait somewhere, or be refused.
//!
//! `cargo run --example backpressure`

#[macro_use]
#[path = "../common/print.rs"]
mod print;
mod stage;

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use clap::{Arg, value_parser};
use cotask::sync::mpsc;
use cotask::time::{Instant, sleep, sleep_until};

/// An order arrives every 2 ms, and takes 5 ms.
const EVERY: Duration = Duration::from_millis(2);
const TAKES: Duration = Duration::from_millis(5);
/// How many orders may wait in a queue with a bound.
const BOUND: usize = 8;

/// Two times, because an order may wait at the door before the queue takes it.
struct Order {
    arrived: Instant,
    queued: Instant,
}

impl Order {
    /// An order that enters the queue now.
    fn since(arrived: Instant) -> Order {
        Order { arrived, queued: Instant::now() }
    }
}

/// How many orders a policy must handle, and how it did.
#[derive(Default)]
struct Tally {
    orders: u32,
    done: Cell<u32>,
    refused: Cell<u32>,
    most_waiting: Cell<usize>,
    longest_in_queue: Cell<Duration>,
    longest_in_all: Cell<Duration>,
}

impl Tally {
    fn queued(&self, waiting: usize) {
        self.most_waiting.set(self.most_waiting.get().max(waiting));
    }

    fn finished(&self, order: &Order) {
        self.done.set(self.done.get() + 1);
        self.longest_in_queue.set(self.longest_in_queue.get().max(order.queued.elapsed()));
        self.longest_in_all.set(self.longest_in_all.get().max(order.arrived.elapsed()));
    }
}

// ANCHOR: arrivals
/// When order number `n` arrives. Customers do not know how far the kitchen is: a cook who falls behind does not delay
/// the next arrival.
fn arrival(start: Instant, n: u32) -> Instant {
    start + EVERY * (n + 1)
}
// ANCHOR_END: arrivals

// ANCHOR: unbounded
/// The queue takes every order. What cannot be done yet waits in memory.
async fn unbounded(tally: Rc<Tally>) {
    let (to, mut from) = mpsc::unbounded_channel();
    let seen = Rc::clone(&tally);
    let start = Instant::now();
    cotask::spawn_named("cook", async move {
        while let Some(order) = from.recv().await {
            seen.queued(from.len() + 1);
            sleep(TAKES).await;
            seen.finished(&order);
        }
        // The loop ends when every sender is gone and the queue is empty.
    });
    for n in 0..tally.orders {
        let arrived = arrival(start, n);
        sleep_until(arrived).await;
        let _ = to.send(Order::since(arrived));
    }
    drop(to);
}
// ANCHOR_END: unbounded

// ANCHOR: bounded
/// The sender waits until there is room: the end of the queue pushes back on its start.
async fn wait(tally: Rc<Tally>) {
    let (to, from) = mpsc::channel(BOUND);
    let start = Instant::now();
    cotask::spawn_named("cook", cook(from, Rc::clone(&tally)));
    for n in 0..tally.orders {
        let arrived = arrival(start, n);
        sleep_until(arrived).await;
        if let Ok(room) = to.reserve().await {
            room.send(Order::since(arrived));
        }
    }
}
// ANCHOR_END: bounded

// ANCHOR: shed
/// An order that finds no room is refused at once. Its customer may try elsewhere, or later.
async fn shed(tally: Rc<Tally>) {
    let (to, from) = mpsc::channel(BOUND);
    let start = Instant::now();
    cotask::spawn_named("cook", cook(from, Rc::clone(&tally)));
    for n in 0..tally.orders {
        let arrived = arrival(start, n);
        sleep_until(arrived).await;
        if to.try_send(Order::since(arrived)).is_err() {
            tally.refused.set(tally.refused.get() + 1);
        }
    }
}
// ANCHOR_END: shed

async fn cook(mut from: mpsc::Receiver<Order>, tally: Rc<Tally>) {
    while let Some(order) = from.recv().await {
        tally.queued(from.len() + 1);
        sleep(TAKES).await;
        tally.finished(&order);
    }
}

/// Runs one policy until the last order that it took is done, and prints its line.
async fn measure<F: Future<Output = ()>>(orders: u32, name: &str, policy: impl FnOnce(Rc<Tally>) -> F) {
    let start = Instant::now();
    let tally = Rc::new(Tally { orders, ..Tally::default() });
    policy(Rc::clone(&tally)).await;
    while tally.done.get() + tally.refused.get() < orders {
        sleep(TAKES).await;
    }
    println!(
        "{name:<10} {:>5} {:>8} {:>12} {:>13} ms {:>12} ms {:>8} ms",
        tally.done.get(),
        tally.refused.get(),
        tally.most_waiting.get(),
        tally.longest_in_queue.get().as_millis(),
        tally.longest_in_all.get().as_millis(),
        start.elapsed().as_millis(),
    );
}

fn main() -> ExitCode {
    let orders = Arg::new("orders")
        .long("orders")
        .value_name("COUNT")
        .value_parser(value_parser!(u32).range(1..=100_000))
        .default_value("200")
        .help("How many orders arrive");
    stage::play_with("Three places for the work that cannot be done yet", orders, |matches| {
        let orders = *matches.get_one("orders").expect("it has a default");
        async move {
            println!("policy      done  refused most waiting longest queued longest in all all done by");
            measure(orders, "unbounded", unbounded).await;
            measure(orders, "wait", wait).await;
            measure(orders, "shed", shed).await;
        }
    })
}
