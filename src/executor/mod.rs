//! The heart: it polls tasks, and sleeps when there is nothing to poll.
//!
//! The executor takes a key out of the run queue and polls its task. Between two turns the driver looks for events, and
//! the reactor, the timer wheel and the inbox find the wakers. A wake ends in the scheduler, on the way back into the
//! run queue. In here a task is something to poll; which future it has and what it returns is known in `task`. It uses
//! `blocking`, whose pool it ends, `trace` and `base`.

pub(crate) mod current;
mod drive;
pub(crate) mod driver;
pub(crate) mod inbox;
pub(crate) mod reactor;
pub(crate) mod ready;
pub(crate) mod root;
pub(crate) mod run;
pub(crate) mod run_queue;
pub(crate) mod scheduler;
mod slab;
mod turn;
mod waker;
pub(crate) mod wheel;

pub(crate) use drive::Executor;
