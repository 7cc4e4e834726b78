//! All exhibits, in the order of a walk through the museum. To add one: copy the shortest file, change it, name it
//! here and in `README.md`. A test checks that nothing was forgotten.

use crate::model::Model;

pub mod shim;

mod abort_against_completion;
mod cancelled_receive;
mod close_against_send;
mod closed_too_early;
mod drop_under_lock;
mod dropped_permit;
mod first_waker_kept;
mod lock_across_wake;
mod notify_before_the_wait;
mod one_read_an_edge;
mod overwritten_permit;
mod panic_without_an_answer;
mod pending_without_a_look;
mod queued_twice;
mod relaxed_publish;
mod scheduled_but_not_queued;
mod sleep_without_recheck;
mod stale_clear;
mod stale_token;
mod timeout_rounded_down;
mod two_tasks_one_slot;
mod wake_during_poll;
mod waker_after_check;
mod waker_cycle;

/// Every exhibit's model.
pub const MODELS: &[&Model] = &[
    // Wakers
    &waker_after_check::MODEL,
    &pending_without_a_look::MODEL,
    &two_tasks_one_slot::MODEL,
    &first_waker_kept::MODEL,
    &notify_before_the_wait::MODEL,
    // Executors
    &wake_during_poll::MODEL,
    &queued_twice::MODEL,
    &scheduled_but_not_queued::MODEL,
    &sleep_without_recheck::MODEL,
    // How things end
    &abort_against_completion::MODEL,
    &closed_too_early::MODEL,
    &close_against_send::MODEL,
    &waker_cycle::MODEL,
    &panic_without_an_answer::MODEL,
    // Cancellation
    &dropped_permit::MODEL,
    &cancelled_receive::MODEL,
    // Locks
    &lock_across_wake::MODEL,
    &drop_under_lock::MODEL,
    // Words and orderings
    &overwritten_permit::MODEL,
    &relaxed_publish::MODEL,
    // The reactor and the clock
    &stale_clear::MODEL,
    &stale_token::MODEL,
    &one_read_an_edge::MODEL,
    &timeout_rounded_down::MODEL,
];

/// Those whose bug needs no second thread, only the right order of calls: loom has nothing to interleave there, so
/// they run in `cargo test` as well. Of each the version that is right under any calls, then the others.
pub const BY_HAND: &[(&Model, &[Calls])] = &[
    (&first_waker_kept::MODEL, first_waker_kept::CALLS),
    (&one_read_an_edge::MODEL, one_read_an_edge::CALLS),
    (&panic_without_an_answer::MODEL, panic_without_an_answer::CALLS),
    (&stale_token::MODEL, stale_token::CALLS),
    (&timeout_rounded_down::MODEL, timeout_rounded_down::CALLS),
];

/// A version under whatever calls these bytes stand for, so that they can be drawn: none may break what was promised.
pub type Calls = fn(&[u8]);

/// Those whose subject is a future, so that tasks on one thread can stand for the threads of the model. The right
/// version first.
pub const IN_TASKS: &[(&Model, [Tasks; 2])] = &[
    (&waker_after_check::MODEL, waker_after_check::TASKS),
    (&pending_without_a_look::MODEL, pending_without_a_look::TASKS),
    (&two_tasks_one_slot::MODEL, two_tasks_one_slot::TASKS),
    (&first_waker_kept::MODEL, first_waker_kept::TASKS),
    (&notify_before_the_wait::MODEL, notify_before_the_wait::TASKS),
    (&panic_without_an_answer::MODEL, panic_without_an_answer::TASKS),
    (&dropped_permit::MODEL, dropped_permit::TASKS),
    (&cancelled_receive::MODEL, cancelled_receive::TASKS),
];

/// A version among tasks, to be run under many orders of them.
pub type Tasks = fn() -> futures::future::LocalBoxFuture<'static, ()>;
