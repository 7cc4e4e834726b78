//! Fairness: a task keeps the thread until its poll returns. What makes it return?
//!
//! `cargo run --example starvation`

#[macro_use]
#[path = "../common/print.rs"]
mod print;
mod stage;

use std::cell::Cell;
use std::future::ready;
use std::process::ExitCode;
use std::rc::Rc;

use cotask::sync::mpsc;
use cotask::yield_now;

const STEPS: u32 = 1_000;

// ANCHOR: neighbour
/// Counts how far the greedy task has come each time that its own turn comes, until that one is through.
async fn neighbour(progress: Rc<Cell<u32>>) -> Vec<u32> {
    let mut seen = Vec::new();
    while progress.get() < STEPS {
        seen.push(progress.get());
        yield_now().await;
    }
    seen
}
// ANCHOR_END: neighbour

// ANCHOR: greedy
/// Every `await` here is of something that is ready: the task never returns to the executor.
async fn greedy(progress: Rc<Cell<u32>>) {
    while progress.get() < STEPS {
        ready(()).await;
        progress.set(progress.get() + 1);
    }
}

/// As ready as the other, because the channel is full of messages. But a channel is a leaf of this runtime, and its
/// leaves have a budget.
async fn reads_a_full_channel(progress: Rc<Cell<u32>>) {
    let (to, mut from) = mpsc::unbounded_channel();
    (0..STEPS).for_each(|n| to.send(n).expect("the receiver is here"));
    while progress.get() < STEPS && from.recv().await.is_some() {
        progress.set(progress.get() + 1);
    }
}

/// The loop is its own, so it must give way by itself.
async fn yields_by_itself(progress: Rc<Cell<u32>>) {
    while progress.get() < STEPS {
        progress.set(progress.get() + 1);
        if progress.get().is_multiple_of(50) {
            yield_now().await;
        }
    }
}
// ANCHOR_END: greedy

async fn beside<F: Future<Output = ()> + 'static>(what: &str, work: impl FnOnce(Rc<Cell<u32>>) -> F) {
    let progress = Rc::new(Cell::new(0));
    let watching = cotask::spawn_named("neighbour", neighbour(Rc::clone(&progress)));
    let working = cotask::spawn_named(what, work(progress));
    working.await.expect("it does not panic");
    let seen = watching.await.expect("it does not panic");
    let first: Vec<_> = seen.iter().take(6).map(u32::to_string).collect();
    let more = if seen.len() > 6 { ", …" } else { "" };
    println!("{what:<21} {:>3}, at steps {}{more}", seen.len(), first.join(", "));
}

fn main() -> ExitCode {
    stage::play("What its neighbours see of a task that always has something to do", async {
        println!("The neighbour's turns while the other takes {STEPS} steps:");
        beside("greedy", greedy).await;
        beside("reads a full channel", reads_a_full_channel).await;
        beside("yields by itself", yields_by_itself).await;
    })
}
