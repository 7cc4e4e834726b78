//! Step 5: the smallest executor asks again and again. It works, and it burns a whole
//! core.
//!
//! `cargo run --example step05_busy`

mod help;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::future::join;
use help::{cpu_time, ms, record};

// ANCHOR: block_on
/// Runs a future to its end, and counts how often it had to ask.
fn block_on<F: Future>(future: F) -> (F::Output, u64) {
    let mut future = pin!(future);
    // A waker that does nothing: the loop needs no wake.
    let mut cx = Context::from_waker(Waker::noop());
    for polls in 1.. {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return (output, polls);
        }
    }
    unreachable!("a u64 does not run out")
}
// ANCHOR_END: block_on

// ANCHOR: letter
/// A value that another thread will put here.
struct Letter(Arc<Mutex<Option<String>>>);

impl Future for Letter {
    type Output = String;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<String> {
        match self.0.lock().unwrap().take() {
            Some(text) => Poll::Ready(text),
            None => Poll::Pending,
        }
    }
}

/// A thread writes a letter, which takes it `delay`.
fn letter(text: &str, delay: Duration) -> Letter {
    let (text, place) = (text.to_string(), Arc::new(Mutex::new(None)));
    let letter = Letter(Arc::clone(&place));
    thread::spawn(move || {
        thread::sleep(delay);
        *place.lock().unwrap() = Some(text);
    });
    letter
}
// ANCHOR_END: letter

// ANCHOR: counted
/// Counts the polls of a future, and records the first ten for the book's timeline.
async fn counted<F: Future + Unpin>(
    number: u64,
    name: &str,
    mut future: F,
) -> (F::Output, u64) {
    let mut polls = 0;
    record::spawned(number, name);
    let output = std::future::poll_fn(|cx| {
        polls += 1;
        let tell = polls <= 10;
        if tell {
            record::scheduled(number);
            record::poll_began(number);
        }
        let polled = Pin::new(&mut future).poll(cx);
        if tell {
            record::poll_ended(
                number,
                if polled.is_ready() { "finished" } else { "pending" },
            );
        }
        polled
    })
    .await;
    (output, polls)
}
// ANCHOR_END: counted

fn main() {
    let _recording = help::begin("Step 5: a busy loop, and its CPU time");
    let (begun, cpu) = (Instant::now(), cpu_time());

    // ANCHOR: main
    let ann = counted(0, "Ann's", letter("Ann writes", Duration::from_millis(100)));
    let bob = counted(1, "Bob's", letter("Bob writes", Duration::from_millis(300)));
    let (((ann, of_ann), (bob, of_bob)), polls) = block_on(join(ann, bob));
    // ANCHOR_END: main

    let (wall, cpu) = (begun.elapsed(), cpu_time() - cpu);
    println!("{ann}; {bob}");
    println!("polls of both: {polls}, of Ann's letter: {of_ann}, of Bob's: {of_bob}");
    println!("took {}, of which the CPU was busy for {}", ms(wall), ms(cpu));
    println!("polls that found something: 2");
}
