//! Threads for what cannot be awaited: files, name look-ups, long computations.
//!
//! A task that blocks stops every task of its thread. So the work goes to another thread, and the task awaits
//! the result. The [`Pool`] keeps as many threads as there is work for:
//!
//! ```text
//!  spawn(job) --> queue --> a thread of the pool: runs the job --> oneshot --> BlockingTask (a future)
//!                   |            |         ^
//!                   |            v         | more jobs than free threads: start one, up to the bound
//!                   |          free: waits for a job, ends after `keep_alive` without one
//!                   v
//!              shutdown: jobs that have not started are dropped, the others waited for, with a limit if asked
//! ```
//!
//! One number drives it: `free`, the threads without a job, counted from the moment at which one is started.
//! After each push either every job in the queue has a free thread that will look at the queue before it
//! sleeps, or the pool is at its bound.
//!
//! The futures need no particular executor, and the pool knows none. It uses `sync`, `trace` and `base`.
//!
//! ```
//! use cotask::blocking::{Config, Pool};
//!
//! let pool = Pool::new(Config::default());
//! let sum = pool.spawn(|| (1..=100).sum::<u32>())?;
//! assert_eq!(futures::executor::block_on(sum).unwrap(), 5050);
//! # std::io::Result::Ok(())
//! ```

mod pool;
mod task;

pub use pool::{Config, Pool};
pub use task::BlockingTask;
pub(crate) use task::task_of;
