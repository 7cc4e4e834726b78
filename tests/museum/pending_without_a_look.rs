//! # Pending, because the lock was taken
//!
//! **What happened.** A job's result and the waker of the task that waits for it lie under one mutex. A poll must not
//! block, thought the author, so it tries the lock and returns "pending" if it is held. Only the job ever holds it,
//! as it stores the result and wakes. The task, just woken, tries the lock, finds it still held by the thread that
//! woke it, and goes back to sleep. There will be no second wake.
//!
//! **Seen.** [affinitypool #6](https://github.com/surrealdb/affinitypool/pull/6): the lock on the result was held on
//! after the wake, and the woken future, finding it locked, slept again, forever.
//!
//! **Why it is hard to see.** `try_lock` looks like the polite thing to do in a poll. On one processor the job nearly
//! always lets go before the woken task gets to run.
//!
//! **Remember.** "Pending" is a statement about the future: a holder of my waker will call it. A poll that could not
//! look, and has left nothing, cannot say so. A short critical section may be waited for, in a poll as elsewhere.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use super::Tasks;
use super::shim::{Arc, Mutex, block_on, thread};
use crate::model::{Model, Mutant};

#[derive(Default)]
struct State {
    result: Option<u32>,
    waker: Option<Waker>,
}

impl State {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<u32> {
        match self.result {
            Some(result) => Poll::Ready(result),
            None => {
                self.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[derive(Default)]
struct Job(Mutex<State>);

impl Job {
    fn complete(&self, result: u32) {
        let mut state = self.0.lock().unwrap();
        state.result = Some(result);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        // The rest of its work under the lock. loom switches threads before an operation, and an unlock is none: with
        // nothing here, no execution would try the lock while it is held (tests/loom/limits.rs).
        thread::yield_now();
    }

    // ANCHOR: broken
    fn poll_broken(&self, cx: &mut Context<'_>) -> Poll<u32> {
        match self.0.try_lock() {
            Ok(mut state) => state.poll(cx),
            // The lock is held, so the result will soon be there?
            Err(_) => Poll::Pending,
        }
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn poll_fixed(&self, cx: &mut Context<'_>) -> Poll<u32> {
        self.0.lock().unwrap().poll(cx)
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(poll: fn(&Job, &mut Context<'_>) -> Poll<u32>) {
    let job = Arc::new(Job::default());
    let theirs = job.clone();
    let working = thread::spawn(move || theirs.complete(7));
    assert_eq!(block_on(poll_fn(|cx| poll(&job, cx))), 7);
    working.join().unwrap();
}
// ANCHOR_END: model

/// The same with tasks of one executor for threads.
async fn tasks(poll: fn(&Job, &mut Context<'_>) -> Poll<u32>) {
    let job = Arc::new(Job::default());
    let theirs = job.clone();
    let working = cotask::spawn(async move { theirs.complete(7) });
    assert_eq!(poll_fn(|cx| poll(&job, cx)).await, 7);
    working.await.unwrap();
}

pub const TASKS: [Tasks; 2] = [|| Box::pin(tasks(Job::poll_fixed)), || Box::pin(tasks(Job::poll_broken))];

pub static MODEL: Model = Model {
    name: "museum_pending_without_a_look",
    about: "a future that returns pending has left its waker",
    invariants: &[5],
    bound: None,
    body: || model(Job::poll_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Job::poll_broken) }],
};
