//! Step 6: the waker. The thread sleeps until it is called; and how a call gets lost.
//!
//! `cargo run --example step06_waker`

mod help;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use help::{cpu_time, ms, record};

// ANCHOR: call
/// Wakes a thread that sleeps in `block_on`.
struct Call {
    thread: Thread,
    /// Our own note that we were called. `park` has one too, but any code on this
    /// thread may use that up.
    called: AtomicBool,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        if !self.called.swap(true, Ordering::AcqRel) {
            record::scheduled(0);
            self.thread.unpark();
        }
    }
}
// ANCHOR_END: call

// ANCHOR: block_on
fn block_on<F: Future>(future: F) -> (F::Output, u64) {
    let mut future = pin!(future);
    let call =
        Arc::new(Call { thread: thread::current(), called: AtomicBool::new(true) });
    let waker = Waker::from(Arc::clone(&call));
    let mut polls = 0;
    loop {
        while !call.called.swap(false, Ordering::AcqRel) {
            record::parked(None);
            // Returns at once when `unpark` was first; may also return for no reason.
            thread::park();
            record::unparked();
        }
        polls += 1;
        record::poll_began(0);
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        record::poll_ended(0, if polled.is_ready() { "finished" } else { "pending" });
        if let Poll::Ready(output) = polled {
            return (output, polls);
        }
    }
}
// ANCHOR_END: block_on

// ANCHOR: wrong
#[derive(Default)]
struct TwoLocks {
    text: Mutex<Option<String>>,
    waker: Mutex<Option<Waker>>,
}

impl TwoLocks {
    fn deliver(&self, text: &str) {
        *self.text.lock().unwrap() = Some(text.to_string());
        let waker = self.waker.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// WRONG: it looks, and then leaves its waker.
struct Hasty<'a>(&'a TwoLocks);

impl Future for Hasty<'_> {
    type Output = String;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<String> {
        if let Some(text) = self.0.text.lock().unwrap().take() {
            return Poll::Ready(text);
        }
        // Another thread may come just here: once in a million polls; here, always.
        self.0.deliver("Ann writes");
        *self.0.waker.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    }
}
// ANCHOR_END: wrong

// ANCHOR: letter
#[derive(Default)]
struct Place {
    text: Option<String>,
    waker: Option<Waker>,
}

/// Text and waker under one lock: the second thread finds what the first has left.
struct Letter(Arc<Mutex<Place>>);

impl Future for Letter {
    type Output = String;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<String> {
        let waker = cx.waker().clone();
        let mut place = self.0.lock().unwrap();
        if let Some(text) = place.text.take() {
            return Poll::Ready(text);
        }
        let before = place.waker.replace(waker);
        drop(place);
        // A waker is foreign code: never clone, drop or call it with a lock held.
        drop(before);
        Poll::Pending
    }
}

fn deliver(place: &Mutex<Place>, text: &str) {
    let mut place = place.lock().unwrap();
    place.text = Some(text.to_string());
    let waker = place.waker.take();
    drop(place);
    if let Some(waker) = waker {
        waker.wake();
    }
}
// ANCHOR_END: letter

/// Polls once, as a test does: whether it was ready, and whether the waker was called.
fn poll_once(future: impl Future) -> (bool, bool) {
    let call =
        Arc::new(Call { thread: thread::current(), called: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&call));
    let ready = pin!(future).poll(&mut Context::from_waker(&waker)).is_ready();
    (ready, call.called.load(Ordering::Acquire))
}

fn main() {
    let _recording = help::begin("Step 6: sleeping until called, and the lost wake-up");

    // ANCHOR: lost
    let place = TwoLocks::default();
    let (ready, called) = poll_once(Hasty(&place));
    let lies_there = place.text.lock().unwrap().is_some();
    println!(
        "wrong: ready: {ready}, called: {called}, but a letter lies there: {lies_there}"
    );
    // ANCHOR_END: lost

    // ANCHOR: main
    let (begun, cpu) = (Instant::now(), cpu_time());
    let place = Arc::new(Mutex::new(Place::default()));
    let letter = Letter(Arc::clone(&place));
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        deliver(&place, "Ann writes");
    });
    record::spawned(0, "Ann's");
    record::scheduled(0);
    let (text, polls) = block_on(letter);
    // ANCHOR_END: main
    println!("right: {text}, after {polls} polls");
    println!(
        "took {}, of which the CPU was busy for {}",
        ms(begun.elapsed()),
        ms(cpu_time() - cpu)
    );
}
