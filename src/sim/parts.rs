//! What a world consists of, as data: hosts, links, packets and sockets.
//!
//! What becomes of them is in the files above: each is a part of the [state's](super::state) methods.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, ErrorKind};
use std::mem::take;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use futures::future::LocalBoxFuture;

use crate::base::clock::Instant;
use crate::base::rng::Rng;
use crate::executor::reactor::Readiness;

use super::fault::Kind;

/// Which host. 0 is the one on which the future given to `run` runs.
pub(crate) type HostId = usize;

/// Connections that wait to be accepted at one listener, until it is said otherwise.
pub(super) const BACKLOG: u32 = 128;
/// How long a blocking job takes, until it is said otherwise.
pub(super) const DISK: (Duration, Duration) = (Duration::from_micros(100), Duration::from_micros(500));

/// Makes the future of a host, anew at each start.
pub(super) type Make = Rc<RefCell<dyn FnMut() -> LocalBoxFuture<'static, ()>>>;

pub(super) struct HostState {
    pub(super) name: Rc<str>,
    pub(super) ip: Ipv4Addr,
    pub(super) up: bool,
    /// Counts the starts.
    pub(super) incarnation: u32,
    pub(super) make: Option<Make>,
    pub(super) source: &'static Location<'static>,
    pub(super) clock: HostClock,
    pub(super) disk: (Duration, Duration),
    pub(super) descriptors: u32,
    pub(super) refused: BTreeSet<u16>,
    pub(super) backlog: u32,
    /// Of a million reads and writes.
    pub(super) short: u32,
    pub(super) next_port: u16,
    pub(super) random: Rng,
}

impl HostState {
    pub(super) fn is(&self, incarnation: u32) -> bool {
        self.up && self.incarnation == incarnation
    }
}

/// What a host's clock shows, in terms of the machine's.
#[derive(Clone, Copy)]
pub(super) struct HostClock {
    /// Set at this moment of the machine's clock,
    pub(super) set_at: Instant,
    /// to this one,
    pub(super) to: Instant,
    /// and running so much faster from then on.
    pub(super) ppm: i32,
}

impl HostClock {
    pub(super) fn is_skewed(&self) -> bool {
        self.ppm != 0
    }

    /// In millionths of the machine's rate.
    pub(super) fn rate(&self) -> u128 {
        (1_000_000 + i64::from(self.ppm)).max(1) as u128
    }

    pub(super) fn shown(&self, now: Instant) -> Instant {
        let passed = (now - self.set_at).as_nanos() * self.rate() / 1_000_000;
        self.to + Duration::from_nanos(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    /// The first moment of the machine's clock at which this one shows `deadline`.
    pub(super) fn reaches(&self, deadline: Instant) -> Instant {
        if deadline == Instant::FAR_FUTURE {
            return deadline;
        }
        let takes = ((deadline - self.to).as_nanos() * 1_000_000).div_ceil(self.rate());
        self.set_at + Duration::from_nanos(u64::try_from(takes).unwrap_or(u64::MAX))
    }

    pub(super) fn set(&mut self, now: Instant, to: Instant, ppm: i32) {
        *self = HostClock { set_at: now, to, ppm };
    }
}

/// A link's latency until it is said otherwise: that of two machines in one room.
pub(crate) const USUAL: (Duration, Duration) = (Duration::from_micros(300), Duration::from_micros(500));

/// One direction.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) latency: (Duration, Duration),
    pub(super) loss: u32,
    pub(super) duplicate: u32,
    pub(super) reorder: u32,
    /// Bytes a second, 0 without a bound.
    pub(super) bandwidth: u64,
    /// Until then it is busy with what was sent before.
    pub(super) busy_until: Instant,
    pub(super) cut: Option<Kind>,
}

impl Default for Link {
    fn default() -> Link {
        Link {
            latency: USUAL,
            loss: 0,
            duplicate: 0,
            reorder: 0,
            bandwidth: 0,
            busy_until: Instant::from_nanos(0),
            cut: None,
        }
    }
}

#[derive(Clone)]
pub(super) struct Packet {
    pub(super) from: HostId,
    pub(super) to: HostId,
    pub(super) body: Body,
}

/// Sockets are meant by their numbers, which are never given twice.
#[derive(Clone)]
pub(super) enum Body {
    /// A connection is asked for, so many times before.
    Syn {
        from: u32,
        to: SocketAddr,
        tries: u32,
    },
    /// It is made, with this socket.
    Accepted {
        to: u32,
        peer: u32,
    },
    Refused {
        to: u32,
    },
    /// Bytes in their place in the stream, and whether it ends there.
    Segment {
        from: u32,
        to: u32,
        place: u64,
        bytes: Vec<u8>,
        end: bool,
    },
    /// So many bytes were read: there is room for others.
    Room {
        to: u32,
        bytes: usize,
    },
    Reset {
        to: u32,
    },
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    /// A datagram from here to there found no socket: ICMP's "port unreachable".
    Unreachable {
        from: SocketAddr,
        to: SocketAddr,
    },
}

/// A packet that found no way, and is repeated.
pub(super) struct Held {
    pub(super) number: u64,
    pub(super) packet: Packet,
}

impl Packet {
    /// Whether it is not repeated when it is lost.
    pub(super) fn is_datagram(&self) -> bool {
        matches!(self.body, Body::Datagram { .. } | Body::Unreachable { .. })
    }

