//! A task: a future, its outcome, and the waker of the task that awaits it.
//!
//! One allocation holds all three. The slab owns it as `Rc<dyn Run>`, which knows how to poll and no types;
//! the [`JoinHandle`] owns the same allocation as `Rc<dyn Join<T>>`, which knows the output and cannot poll.
//!
//! ```text
//!                 poll                          pending, not aborted
//!    +--------+ --------> +---------+ ----------------------------------+
//!    |  Idle  |           | Polling |                                   |
//!    +--------+ <---------+---------+-----------------------------------+
//!        |                     |  ready, panicked, or aborted meanwhile
//!        | aborted: at its     v
//!        | next turn      +---------+  join   the stage goes from `Done` to `Taken`
//!        +--------------> |  Over   |
//!                         +---------+
//! ```
//!
//! The phase is kept in a cell beside the stage, because foreign code (the future, its drop, its output's
//! drop) runs while the stage is borrowed, and that code may hold this very task's handle: each method of the
//! handle checks the phase first, and touches the stage only when the task has ended.

// ANCHOR: uses
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::thread;

use crate::base::error::{JoinError, panic_message};
use crate::base::key::{Id, TaskKey};
use crate::base::panics::catch_and_discard_panic;
use crate::executor::current;
use crate::executor::run::{Ending, Run};
use crate::trace::{self, Actor, Event};
// ANCHOR_END: uses

// ANCHOR: sides
/// What a handle sees of a task.
pub(crate) trait Join<T> {
    /// # Panics
    /// When it would have to wait outside of the task's runtime, and after it has returned the result.
    fn poll_join(&self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>>;
    /// Makes the task end at its next turn. Records `by`, or without it whatever runs now. False when the task has
    /// ended, or was asked to before.
    fn request_abort(&self, by: Option<Actor>) -> bool;
    /// The handle was dropped: discards its waker, which may keep anything alive.
    fn detach(&self);
    fn is_over(&self) -> bool;
    fn key(&self) -> TaskKey;
}
// ANCHOR_END: sides

// ANCHOR: fields
pub(crate) struct Task<F: Future> {
    key: Cell<TaskKey>,
    phase: Cell<Phase>,
    abort_requested: Cell<bool>,
    stage: RefCell<Stage<F>>,
    joiner: Cell<Option<Waker>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Polling,
    Over,
}

enum Stage<F: Future> {
    Running(F),
    Done(Result<F::Output, JoinError>),
    Taken,
}
// ANCHOR_END: fields

// ANCHOR: new
impl<F: Future + 'static> Task<F> {
    #[inline(always)]
    pub(crate) fn new(future: F) -> Rc<Task<F>> {
        Rc::new(Task {
            key: Cell::new(TaskKey::default()),
            phase: Cell::new(Phase::Idle),
            abort_requested: Cell::new(false),
            stage: RefCell::new(Stage::Running(future)),
            joiner: Cell::new(None),
        })
    }

    /// A task gets its key when the slab has a slot for it.
    pub(crate) fn set_key(&self, key: TaskKey) {
        self.key.set(key);
    }
    // ANCHOR_END: new

    /// Polls the future where it lies. When it is ready, drops it there and keeps its output.
    // ANCHOR: step
    fn step(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut stage = self.stage.borrow_mut();
        let Stage::Running(future) = &mut *stage else {
            unreachable!("a task that has ended is never polled (invariant 3)");
        };
        // SAFETY: a pinned value must not be moved, nor its memory reused, before it is dropped. This one lies
        // in `Stage::Running` inside the `Rc` that `Task::new` made. Nothing takes a `Task` out of its `Rc`:
        // from its first turn on its owners hold trait objects, which lend `&self` only. The stage changes by
        // assignment, here and in `end`, which drops the future where it lies; `poll_join` and `detach` move the
        // stage out, but only when the task has ended. No other code gets a `&mut` to it.
        #[allow(unsafe_code)]
        let future = unsafe { Pin::new_unchecked(future) };
        let output = ready!(future.poll(cx));
        // The future's drop is foreign code as well. An assignment drops the old value first, and writes the
        // new one even when that drop panics.
        *stage = Stage::Done(Ok(output));
        Poll::Ready(())
    }
    // ANCHOR_END: step

