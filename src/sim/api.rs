//! What a program in a simulation says about its world: which hosts there are, and what goes wrong now.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, Location};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;

use crate::base::clock::Instant;
use crate::base::error::panic_message;
use crate::executor::current;
use crate::sync::Notify;
use crate::trace;

use super::fault::Fault;
use super::report::Failure;
use super::state::{World, needed, world};

/// A host of the simulation: [`host`].
pub struct Host<T> {
    name: Rc<str>,
    shared: Rc<Shared<T>>,
}

struct Shared<T> {
    output: Cell<Option<T>>,
    ended: Notify,
}

impl<T> Clone for Host<T> {
    fn clone(&self) -> Self {
        Host { name: Rc::clone(&self.name), shared: Rc::clone(&self.shared) }
    }
}

/// Starts a host: a machine with a name, an address, a clock and tasks of its own.
///
/// `make` returns its future, and a new one after each [restart](Host::restart). When the future finishes, the host's
/// other tasks are dropped, as those of a process that returns from `main`. A panic in it fails the simulation.
///
/// # Panics
/// Outside of a simulation, and when there is a host of that name.
///
/// # Examples
/// ```
/// use cotask::sim::{self, Simulation};
///
/// let report = Simulation::builder().build().run(async {
///     let host = sim::host("one", || async { sim::host_name() });
///     host.done().await
/// });
/// assert_eq!(report.result.unwrap(), "one");
/// ```
#[track_caller]
pub fn host<F: Future + 'static>(name: &str, mut make: impl FnMut() -> F + 'static) -> Host<F::Output> {
    let (world, executor) = (needed("`sim::host`"), current::executor("`sim::host`"));
    let shared = Rc::new(Shared { output: Cell::new(None), ended: Notify::new() });
    let told = Rc::clone(&shared);
    let make = move || {
        let (future, told) = (make(), Rc::clone(&told));
        async move {
            let ended = AssertUnwindSafe(future).catch_unwind().await;
            let world = needed("a host");
            match ended {
                Ok(output) => {
                    drop(told.output.replace(Some(output)));
                    told.ended.notify_one();
                    world.ended(world.here());
                }
                Err(payload) => {
                    let (host, message) = (host_name(), panic_message(payload.as_ref()).into());
                    world.fail(Failure::Panic { task: host.clone(), host, message });
                }
            }
        }
        .boxed_local()
    };
    let number = world.add_host(name, Some(Rc::new(RefCell::new(make))), Location::caller());
    world.start(number, &executor);
    Host { name: name.into(), shared }
}

impl<T> Host<T> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits until the host's future finishes, and returns its output. After a crash, it is that of a later start.
    ///
    /// Cancel safety: dropping this future loses nothing. Each output is returned once.
    pub async fn done(&self) -> T {
        loop {
            if let Some(output) = self.shared.output.take() {
                return output;
            }
            let mut ended = pin!(self.shared.ended.notified());
            poll_fn(|cx| {
                let polled = ended.as_mut().poll(cx);
                if polled.is_pending() {
                    trace::here(|recorder| recorder.waits_in(format!("the end of host {}", self.name)));
                }
                polled
            })
            .await;
        }
    }

    fn order(&self, fault: impl FnOnce(String) -> Fault) {
        needed("a host").order(fault(self.name.to_string()));
    }

    /// Stops it: its tasks' futures are dropped before anything else happens but polls of this moment. Its peers get
    /// a reset, or nothing, as drawn.
    pub fn crash(&self) {
        self.order(|host| Fault::Crash { host });
    }

    /// Starts it anew, after a crash if it is up.
    pub fn restart(&self) {
        self.order(|host| Fault::Restart { host });
    }

    /// Its clock runs so many millionths fast, or slow.
    pub fn skew(&self, ppm: i32) {
        self.order(|host| Fault::Skew { host, ppm });
    }

    /// Its clock jumps ahead.
    pub fn jump_forward(&self, by: Duration) {
        self.order(|host| Fault::JumpForward { host, by });
    }

    /// Its clock jumps back.
    pub fn jump_back(&self, by: Duration) {
        self.order(|host| Fault::JumpBack { host, by });
    }

    /// How long its blocking jobs take.
    pub fn disk(&self, takes: Range<Duration>) {
        self.order(|host| Fault::Disk { host, min: takes.start, max: takes.end });
    }

    /// How many sockets it may have open; `u32::MAX` for any number.
    pub fn descriptors(&self, max: u32) {
        self.order(|host| Fault::Descriptors { host, max });
    }

    /// Refuses connections to a port, 0 for every port.
    pub fn refuse(&self, port: u16) {
        self.order(|host| Fault::Refuse { host, port });
    }

    /// Accepts them again.
    pub fn accept(&self, port: u16) {
        self.order(|host| Fault::Accept { host, port });
    }

    /// How many connections may wait to be accepted at each of its listeners.
    pub fn backlog(&self, max: u32) {
        self.order(|host| Fault::Backlog { host, max });
    }

    /// This share of its reads and writes, from 0.0 to 1.0, transfers only a part.
    pub fn short(&self, share: f64) {
        self.order(|host| Fault::Short { host, ppm: ppm(share) });
    }
}

impl<T> fmt::Debug for Host<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The link between two hosts, both directions: [`link`].
#[derive(Clone, Debug)]
pub struct Link {
    a: String,
    b: String,
}

