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
//! A simulated socket does as one of Linux does, whatever system the simulation runs on. `tests/sim_as_real` calls every
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

mod api;
mod check;
mod fault;
mod host;
mod link;
mod oracle;
mod packet;
mod plan;
mod report;
mod search;
mod shrink;
mod socket;
mod tcp;
mod udp;
mod watch;
mod world;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use crate::blocking;
use crate::clock::{Clock, Instant};
use crate::current::{self, Entered};
use crate::driver::{Driver, Simulator};
use crate::error::panic_message;
use crate::executor::Executor;
use crate::rng::Rng;
use crate::root;
use crate::run_queue::Order;
use crate::trace::Recorder;

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
pub use socket::SimSocket;
pub use watch::Waiter;
pub(crate) use world::World;

use world::Occurrence;

/// A world with one seed, to run one program in.
///
/// # Examples
/// ```
/// use cotask::sim::Simulation;
/// use std::time::Duration;
///
/// let report = Simulation::builder().seed(1).limit(Duration::from_secs(90_000)).build().run(async {
///     cotask::time::sleep(Duration::from_secs(86_400)).await;
/// });
/// assert_eq!(report.virtual_time, Duration::from_secs(86_400));
/// ```
pub struct Simulation {
    executor: Rc<Executor>,
    world: Rc<World>,
}

/// Configuration of a [`Simulation`], from [`Simulation::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    seed: u64,
    fifo: bool,
    trace: usize,
    plan: Plan,
    limit: Duration,
    panics: bool,
}

impl Simulation {
    /// Seed 0, tasks in drawn order, an hour at most, no trace kept, no faults.
    pub fn builder() -> Builder {
        let (plan, limit) = (Plan::default(), Duration::from_secs(3_600));
        Builder { seed: 0, fifo: false, trace: 0, plan, limit, panics: true }
    }

    /// Runs `main` to its end, on a host of that name, with the hosts that it makes. What they have left by then is
    /// dropped.
    ///
    /// # Panics
    /// When called inside a runtime.
    #[track_caller]
    pub fn run<F: Future>(self, main: F) -> Report<F::Output> {
        let source = Location::caller();
        let Simulation { executor, world } = &self;
        let ended = catch_unwind(AssertUnwindSafe(|| root::block_on(executor, main, source)));
        let _entered = Entered::within(executor);
        let panicked = |payload: Box<dyn Any + Send>| Failure::Panic {
            host: "main".into(),
            task: "main".into(),
            message: panic_message(payload.as_ref()).into(),
        };
        let failure = world.state.borrow_mut().failure.take();
        let watch = world.state.borrow().watch.clone();
        let broken = watch.look(|watch| watch.broken());
        let result = match (broken, failure, ended) {
            // Whatever else is wrong may come of that.
            (Some(broken), ..) => Err(Failure::Contract(broken)),
            (None, Some(failure), _) => Err(failure),
            (None, None, Ok(output)) => Ok(output),
            (None, None, Err(payload)) => Err(panicked(payload)),
        };
        if result.is_ok() {
            world.find_leaks(0);
        }
        let mut state = world.state.borrow_mut();
        let hash = executor.recorder().map(|_| watch.look(|watch| watch.hash()));
        Report {
            result,
            virtual_time: world.now() - Instant::from_nanos(0),
            trace: executor.recorder().map(|recorder| recorder.tape().take()).unwrap_or_default(),
            hash: hash.unwrap_or_default(),
            faults: std::mem::take(&mut state.counts),
            leaks: std::mem::take(&mut state.leaks),
        }
    }
}

/// Drops what is left, while the world is still there.
impl Drop for Simulation {
    fn drop(&mut self) {
        root::shutdown(&self.executor, None);
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").finish_non_exhaustive()
    }
}

impl Builder {
    /// The root of all that is drawn.
    pub fn seed(mut self, seed: u64) -> Builder {
        self.seed = seed;
        self
    }

    /// Runs tasks first come first served, as a real run does, instead of in drawn order.
    pub fn fifo(mut self, fifo: bool) -> Builder {
        self.fifo = fifo;
        self
    }

    /// Keeps the last `events` of the trace. The [hash](Report::hash) is over all of them in any case.
    pub fn trace(mut self, events: usize) -> Builder {
        self.trace = events;
        self
    }

    /// What goes wrong by plan.
    pub fn plan(mut self, plan: Plan) -> Builder {
        self.plan = plan;
        self
    }

    /// How long it may take, in virtual time: then it ends with [`Failure::TimeLimit`].
    pub fn limit(mut self, limit: Duration) -> Builder {
        self.limit = limit;
        self
    }

    /// Whether a panic of any task is a failure of the simulation, as it is by default. If not, only those of `main`
    /// and of the hosts' own futures are; the others are the business of who joins the task.
    pub fn task_panics_fail(mut self, fail: bool) -> Builder {
        self.panics = fail;
        self
    }

    /// Makes it. It takes no descriptor and no thread of the machine.
    pub fn build(self) -> Simulation {
        let clock = Clock::new_virtual();
        let Clock::Virtual(now) = &clock else { unreachable!("it was made virtual") };
        let world = Rc::new(World::new(Rc::clone(now), self.seed, self.limit, self.panics));
        world.add_host("main", None, Location::caller());
        for (at, fault) in self.plan.faults {
            let at = now.get() + at;
            world.state.borrow_mut().at(at, Occurrence::Fault(fault));
        }
        let order = if self.fifo { Order::Fifo } else { Order::Seeded(Rng::stream(self.seed, "order")) };
        let watch = world.state.borrow().watch.clone();
        let recorder = Recorder::observed(&clock, self.trace, Box::new(watch));
        let driver = Driver::Sim(Rc::clone(&world) as Rc<dyn Simulator>);
        let executor = Executor::new(driver, order, clock, Some(recorder), blocking::Config::default());
        Simulation { executor: executor.expect("a simulation needs nothing of the system"), world }
    }
}

/// The world of the simulation that runs on this thread.
pub(crate) fn world() -> Option<Rc<World>> {
    let simulator = current::with(|executor| executor?.driver().simulator().cloned())?;
    (simulator as Rc<dyn Any>).downcast().ok()
}

#[track_caller]
fn needed(what: &str) -> Rc<World> {
    world().unwrap_or_else(|| panic!("{what} needs a simulation: call it inside `Simulation::run`"))
}