    pub(super) fn size(&self) -> u64 {
        match &self.body {
            Body::Segment { bytes, .. } | Body::Datagram { bytes, .. } => HEADER + bytes.len() as u64,
            _ => HEADER,
        }
    }
}

/// What a packet weighs beside its bytes.
pub(super) const HEADER: u64 = 40;

pub(super) struct SocketState {
    pub(super) host: HostId,
    pub(super) local: SocketAddr,
    pub(super) readiness: Rc<Readiness>,
    /// False for a connection that waits to be accepted: it has no owner yet.
    pub(super) owned: bool,
    pub(super) role: Role,
}

pub(super) enum Role {
    /// The connections that wait to be accepted.
    Listener(VecDeque<u32>),
    Stream(Stream),
    Udp(Udp),
}

pub(super) struct Stream {
    /// The other end's socket, once it is known.
    pub(super) peer: Option<u32>,
    pub(super) peer_host: HostId,
    pub(super) peer_address: SocketAddr,
    pub(super) phase: Phase,
    /// For the next operation to return.
    pub(super) error: Option<ErrorKind>,
    /// Received, in order, and not read.
    pub(super) incoming: VecDeque<u8>,
    /// The place in the stream of the next byte to come.
    pub(super) expected: u64,
    /// Segments that came before their turn, and whether the stream ends behind them.
    pub(super) early: BTreeMap<u64, (Vec<u8>, bool)>,
    /// The peer writes no more.
    pub(super) ended: bool,
    pub(super) read_shut: bool,
    pub(super) write_shut: bool,
    /// The place of the next byte to be written.
    pub(super) written: u64,
    /// Bytes written that the peer has not reported as read.
    pub(super) outstanding: usize,
    /// Bytes read that were not reported to the peer.
    pub(super) owed: usize,
    pub(super) nodelay: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Connecting,
    Open,
    /// Reset, refused or timed out.
    Broken,
}

impl Stream {
    pub(super) fn new(
        phase: Phase,
        peer: Option<u32>,
        peer_host: HostId,
        peer_address: SocketAddr,
    ) -> Stream {
        Stream {
            peer,
            peer_host,
            peer_address,
            phase,
            error: None,
            incoming: VecDeque::new(),
            expected: 0,
            early: BTreeMap::new(),
            ended: false,
            read_shut: false,
            write_shut: false,
            written: 0,
            outstanding: 0,
            owed: 0,
            nodelay: false,
        }
    }

    /// It is not when both ends have ended their directions.
    pub(super) fn is_connected(&self) -> bool {
        self.phase == Phase::Open && !(self.ended && self.write_shut)
    }

    /// What a read returns when no byte is there. The end of the stream remains the end, whatever comes later.
    pub(super) fn nothing(&mut self) -> io::Result<usize> {
        match self.error.take_if(|_| !self.ended) {
            Some(error) => Err(error.into()),
            None if self.ended || self.read_shut || self.phase == Phase::Broken => Ok(0),
            None => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

#[derive(Default)]
pub(super) struct Udp {
    pub(super) peer: Option<SocketAddr>,
    pub(super) datagrams: VecDeque<(SocketAddr, Vec<u8>)>,
    /// The peer's host has refused a datagram. The next send or receive reports it, once.
    pub(super) refused: bool,
}

impl Udp {
    pub(super) fn check(&mut self) -> io::Result<()> {
        if take(&mut self.refused) { Err(ErrorKind::ConnectionRefused.into()) } else { Ok(()) }
    }
}
