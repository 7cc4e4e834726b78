//! # A panic without an answer
//!
//! **What happened.** A job is given to a worker, and a task waits for its answer. The job panics. The worker's loop
//! unwinds past the line that would have sent the answer and woken the task; the panic is printed on a thread that
//! no other joins. The task waits forever, and the pool is one worker smaller.
//!
//! **Seen.** [glommio #37](https://github.com/glommio/glommio/issues/37): the awaiting task hangs, and later jobs panic
//! the executor, because the worker is gone. [rayon #10](https://github.com/rayon-rs/rayon/issues/10) was the same: the
//! panic is reported, and `join` waits on.
//!
//! **Why it is hard to see.** All that runs after the job is written as if the job returned. The path on which it does
//! not is not in the text. It needs no race either, so loom has nothing to do: one job, one panic, and a look at
//! whether the waker was called. It is driven by hand.
//!
//! **Remember.** Foreign code has two ways out. Catch the panic where the job is run, and send it as the answer; the
//! caller that joins decides what to do with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::{cell::RefCell, future::poll_fn, rc::Rc};

use futures_test::task::new_count_waker;

use super::{Calls, Tasks};
use crate::model::{Model, Mutant};

type Job = fn() -> u32;

/// Where the answer goes.
#[derive(Default)]
struct Slot {
    answer: Option<thread::Result<u32>>,
    waker: Option<Waker>,
}

impl Slot {
    fn put(&mut self, answer: thread::Result<u32>) {
        self.answer = Some(answer);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<thread::Result<u32>> {
        match self.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                self.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

// ANCHOR: broken
fn work_broken(job: Job, slot: &mut Slot) {
    let answer = job();
    slot.put(Ok(answer));
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn work_fixed(job: Job, slot: &mut Slot) {
    slot.put(catch_unwind(job));
}
// ANCHOR_END: fixed

// ANCHOR: model
fn model(work: fn(Job, &mut Slot)) {
    let mut slot = Slot::default();
    let (waker, woken) = new_count_waker();
    assert!(slot.poll(&mut Context::from_waker(&waker)).is_pending());
    // The worker's thread: what gets out of it ends it.
    let worker =
        catch_unwind(AssertUnwindSafe(|| work(|| std::panic::resume_unwind(Box::new("boom")), &mut slot)));
    assert_eq!(woken.get(), 1, "the waiting task is not woken");
    assert!(worker.is_ok(), "the worker is gone");
    let Poll::Ready(answer) = slot.poll(&mut Context::from_waker(&waker)) else {
        panic!("woken for nothing")
    };
    assert_eq!(*answer.unwrap_err().downcast::<&str>().unwrap(), "boom");
}
// ANCHOR_END: model

/// Any jobs, one after the other: each returns or panics.
fn calls(work: fn(Job, &mut Slot), calls: &[u8]) {
    for call in calls {
        let job: Job = if call % 2 == 0 { || 7 } else { || std::panic::resume_unwind(Box::new("boom")) };
        let mut slot = Slot::default();
        let (waker, woken) = new_count_waker();
        assert!(slot.poll(&mut Context::from_waker(&waker)).is_pending());
        let _ = catch_unwind(AssertUnwindSafe(|| work(job, &mut slot)));
        assert_eq!(woken.get(), 1, "the waiting task is not woken");
    }
}

pub const CALLS: &[Calls] = &[|all| calls(work_fixed, all), |all| calls(work_broken, all)];

/// The worker as a task: cotask keeps the panic for the caller that joins it, and here none does.
async fn tasks(work: fn(Job, &mut Slot)) {
    let slot = Rc::new(RefCell::new(Slot::default()));
    let theirs = slot.clone();
    drop(cotask::spawn(async move {
        work(|| std::panic::resume_unwind(Box::new("boom")), &mut theirs.borrow_mut());
    }));
    assert!(poll_fn(|cx| slot.borrow_mut().poll(cx)).await.is_err());
}

pub const TASKS: [Tasks; 2] = [|| Box::pin(tasks(work_fixed)), || Box::pin(tasks(work_broken))];

pub static MODEL: Model = Model {
    name: "museum_panic_without_an_answer",
    about: "a panic is an answer too",
    invariants: &[8],
    bound: None,
    body: || model(work_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(work_broken) }],
};
