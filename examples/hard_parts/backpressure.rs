//! Backpressure: when work comes faster than it can be done, the rest must wait somewhere, or not be taken at all.
//!
//! `cargo run --example backpressure`

mod stage;

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use clap::{Arg, value_parser};
use cotask::sync::mpsc;
use cotask::time::{Instant, sleep};

/// An order comes every 2 ms, and takes 5 ms.
const EVERY: Duration = Duration::from_millis(2);
const TAKES: Duration = Duration::from_millis(5);
/// So many orders may wait where there is a bound.
const BOUND: usize = 8;

struct Order {
    came: Instant,
}

/// What a policy is given to do, and what it came to.
#[derive(Default)]
struct Tally {
    orders: u32,
    done: Cell<u32>,
    turned_away: Cell<u32>,
    most_waiting: Cell<usize>,
    longest: Cell<Duration>,
}

impl Tally {
    fn queued(&self, waiting: usize) {
        self.most_waiting.set(self.most_waiting.get().max(waiting));
    }

    fn finished(&self, order: &Order) {
        self.done.set(self.done.get() + 1);
        self.longest.set(self.longest.get().max(order.came.elapsed()));
    }
}

// ANCHOR: unbounded
/// Everything is taken. What cannot be done yet waits in memory.
async fn unbounded(tally: Rc<Tally>) {
    let (to, mut from) = mpsc::unbounded_channel();
    let seen = Rc::clone(&tally);
    cotask::spawn_named("cook", async move {
        while let Some(order) = from.recv().await {
            seen.queued(from.len() + 1);
            sleep(TAKES).await;
            seen.finished(&order);
        }
        // The loop's end: every sender is gone, and the queue is empty.
    });
    for _ in 0..tally.orders {
        sleep(EVERY).await;
        let _ = to.send(Order { came: Instant::now() });
    }
    drop(to);
}
// ANCHOR_END: unbounded

// ANCHOR: bounded
/// Who brings an order waits until there is room: the queue's end pushes back on its start.
async fn wait(tally: Rc<Tally>) {
    let (to, from) = mpsc::channel(BOUND);
    cotask::spawn_named("cook", cook(from, Rc::clone(&tally)));
    for _ in 0..tally.orders {
        sleep(EVERY).await;
        let _ = to.send(Order { came: Instant::now() }).await;
    }
}
// ANCHOR_END: bounded

// ANCHOR: shed
/// Who finds no room is turned away at once, and may try again elsewhere, or later.
async fn shed(tally: Rc<Tally>) {
    let (to, from) = mpsc::channel(BOUND);
    cotask::spawn_named("cook", cook(from, Rc::clone(&tally)));
    for _ in 0..tally.orders {
        sleep(EVERY).await;
        if to.try_send(Order { came: Instant::now() }).is_err() {
            tally.turned_away.set(tally.turned_away.get() + 1);
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

/// Runs one policy until the last order that was taken is done, and prints its line.
async fn measure<F: Future<Output = ()>>(orders: u32, name: &str, policy: impl FnOnce(Rc<Tally>) -> F) {
    let start = Instant::now();
    let tally = Rc::new(Tally { orders, ..Tally::default() });
    policy(Rc::clone(&tally)).await;
    let all_brought = start.elapsed();
    while tally.done.get() + tally.turned_away.get() < orders {
        sleep(TAKES).await;
    }
    println!(
        "{name:<10} {:>5} {:>11} {:>12} {:>9} ms {:>8} ms {:>8} ms",
        tally.done.get(),
        tally.turned_away.get(),
        tally.most_waiting.get(),
        tally.longest.get().as_millis(),
        all_brought.as_millis(),
        start.elapsed().as_millis(),
    );
}

fn main() -> ExitCode {
    let orders = Arg::new("orders")
        .long("orders")
        .value_name("COUNT")
        .value_parser(value_parser!(u32).range(1..=100_000))
        .default_value("200")
        .help("How many orders come");
    stage::play_with("Three places for the work that cannot be done yet", orders, |matches| {
        let orders = *matches.get_one("orders").expect("it has a default");
        async move {
            println!("policy      done turned away most waiting longest wait all brought all done by");
            measure(orders, "unbounded", unbounded).await;
            measure(orders, "wait", wait).await;
            measure(orders, "shed", shed).await;
        }
    })
}
