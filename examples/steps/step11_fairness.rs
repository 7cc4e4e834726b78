//! Step 11: fairness. A task that is always ready, one that always yields, and work that blocks.
//!
//! `cargo run --example step11_fairness`; the executor is step 7's, in `tasks.rs`.

mod help;
mod tasks;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use help::record;
use tasks::{Park, ThisThread, Unpark, block_on, spawn, yield_now};

// ANCHOR: budget
thread_local! {
    /// Operations that the task which is being polled may still complete in this poll.
    static BUDGET: Cell<u32> = const { Cell::new(u32::MAX) };
}

/// Polls a task with a fresh budget each time. A real executor does this for every task.
async fn with_budget<F: Future>(operations: u32, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let before = BUDGET.replace(operations);
        let polled = future.as_mut().poll(cx);
        BUDGET.set(before);
        polled
    })
    .await
}

/// What every operation asks before it succeeds. When the budget is spent it pretends that it must wait, and wakes itself:
/// so the task comes to the end of the run queue.
fn spend(cx: &mut Context<'_>) -> Poll<()> {
    match BUDGET.get().checked_sub(1) {
        Some(rest) => {
            BUDGET.set(rest);
            Poll::Ready(())
        }
        None => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
}

/// An operation that is always ready: a socket on which the peer never stops to send, a channel that is never empty.
async fn take_next() {
    poll_fn(spend).await;
}
// ANCHOR_END: budget

// ANCHOR: greedy
/// The order in which two tasks get on.
fn greedy_and_modest(budget: u32) -> String {
    let order = Rc::new(RefCell::new(String::new()));
    let log = |letter| {
        let order = Rc::clone(&order);
        move || order.borrow_mut().push(letter)
    };
    let (greedy, modest) = (log('G'), log('m'));
    block_on(&ThisThread, async {
        let greedy = spawn(
            "greedy",
            with_budget(budget, async move {
                for _ in 0..12 {
                    take_next().await;
                    greedy();
                }
            }),
        );
        let modest = spawn("modest", async move {
            for _ in 0..3 {
                modest();
                yield_now().await;
            }
        });
        greedy.await;
        modest.await;
    });
    order.take()
}
// ANCHOR_END: greedy

// ANCHOR: look
/// An outside world in which something has happened: a deadline has passed, a socket is ready. Nobody has looked yet.
struct Outside {
    waiting: Cell<Option<Waker>>,
    looks: bool,
}

impl Park for Outside {
    fn park(&self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    fn unparker(&self) -> Unpark {
        Box::new(|| ())
    }

    /// WRONG to leave out: where there is always somebody to poll, `park` is never called.
    fn look(&self) {
        if self.looks {
            self.park();
        }
    }
}

/// After how many turns of a task that always yields another one hears of the outside; at most `limit` are tried.
fn turns_until_heard(looks: bool, limit: u32) -> u32 {
    let outside = Outside { waiting: Cell::new(None), looks };
    let turns = Rc::new(Cell::new(0));
    let heard = Rc::new(Cell::new(false));
    block_on(&outside, async {
        spawn("yields", {
            let (turns, heard) = (turns.clone(), heard.clone());
            async move {
                while turns.get() < limit && !heard.get() {
                    turns.set(turns.get() + 1);
                    yield_now().await;
                }
            }
        });
        let mut asked = false;
        poll_fn(|cx| {
            outside.waiting.set(Some(cx.waker().clone()));
            if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        heard.set(true);
    });
    turns.get()
}
// ANCHOR_END: look

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
    let recording = help::begin("Step 11: fairness");
    println!("wrong: no budget:        {}", greedy_and_modest(u32::MAX));
    record::restart();
    println!("right: a budget of four:  {}", greedy_and_modest(4));
    drop(recording);
    println!(
        "wrong: looks outside when nobody can run: heard after {} turns of 1000",
        turns_until_heard(false, 1000)
    );
    println!(
        "right: looks every 61 polls:              heard after {} turns of 1000",
        turns_until_heard(true, 1000)
    );
    println!("wrong: blocks the loop:       {}", beside_a_job(true));
    println!("right: blocks another thread: {}", beside_a_job(false));
}
