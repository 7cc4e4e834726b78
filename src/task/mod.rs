//! Tasks as their users see them: how they are spawned, joined and aborted.
//!
//! A task is one allocation with a future, its outcome and the waker of the task that awaits it (`cell`). The handles,
//! the set and the remote handle are views of it. It uses the executor, which polls tasks without knowing their types,
//! and what is below: `blocking`, `sync`, `trace` and `base`.

pub(crate) mod cell;
pub(crate) mod join;
pub(crate) mod join_set;
pub(crate) mod remote;
pub(crate) mod spawn;

pub(crate) use cell::Task;
