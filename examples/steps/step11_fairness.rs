//! Step 11: fairness. A task that is always ready, and one that always yields.
//!
//! `cargo run --example step11_fairness`; the executor is step 7's, in `tasks.rs`.

mod help;
mod tasks;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

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

/// What every operation asks before it succeeds. When the budget is spent it pretends
/// that it must wait, and wakes itself: so the task comes to the end of the run queue.
fn spend(cx: &mut Context<'_>) -> Poll<()> {
    match BUDGET.get().checked_sub(1) {
        Some(rest) => {
            BUDGET.set(rest);
            Poll::Ready(())
        }
        None => {
            record::budget_spent();
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
}

/// An operation that is always ready: a socket on which the peer never stops to send, a
/// channel that is never empty.
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
/// An outside world in which something has happened: a deadline has passed, a socket is
/// ready. The executor has not looked yet.
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

    /// WRONG to leave out: while there is always a task to poll, `park` is never
    /// called.
    fn look(&self) {
        if self.looks {
            self.park();
        }
    }
}

/// After how many turns of a task that always yields another one hears of the outside;
/// at most `limit` are tried.
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
            if std::mem::replace(&mut asked, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        heard.set(true);
    });
    turns.get()
}
// ANCHOR_END: look

fn main() {
    let recording = help::begin("Step 11: fairness");
    println!("wrong: no budget:        {}", greedy_and_modest(u32::MAX));
    record::restart();
    println!("right: a budget of four:  {}", greedy_and_modest(4));
    drop(recording);
    println!(
        "wrong: looks outside when no task can run: heard after {} turns of 1000",
        turns_until_heard(false, 1000)
    );
    println!(
        "right: looks every 61 polls:              heard after {} turns of 1000",
        turns_until_heard(true, 1000)
    );
}
