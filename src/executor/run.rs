//! What the executor sees of a task: something to poll.

use std::task::{Context, Poll};

use crate::trace::Outcome;

// ANCHOR: run
/// A task without its type: the slab owns it as `Rc<dyn Run>`.
pub(crate) trait Run {
    /// Takes one turn. Ready when the task has ended: finished, panicked or aborted. Never panics.
    fn run(&self, cx: &mut Context<'_>) -> Poll<Ending>;
    /// Drops the future, unless it is being polled or has ended. The handle reports a cancellation. Never panics.
    fn cancel(&self);
}

/// How a task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    Finished,
    Panicked,
    Aborted,
}
// ANCHOR_END: run

impl From<Ending> for Outcome {
    fn from(ending: Ending) -> Outcome {
        match ending {
            Ending::Finished => Outcome::Finished,
            Ending::Panicked => Outcome::Panicked,
            Ending::Aborted => Outcome::Aborted,
        }
    }
}
