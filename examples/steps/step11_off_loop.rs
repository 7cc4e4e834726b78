//! Step 11, continued: work that blocks, off the loop.
//!
//! `cargo run --example step11_off_loop`; the executor is step 7's, in `tasks.rs`.

mod help;
mod tasks;

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use help::record;
use tasks::{ThisThread, block_on, spawn, yield_now};

// ANCHOR: off_loop
/// Runs a job that blocks on a thread of its own; the future is of its result.
async fn off_loop<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> T {
    let place = Arc::new(Mutex::new((None, None::<Waker>)));
    let of_thread = Arc::clone(&place);
    thread::spawn(move || {
        let result = job();
        let mut place = of_thread.lock().unwrap();
        place.0 = Some(result);
        let waker = place.1.take();
        drop(place);
        if let Some(waker) = waker {
            waker.wake(); // from another thread: step 12
        }
    });
    poll_fn(|cx| {
        let waker = cx.waker().clone();
        let mut place = place.lock().unwrap();
        if let Some(result) = place.0.take() {
            return Poll::Ready(result);
        }
        let before = place.1.replace(waker);
        drop(place);
        drop(before);
        Poll::Pending
    })
    .await
}

/// What gets on while a job blocks.
fn beside_a_job(on_the_loop: bool) -> String {
    let job = || thread::sleep(Duration::from_millis(100));
    let order = Rc::new(RefCell::new(Vec::new()));
    block_on(&ThisThread, async {
        let log = Rc::clone(&order);
        let beside = spawn("beside", async move {
            for number in 1..=3 {
                log.borrow_mut().push(format!("b{number}"));
                yield_now().await;
            }
        });
        if on_the_loop {
            job()
        } else {
            off_loop(job).await
        }
        order.borrow_mut().push("job".to_string());
        beside.await;
    });
    order.take().join(" ")
}
// ANCHOR_END: off_loop

fn main() {
    let _recording = help::begin("Step 11: work that blocks, on the loop and off it");
    println!("wrong: blocks the loop:       {}", beside_a_job(true));
    record::restart();
    println!("right: blocks another thread: {}", beside_a_job(false));
}