/// The link between two hosts, to say how it is.
///
/// # Panics
/// Outside of a simulation, and when there is no such host.
pub fn link(a: &str, b: &str) -> Link {
    let world = needed("`sim::link`");
    for name in [a, b] {
        assert!(world.state.borrow().host_named(name).is_some(), "there is no host named `{name}`");
    }
    Link { a: a.into(), b: b.into() }
}

impl Link {
    fn order(self, fault: impl FnOnce(String, String) -> Fault) -> Link {
        needed("a link").order(fault(self.a.clone(), self.b.clone()));
        self
    }

    /// How long a packet takes, drawn from the range: a wide one is jitter.
    pub fn latency(self, takes: Range<Duration>) -> Link {
        self.order(|a, b| Fault::Latency { a, b, min: takes.start, max: takes.end })
    }

    /// The share of packets that are lost, from 0.0 to 1.0 (to TCP, 0.9 at most).
    pub fn loss(self, share: f64) -> Link {
        self.order(|a, b| Fault::Loss { a, b, ppm: ppm(share) })
    }

    /// The share of datagrams that arrive twice.
    pub fn duplicate(self, share: f64) -> Link {
        self.order(|a, b| Fault::Duplicate { a, b, ppm: ppm(share) })
    }

    /// The share of datagrams that others overtake.
    pub fn reorder(self, share: f64) -> Link {
        self.order(|a, b| Fault::Reorder { a, b, ppm: ppm(share) })
    }

    /// Bytes a second in each direction; 0 for any number.
    pub fn bandwidth(self, bytes: u64) -> Link {
        self.order(|a, b| Fault::Bandwidth { a, b, bytes })
    }
}

fn ppm(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 1e6).round() as u32
}

/// Makes a fault happen now. What [`Host`] and [`Link`] do, for a fault that is at hand as data.
///
/// # Panics
/// Outside of a simulation.
pub fn inject(fault: Fault) {
    needed("`sim::inject`").order(fault);
}

/// Cuts the link between two hosts, both ways.
///
/// # Panics
/// Outside of a simulation.
pub fn partition(a: &str, b: &str) {
    inject(Fault::Partition { a: a.into(), b: b.into() });
}

/// Cuts the way from one host to another: the other direction still works.
///
/// # Panics
/// Outside of a simulation.
pub fn partition_one_way(from: &str, to: &str) {
    inject(Fault::PartitionOneWay { from: from.into(), to: to.into() });
}

/// Repairs what [`partition`] or [`partition_one_way`] cut.
///
/// # Panics
/// Outside of a simulation.
pub fn heal(a: &str, b: &str) {
    inject(Fault::Heal { a: a.into(), b: b.into() });
}

/// Resets every connection between two hosts.
///
/// # Panics
/// Outside of a simulation.
pub fn reset(a: &str, b: &str) {
    inject(Fault::Reset { a: a.into(), b: b.into() });
}

/// Sets the share of packets, from 0.0 to 1.0, at whose arrival a socket or a task is woken for no reason.
///
/// # Panics
/// Outside of a simulation.
pub fn spurious(share: f64) {
    inject(Fault::Spurious { ppm: ppm(share) });
}

/// Says that something must hold. If it does not, the simulation ends with [`Failure::Invariant`] before the clock
/// moves on.
///
/// # Panics
/// Outside of a simulation.
///
/// # Examples
/// ```
/// use cotask::sim::{self, Failure, Simulation};
///
/// let report = Simulation::builder().build().run(async {
///     sim::invariant(1 + 1 == 3, "arithmetic");
///     std::future::pending::<()>().await
/// });
/// assert_eq!(report.result.unwrap_err(), Failure::Invariant("arithmetic".into()));
/// ```
pub fn invariant(holds: bool, what: impl fmt::Display) {
    if !holds {
        needed("`sim::invariant`").fail(Failure::Invariant(what.to_string()));
    }
}

/// How long the simulation has run, on the machine's virtual clock, which no skew or jump concerns.
///
/// # Panics
/// Outside of a simulation.
pub fn elapsed() -> Duration {
    needed("`sim::elapsed`").now() - Instant::from_nanos(0)
}

/// The host on which the calling code runs.
///
/// # Panics
/// Outside of a simulation.
pub fn host_name() -> String {
    let world = needed("`sim::host_name`");
    let state = world.state.borrow();
    state.hosts[world.here()].name.to_string()
}

/// Whether the calling code runs in a simulation.
pub fn is_running() -> bool {
    world().is_some()
}

/// A random number: in a simulation from the seed, by a stream of the host's own; outside of one from the standard
/// library's random state. For back-off and jitter, not for secrets.
///
/// # Examples
/// ```
/// use cotask::sim::{Simulation, random};
///
/// let draw = |seed| Simulation::builder().seed(seed).build().run(async { random() }).result.unwrap();
/// assert_eq!(draw(1), draw(1));
/// assert_ne!(draw(1), draw(2));
/// assert_ne!(random(), random());
/// ```
pub fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    match world() {
        Some(world) => world.random(),
        None => RandomState::new().hash_one(0),
    }
}

impl World {
    /// The addresses of a host, as `name:port`.
    pub(crate) fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let parts = name.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port): (&str, u16) =
            parts.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not of the form host:port"))?;
        if host == "localhost" {
            return Ok(vec![([127, 0, 0, 1], port).into()]);
        }
        let state = self.state.borrow();
        let found = state.host_named(host).map(|number| vec![(state.hosts[number].ip, port).into()]);
        found
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no host of the simulation has this name"))
    }
}
