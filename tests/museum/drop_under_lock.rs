//! # A future dropped under the lock
//!
//! **What happened.** A runtime shuts down: it locks its queue and clears it. One of the futures that are dropped there
//! owns a sender; dropping the last sender wakes the receiver; the wake pushes the receiver's task to the queue, whose
//! lock this very thread holds. It waits for itself.
//!
//! **Seen.** [tokio #2082](https://github.com/tokio-rs/tokio/pull/2082), a deadlock in the shutdown of the threaded
//! scheduler: a lock held while tasks are dropped, and a drop handler that wakes. Its little sister for one thread is
//! [tokio #1972](https://github.com/tokio-rs/tokio/pull/1972).
//!
//! **Why it is hard to see.** There is no call to see: `clear()` is the whole bug. And tests shut down when all tasks
//! are done.
//!
//! **Remember.** Dropping a future runs foreign code, like polling it. Move what is to be dropped out of the lock, and
//! look again when that is done: the drops may have pushed more.

use super::shim::{Arc, Mutex, thread};
use crate::model::{Model, Mutant};

/// A future in the queue. If it owns the other end of something, its drop wakes another task.
struct Task(Option<Arc<Executor>>);

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(executor) = self.0.take() {
            executor.push(Task(None));
        }
    }
}

#[derive(Default)]
struct State {
    queue: Vec<Task>,
    closed: bool,
}

#[derive(Default)]
struct Executor(Mutex<State>);

impl Executor {
    fn push(&self, task: Task) {
        let mut state = self.0.lock().unwrap();
        if !state.closed {
            state.queue.push(task);
            return;
        }
        drop(state);
        drop(task);
    }

    // ANCHOR: broken
    fn shut_down_broken(&self) {
        let mut state = self.0.lock().unwrap();
        state.closed = true;
        state.queue.clear();
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    fn shut_down_fixed(&self) {
        let mut state = self.0.lock().unwrap();
        state.closed = true;
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        drop(queue);
    }
    // ANCHOR_END: fixed
}

// ANCHOR: model
fn model(shut_down: fn(&Executor)) {
    let executor = Arc::new(Executor::default());
    executor.push(Task(Some(executor.clone())));
    let theirs = executor.clone();
    let spawning = thread::spawn(move || theirs.push(Task(Some(theirs.clone()))));
    shut_down(&executor);
    spawning.join().unwrap();
    assert!(executor.0.lock().unwrap().queue.is_empty(), "a task that no thread will drop");
}
// ANCHOR_END: model

pub static MODEL: Model = Model {
    name: "museum_drop_under_lock",
    about: "a drop is foreign code: never under a lock",
    invariants: &[10],
    bound: None,
    body: || model(Executor::shut_down_fixed),
    mutants: &[Mutant::Body { name: "broken", body: || model(Executor::shut_down_broken) }],
};
