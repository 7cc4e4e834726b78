//! The state of a world: its parts, and what will happen when.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::key::TaskKey;
use crate::base::rng::Rng;
use crate::executor::current;
use crate::executor::ready::Ready;
use crate::trace::{self, Event};

use super::fault::{Fault, Kind};
use super::parts::{Held, HostId, HostState, Link, Packet, SocketState};
use super::report::Failure;
use super::watch::SharedWatch;

/// How soon comes what follows a short transfer, or a blocked one.
const SOON: (Duration, Duration) = (Duration::from_micros(1), Duration::from_micros(100));

pub(crate) struct World {
    pub(super) clock: Rc<Cell<Instant>>,
    /// On which host the code runs that runs now.
    pub(super) at: Cell<HostId>,
    pub(super) state: RefCell<State>,
}

/// All that the world is. Borrowed for short; foreign code (a wake, a job, a drop) never runs meanwhile.
pub(super) struct State {
    pub(super) clock: Rc<Cell<Instant>>,
    pub(super) hosts: Vec<HostState>,
    /// Ordered, as every map here: to walk a hashed one would leak the machine's randomness.
    pub(super) sockets: BTreeMap<u32, SocketState>,
    /// Which socket is bound where: by host, whether it is TCP, and port.
    pub(super) ports: BTreeMap<(HostId, bool, u16), u32>,
    pub(super) next_socket: u32,
    pub(super) links: BTreeMap<(HostId, HostId), Link>,
    /// What will happen, by moment and then in the order in which it was said.
    pub(super) queue: BTreeMap<(Instant, u64), Occurrence>,
    /// Numbers occurrences and held packets.
    pub(super) number: u64,
    /// Packets that TCP repeats until a link is healed, or a host is up again.
    pub(super) held: Vec<Held>,
    pub(super) rng: Streams,
    pub(super) counts: BTreeMap<Kind, u64>,
    pub(super) spurious: u32,
    /// The tasks by slot: the key of the last that lived there, and its host.
    pub(super) tasks: Vec<(TaskKey, HostId)>,
    /// What has become of sockets since the loop last checked for events, by their numbers: one may be gone by then.
    pub(super) ready: Vec<(u32, Ready)>,
    pub(super) failure: Option<Failure>,
    pub(super) watch: SharedWatch,
    pub(super) leaks: Vec<String>,
    pub(super) limit: Instant,
    /// Turns of the loop since the clock moved, and where it stood then.
    pub(super) turns: (u64, Instant),
    pub(super) panics_fail: bool,
}

/// The one seed, split.
pub(super) struct Streams {
    pub(super) seed: u64,
    pub(super) links: Rng,
    pub(super) sockets: Rng,
    pub(super) disks: Rng,
    pub(super) crashes: Rng,
    pub(super) spurious: Rng,
}

impl Streams {
    fn new(seed: u64) -> Streams {
        Streams {
            seed,
            links: Rng::stream(seed, "links"),
            sockets: Rng::stream(seed, "sockets"),
            disks: Rng::stream(seed, "disks"),
            crashes: Rng::stream(seed, "crashes"),
            spurious: Rng::stream(seed, "spurious"),
        }
    }
}

pub(super) enum Occurrence {
    Arrives(Packet),
    Leaves(Packet),
    /// TCP abandons a held packet.
    GivesUp(u64),
    Nudge(u32, Ready),
    /// A connection comes to an end.
    Breaks(u32, ErrorKind),
    /// With the incarnation of the host: a job dies with it.
    Job(HostId, u32, Box<dyn FnOnce()>),
    Fault(Fault),
    HostEnded(HostId, u32),
}

impl World {
    pub(super) fn new(clock: Rc<Cell<Instant>>, seed: u64, limit: Duration, panics_fail: bool) -> World {
        let state = State {
            clock: Rc::clone(&clock),
            hosts: Vec::new(),
            sockets: BTreeMap::new(),
            ports: BTreeMap::new(),
            next_socket: 0,
            links: BTreeMap::new(),
            queue: BTreeMap::new(),
            number: 0,
            held: Vec::new(),
            rng: Streams::new(seed),
            counts: BTreeMap::new(),
            spurious: 0,
            tasks: Vec::new(),
            ready: Vec::new(),
            failure: None,
            watch: SharedWatch::new(),
            leaks: Vec::new(),
            limit: Instant::from_nanos(0) + limit,
            turns: (0, clock.get()),
            panics_fail,
        };
        World { clock, at: Cell::new(0), state: RefCell::new(state) }
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.get()
    }

    pub(super) fn here(&self) -> HostId {
        self.at.get()
    }
}

impl State {
    pub(super) fn now(&self) -> Instant {
        self.clock.get()
    }

    /// A number that no other has.
    pub(super) fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    pub(super) fn at(&mut self, at: Instant, what: Occurrence) {
        let number = self.number();
        self.queue.insert((at, number), what);
    }

    pub(super) fn arrives(&mut self, at: Instant, packet: Packet) {
        self.at(at, Occurrence::Arrives(packet));
    }

    /// An event of a socket, a moment from now.
    pub(super) fn soon(&mut self, socket: u32, ready: Ready) {
        let at = self.now() + self.rng.sockets.between(SOON.0, SOON.1);
        self.at(at, Occurrence::Nudge(socket, ready));
    }

    /// What happens next, if its moment has come.
    pub(super) fn due(&mut self) -> Option<Occurrence> {
        let now = self.now();
        let entry = self.queue.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    pub(super) fn count(&mut self, kind: Kind) {
        *self.counts.entry(kind).or_default() += 1;
    }

    /// A fault really acted.
    pub(super) fn acted(&mut self, kind: Kind, on: impl FnOnce() -> String) {
        self.count(kind);
        if !matches!(kind, Kind::Latency | Kind::Jitter | Kind::ShortRead | Kind::ShortWrite) {
            note(|| format!("{kind:?}: {}", on()));
        }
    }

    pub(super) fn host_named(&self, name: &str) -> Option<HostId> {
        self.hosts.iter().position(|host| &*host.name == name)
    }

    /// Returns the host that has this address, as seen from a host.
    pub(super) fn host_at(&self, ip: IpAddr, from: HostId) -> Option<HostId> {
        if ip.is_loopback() || ip.is_unspecified() {
            return Some(from);
        }
        self.hosts.iter().position(|host| IpAddr::V4(host.ip) == ip)
    }
}

/// Tells the trace in words.
pub(super) fn note(what: impl FnOnce() -> String) {
    trace::here(|recorder| recorder.push(Event::Fault { what: what().into() }));
}

/// The world of the simulation that runs on this thread.
pub(crate) fn world() -> Option<Rc<World>> {
    let simulator = Rc::clone(current::get()?.driver.simulator()?);
    (simulator as Rc<dyn Any>).downcast().ok()
}

#[track_caller]
pub(super) fn needed(what: &str) -> Rc<World> {
    world().unwrap_or_else(|| panic!("{what} needs a simulation: call it inside `Simulation::run`"))
}
