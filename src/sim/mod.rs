//! A simulation: the same program over a virtual clock, a seeded scheduler and a network that fails.
//!
//! A distributed program's bugs hide in time and order: a message that overtakes another, a machine that is gone
//! for two seconds, a clock that is wrong. Here the real program runs, on the runtime that it runs on anyway, thousands
//! of times a second; each run is a consequence of its seed, and the seed repeats it.
//!
//! ```
//! use cotask::net::{TcpListener, TcpStream};
//! use cotask::sim::{self, Simulation};
//! use futures::{AsyncReadExt, AsyncWriteExt};
//! use std::time::Duration;
//!
//! let simulation = Simulation::builder().seed(7).build();
//! let report = simulation.run(async {
//!     sim::host("server", || async {
//!         let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
//!         loop {
//!             let (stream, _) = listener.accept().await.unwrap();
//!             cotask::spawn(async move { futures::io::copy(&stream, &mut &stream).await });
//!         }
//!     });
//!     let client = sim::host("client", || async {
//!         let mut stream = TcpStream::connect("server:80").await?;
//!         stream.write_all(b"hello").await?;
//!         stream.close().await?;
//!         let mut echo = String::new();
//!         stream.read_to_string(&mut echo).await?;
//!         std::io::Result::Ok(echo)
//!     });
//!     sim::link("client", "server").latency(Duration::from_millis(20)..Duration::from_millis(30)).loss(0.1);
//!     client.done().await.unwrap()
//! });
//! assert_eq!(report.result.unwrap(), "hello");
//! assert!(report.virtual_time > Duration::from_millis(80), "there and back, twice");
//! ```
//!
//! # How it works
//!
//! Executor, tasks, timers, channels and sockets are those of a real run. Four inputs differ: *who is next* is drawn from
//! the seed; the *clock* stands while anything can run, and then jumps to the next timer or packet; *readiness* comes
//! from the world in here instead of the system's poller; and *randomness* is the seed's, split into streams, so that to
//! draw one more number for a link changes no other choice.
//!
//! ```text
//!   write ------> State::write: a Packet ------> the queue, by its moment of arrival
//!   (a task of    in at most 64 KiB under way         |   nothing runnable: the clock jumps there
//!    one host)                                        v
//!   read <------- a wake <------ Readiness <---- World::dispatch: in order, into the peer's socket
//!   (a task of    as in a real run
//!    the other)
//! ```
//!
//! # Finding a seed
//!
//! [`check`] is a test over many seeds; [`Search`] is what it is made of, and [`shrink`] finds out what it takes to
//! fail. In every simulation an [`Oracle`] watches whether the runtime itself keeps its contract. The example `simulate`
//! does all that for programs of a few hosts.
//!
//! # What is simulated
//!
//! [`net::TcpStream`](crate::net::TcpStream), `TcpListener` and `UdpSocket` made by address; names of hosts in their place;
//! [`time`](crate::time), on each host's own clock; [`spawn_blocking`](crate::spawn_blocking), whose job runs on the
//! loop itself as long after as the host's disk takes. [`Fault`] lists what can go wrong.
//!
//! # What is not
//!
//! A simulated socket does as one of Linux does, whatever system the simulation runs on. `tests/sim/as_real` calls every
//! public method of [`net`](crate::net) on both kinds and compares the outcomes. These differences remain:
//!
//! - Unix sockets, [`AsyncFd`](crate::net::AsyncFd), `from_std` and [signals](crate::signal) fail with `Unsupported`.
//!   A simulated socket has no descriptor: `as_fd` panics.
//! - An error has the kind that Linux's has, but words of its own. Three have no kind, so they have Linux's number:
//!   no descriptor is left (24), a datagram has no peer (89), and a datagram is too long (90).
//! - The names are those of the hosts and `localhost`; any other is `NotFound`. Addresses between hosts are IPv4. A
//!   port is bound on all addresses of a host or on none.
//! - In each direction of a connection 64 KiB may be under way or unread, where Linux allows megabytes; so a
//!   write waits sooner. 256 datagrams wait to be received, whatever their size.
//! - Packets overtake each other, also from a host to itself. TCP puts its bytes in order again; but a reset may
//!   overtake the last bytes before it, and then these are lost.
//! - TCP has no slow start and no Nagle delay, and [`set_nodelay`](crate::net::TcpStream::set_nodelay) changes nothing.
//!   A host that does not exist is `HostUnreachable` after three seconds.
//!
//! There are no threads: a wake from one is lost, and `cotask::cores` cannot be used. Computing takes no virtual time.
//! Code that asks the real machine (`std::time`, `std::fs`, the standard library's `HashMap` with its random order)
//! still does, and two runs of a seed then differ; a check of [`Report::hash`] finds that. To know which task waits
//! for what, and to have the hash, a program needs the crate's feature `trace`.
//!
//! The folder uses the executor, whose driver it is, `task`, `sync`, `trace` and `base`.

mod api;
mod check;
mod fault;
mod host;
mod link;
mod oracle;
mod packet;
mod parts;
mod plan;
mod report;
mod search;
mod shrink;
mod simulation;
mod socket;
mod state;
mod tcp;
mod udp;
mod waiters;
mod watch;
mod world;

pub use api::{
    Host, Link, elapsed, heal, host, host_name, inject, invariant, is_running, link, partition,
    partition_one_way, random, reset, spurious,
};
pub use check::{check, check_with};
pub use fault::{Fault, Kind, ParseError};
pub use oracle::{Broken, Oracle};
pub use plan::Plan;
pub use report::{Failure, Report};
pub use search::{Found, Search, Searched};
pub use shrink::{Shrunk, shrink};
pub use simulation::{Builder, Simulation};
pub use socket::SimSocket;
pub(crate) use state::{World, world};
pub use watch::Waiter;