    // ANCHOR: end
    /// Ends the task without an output: drops the future, or the output if that is what could not be had
    /// without a panic.
    #[cold]
    fn end(&self, why: JoinError) {
        self.phase.set(Phase::Polling);
        let dropped = catch_unwind(AssertUnwindSafe(|| *self.stage.borrow_mut() = Stage::Taken));
        let why = dropped.err().map_or(why, |payload| self.panicked(payload));
        *self.stage.borrow_mut() = Stage::Done(Err(why));
        self.publish();
    }

    #[cold]
    fn panicked(&self, payload: Box<dyn Any + Send>) -> JoinError {
        let key = self.key.get();
        if let Some(executor) = current::get()
            && let Some(simulator) = executor.driver.simulator()
        {
            simulator.panicked(Some(key), panic_message(payload.as_ref()));
        }
        JoinError::panic(key, payload)
    }

    /// Leaves a joiner's waker. A task that awaits its own handle also comes here: it waits until it is aborted.
    ///
    /// Out of line, so that the path of a task that has ended stays short.
    #[inline(never)]
    fn wait_for_end(&self, joiner: &Waker) {
        // Before the waker is kept: a poll in the wrong place displaces no waiter in the right one.
        current::assert_inside(self.key.get().runtime());
        drop(self.joiner.replace(Some(joiner.clone())));
    }

    fn publish(&self) {
        self.phase.set(Phase::Over);
        if let Some(joiner) = self.joiner.take() {
            catch_and_discard_panic(|| joiner.wake());
        }
    }
}
// ANCHOR_END: end

// ANCHOR: run
impl<F: Future + 'static> Run for Task<F> {
    fn run(&self, cx: &mut Context<'_>) -> Poll<Ending> {
        if self.abort_requested.get() {
            self.end(JoinError::cancelled(self.key.get()));
            return Poll::Ready(Ending::Aborted);
        }
        self.phase.set(Phase::Polling);
        match catch_unwind(AssertUnwindSafe(|| self.step(cx))) {
            Ok(Poll::Pending) if self.abort_requested.get() => {
                self.end(JoinError::cancelled(self.key.get()));
                Poll::Ready(Ending::Aborted)
            }
            Ok(Poll::Pending) => {
                self.phase.set(Phase::Idle);
                Poll::Pending
            }
            Ok(Poll::Ready(())) => {
                self.publish();
                Poll::Ready(Ending::Finished)
            }
            Err(payload) => {
                self.end(self.panicked(payload));
                Poll::Ready(Ending::Panicked)
            }
        }
    }

    fn cancel(&self) {
        if self.phase.get() == Phase::Idle {
            self.end(JoinError::cancelled(self.key.get()));
        }
    }
}
// ANCHOR_END: run

// ANCHOR: join
impl<F: Future + 'static> Join<F::Output> for Task<F> {
    fn poll_join(&self, cx: &mut Context<'_>) -> Poll<Result<F::Output, JoinError>> {
        if self.phase.get() != Phase::Over {
            self.wait_for_end(cx.waker());
            return Poll::Pending;
        }
        let stage = self.stage.replace(Stage::Taken);
        match stage {
            Stage::Done(result) => Poll::Ready(result),
            _ => panic!("a JoinHandle was polled after it had given the task's result"),
        }
    }

    fn request_abort(&self, by: Option<Actor>) -> bool {
        let first = self.phase.get() != Phase::Over && !self.abort_requested.replace(true);
        if first {
            trace::here(|recorder| {
                let (task, by) = (Id(self.key.get()), by.unwrap_or_else(|| recorder.actor()));
                recorder.push(Event::AbortRequested { task, by });
            });
        }
        first
    }

    fn detach(&self) {
        drop(self.joiner.take());
        // The output's drop may panic, and a second panic while one unwinds would end the process.
        if thread::panicking() && self.is_over() {
            catch_and_discard_panic(|| drop(self.stage.replace(Stage::Taken)));
        }
    }

    fn is_over(&self) -> bool {
        self.phase.get() == Phase::Over
    }

    fn key(&self) -> TaskKey {
        self.key.get()
    }
}
// ANCHOR_END: join
