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
//! Each folder is a room, and uses only those below it. Below its name stand its files. `cargo book -- layers --check`
//! compares this plan with the imports: none goes up, and no two files import each other, directly or through others.
//! The **heart** is the room with the dot, and with it `task/cell`; if you have read those, you have seen how async works.
//!
//! ```text
//!   runtime/   what a user holds
//!              inside  cores  builder  handle
//!   signal/    what a user awaits: signals
//!              unix  elsewhere
//!   net/       what a user awaits: sockets
//!              listener_api  stream_api  socket_api  tcp  unix  udp  fd  addr
//!              listener  stream  socket  io  error
//!   sim/       the same on a virtual clock and a simulated network
//!              check  search  shrink  simulation  api  world  host  tcp  udp  link  packet
//!              socket  waiters  state  plan  parts  fault  report  watch  oracle
//!   time/      what a user awaits: deadlines
//!              timeout  interval  sleep
//!   task/      a future, its state, its handles; spawn, join, abort
//!              join_set  spawn  remote  join  cell
//! • executor/  the loop, who is next, how long a turn is, where the thread sleeps
//!              root  current  drive  turn  driver  reactor  wheel  ready
//!              waker  scheduler  slab  run_queue  run  inbox
//!   blocking/  threads for what blocks
//!              pool  task
//!   sync/      channels and locks
//!              mpsc  mutex  notify  oneshot  semaphore  permits  wait_list  critical  sleeper
//!   trace/     the record of what happened
//!              name  json  recorder  record  events
//!   base/      keys, errors, time, luck; what shrinks after a peak; std or loom; mio
//!              error  key  clock  rng  budget  memory  panics  shim  os
//! ```
//!
//! One wake, through the rooms: a socket becomes readable. The *executor*, with nothing to run, sleeps in the
//! *reactor*, which gets the event, finds the socket's waker and calls it. The *waker* is a key, an integer; it
//! finds the *scheduler* of this thread, which marks the task's slot in the *slab* as scheduled and puts the key
//! into the *run queue*. When its turn comes the executor takes the body out of the slab and polls it: the *task*
//! polls its future, which tries the read again, and this time it does not block.
//!
//! So a wake goes down as well, and the way back up is the executor's own: it looks into the run queue, and nothing below
//! calls it.
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

mod base;
pub mod blocking;
mod executor;
pub mod net;
mod runtime;
pub mod signal;
pub mod sim;
pub mod sync;
mod task;
pub mod time;
pub mod trace;

pub use base::error::JoinError;
pub use base::key::Id;
pub use runtime::Runtime;
pub use runtime::builder::{Builder, block_on};
pub use runtime::cores;
pub use runtime::handle::Handle;
#[cfg(cotask_loom)]
#[doc(hidden)]
pub use runtime::inside;
pub use task::join::JoinHandle;
pub use task::join_set::JoinSet;
pub use task::remote::RemoteJoinHandle;
pub use task::spawn::{YieldNow, spawn, spawn_blocking, spawn_named, yield_now};
