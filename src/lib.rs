//! An async coroutine runtime made to be read.
//!
//! `cotask` (cooperative tasks) runs many tasks on one thread: an executor that polls them in turn, a reactor on
//! mio that wakes them when sockets are ready, a timer wheel, and what a program awaits: sockets, timers,
//! channels, locks, blocking jobs. It is small enough to be read whole, and its names are those of the field,
//! mostly tokio's.
//!
//! ```
//! use cotask::net::{TcpListener, TcpStream};
//! use futures::{AsyncReadExt, AsyncWriteExt};
//!
//! cotask::block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     let server = cotask::spawn(async move {
//!         let (stream, _) = listener.accept().await?;
//!         futures::io::copy(&stream, &mut &stream).await
//!     });
//!
//!     let mut client = TcpStream::connect(address).await?;
//!     client.write_all(b"hello").await?;
//!     client.close().await?;
//!     let mut echo = String::new();
//!     client.read_to_string(&mut echo).await?;
//!     assert_eq!(echo, "hello");
//!     assert_eq!(server.await.unwrap()?, 5);
//!     # std::io::Result::Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! # The rooms
//!
//! Each room uses only those below it, with one exception: a wake finds its executor or inbox by the task's key.
//! The **heart** is the seven marked with a dot; if you have read those, you have seen how async works.
//!
//! ```text
//!   runtime handle join_set cores      what a user holds
//!   net time signal                    what a user awaits
//! • executor  current  run_queue  turn the loop, who is next, how long a turn is, where the thread sleeps
//! • task  join                         a future, its state, its handle, abort, panics
//!   blocking sync                      threads for what blocks; channels and locks
//! • inbox                              wakes and jobs from other threads; parking
//! • reactor • wheel                    readiness to wakers; deadlines to wakers
//! • waker • slab                       keys, and what they refer to
//!   memory panics                      what shrinks after a peak; panics that no caller is left to get
//!   budget clock rng                   how long a poll is; what time it is; what is drawn
//!   trace shim                         the record of what happened; std or loom
//! ```
//!
//! One wake, through the rooms: a socket becomes readable. The *executor*, with nothing to run, sleeps in the
//! *reactor*, which gets the event, finds the socket's waker and calls it. The *waker* is a key, an integer; it
//! finds the executor of this thread, which marks the task's slot in the *slab* as scheduled and puts the key
//! into the run queue. When its turn comes the executor takes the body out of the slab and polls it: the *task*
//! polls its future, which tries the read again, and this time it does not block.
//!
//! # The contract
//!
//! Twelve invariants. The test of each begins with its number, `i01` to `i12` (`cargo test --test contract i01`);
//! where threads meet, a loom model holds it too (`cargo loom NAME`). `tests/exhaustive` checks the first three
//! and the eighth under every sequence of up to seven operations.
//!
//! 1. A task is in the run queue at most once. *Model* `inbox`.
//! 2. A wake during a poll means that the task is polled again.
//! 3. A task that has ended is never polled again, even if its waker is still held; a waker may outlive everything.
//!    *Model* `registry`.
//! 4. A poll happens after the wake that caused it, and sees all that the waking thread wrote before it.
//!    *Model* `inbox`.
//! 5. The last waker given to a leaf future is the one that is woken. *Models* `oneshot`, `notify`.
//! 6. A thread with nothing to do sleeps: no spinning, no polling clock. A wake from another thread ends the
//!    sleep, always. *Models* `inbox`, `inbox_two_wakers`.
//! 7. No task starves. The run queue is first in, first out, and so is every queue for a permit, a lock, a wake-up or
//!    room. In one poll a task completes at most 128 operations on leaf futures; an error and an expired timeout count
//!    as a value does. Between two looks at sockets, timers and other threads there are at most 61 polls, and only as
//!    many as take about a millisecond once the runtime has found polls to be long. Other threads may send tasks
//!    without end: in a round of the run queue, that is until each task in it has had its turn, the runtime starts at
//!    most 61 of them. *Models* `fair`, `inbox_portions`.
//! 8. A panic in a task (in its poll or in a drop) ends that task alone and reaches the code that joins it.
//! 9. Dropping a future at any await point loses nothing that it promised to keep, frees its place in every
//!    queue, and hands any wake-up that it received but did not use to the next waiter. Each primitive documents
//!    its cancel safety. *Models* `semaphore`, `notify`, `mpsc`, `mutex`.
//! 10. When the runtime ends, each task's future is dropped, on its own thread, and every descriptor is closed.
//!     *Models* `registry`, `handle`, `abort_against_the_end`, `blocking`, `cores`.
//! 11. A timer never fires early.
//! 12. An aborted task's future is dropped in its own turn, never inside the call to `abort`: what a task owns is
//!     not touched while another task runs. *Models* `abort`, `abort_against_completion`.
//!
//! # What it does not do
//!
//! Tasks do not move between threads: for more cores, [start more runtimes](cores). Files are read on the
//! [blocking pool](spawn_blocking). A timer is as exact as a millisecond.

pub mod blocking;
mod budget;
mod builder;
mod clock;
pub mod cores;
mod current;
mod driver;
mod error;
mod executor;
mod handle;
mod inbox;
#[cfg(cotask_loom)]
#[doc(hidden)]
pub mod inside;
mod join;
mod join_set;
mod key;
mod memory;
pub mod net;
mod panics;
mod reactor;
mod ready;
mod remote;
mod rng;
mod root;
mod run;
mod run_queue;
mod runtime;
mod scheduler;
mod shim;
pub mod signal;
pub mod sim;
mod slab;
mod spawn;
pub mod sync;
mod task;
pub mod time;
pub mod trace;
mod turn;
mod waker;
mod wheel;

pub use builder::{Builder, block_on};
pub use error::JoinError;
pub use handle::Handle;
pub use join::JoinHandle;
pub use join_set::JoinSet;
pub use key::Id;
pub use remote::RemoteJoinHandle;
pub use runtime::Runtime;
pub use spawn::{YieldNow, spawn, spawn_blocking, spawn_named, yield_now};
