//! What travels between hosts, and what becomes of it when there is no way.

use std::fmt;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::key::TaskKey;
use crate::executor::ready::Ready;

use super::fault::Kind;
use super::parts::{Body, Held, HostId, Packet};
use super::state::{Occurrence, State};

/// When a connection attempt without an answer is given up; Linux's six repetitions take 127 s.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(127);
/// When data without an acknowledgement is given up: Linux's 15 repetitions take 924.6 s.
const DATA_TIMEOUT: Duration = Duration::from_millis(924_600);
/// When a healed link carries what was lost meanwhile: at the next repetition.
const REPEATED: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(400));
/// From where to where, for the trace: only words when a fault acts.
pub(super) struct Route(Rc<str>, Rc<str>);

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} to {}", self.0, self.1)
    }
}

impl State {
    pub(super) fn route(&self, packet: &Packet) -> Route {
        let name = |host: HostId| Rc::clone(&self.hosts[host].name);
        Route(name(packet.from), name(packet.to))
    }

    /// Why nothing gets from one host to the other.
    pub(super) fn obstacle(&self, from: HostId, to: HostId) -> Option<Obstacle> {
        if let Some(kind) = self.links.get(&(from, to)).and_then(|link| link.cut) {
            return Some(Obstacle::Cut(kind));
        }
        (!self.hosts[to].up).then_some(Obstacle::Down)
    }

    /// Loses a datagram. TCP's packets are repeated, for some time.
    pub(super) fn stop(&mut self, packet: Packet, obstacle: Obstacle) {
        if let Obstacle::Cut(kind) = obstacle {
            let route = self.route(&packet);
            self.acted(kind, || format!("a packet {route}"));
        }
        let patience = match packet.body {
            Body::Datagram { .. } | Body::Unreachable { .. } => return,
            Body::Syn { .. } => CONNECT_TIMEOUT,
            _ => DATA_TIMEOUT,
        };
        let number = self.number();
        self.held.push(Held { number, packet });
        let at = self.now() + patience;
        self.at(at, Occurrence::GivesUp(number));
    }

    /// What can go now is repeated: a link was healed, or a host is up.
    pub(super) fn release(&mut self) {
        for held in std::mem::take(&mut self.held) {
            if self.obstacle(held.packet.from, held.packet.to).is_some() {
                self.held.push(held);
                continue;
            }
            let at = self.now() + self.rng.links.between(REPEATED.0, REPEATED.1);
            self.at(at, Occurrence::Leaves(held.packet));
        }
    }

    pub(super) fn give_up(&mut self, number: u64) {
        let Some(place) = self.held.iter().position(|held| held.number == number) else { return };
        match self.held.remove(place).packet.body {
            Body::Syn { from, .. } | Body::Segment { from, .. } => self.break_off(from, ErrorKind::TimedOut),
            _ => {}
        }
    }

    /// Delivers a packet. Returns a task to be woken for no reason, now and then.
    pub(super) fn deliver(&mut self, packet: Packet) -> Option<TaskKey> {
        let Packet { from, to, .. } = packet;
        if from != to
            && let Some(obstacle) = self.obstacle(from, to)
        {
            self.stop(packet, obstacle);
            return None;
        }
        if !self.hosts[to].up {
            return None;
        }
        let back = |body| Packet { from: to, to: from, body };
        match packet.body {
            Body::Syn { from: asker, to: address, tries } => match self.receive_syn(from, to, asker, address)
            {
                Answer::With(body) => self.send(back(body)),
                Answer::Later if tries < 6 => {
                    let at = self.now() + Duration::from_secs(1 << tries);
                    let body = Body::Syn { from: asker, to: address, tries: tries + 1 };
                    self.at(at, Occurrence::Leaves(Packet { from, to, body }));
                }
                Answer::Later => self.break_off(asker, ErrorKind::TimedOut),
            },
            Body::Accepted { to: socket, peer } => {
                if !self.connected(socket, peer) {
                    self.send(back(Body::Reset { to: peer }));
                }
            }
            Body::Refused { to } => self.break_off(to, ErrorKind::ConnectionRefused),
            Body::Segment { from: sender, to: socket, place, bytes, end } => {
                let closed = end && bytes.is_empty();
                if !self.receive(socket, place, bytes, end) && !closed {
                    self.send(back(Body::Reset { to: sender }));
                }
            }
            Body::Room { to, bytes } => self.make_room(to, bytes),
            Body::Reset { to } => self.break_off(to, ErrorKind::ConnectionReset),
            Body::Datagram { from: sender, to: address, bytes } => {
                // Only a connected socket reports the error, so the answer is sent to no other.
                if !self.receive_datagram(to, sender, address, bytes)
                    && self.connected_udp(from, sender, address).is_some()
                {
                    self.send(back(Body::Unreachable { from: sender, to: address }));
                }
            }
            Body::Unreachable { from: sender, to: address } => self.refuse_datagrams(to, sender, address),
        }
        self.spurious()
    }

    pub(super) fn readable(&mut self, socket: u32) {
        self.tell(socket, Ready { readable: true, ..Ready::default() });
    }

    /// The moment at which a host that is not there is known not to be.
    pub(super) fn unreachable_at(&self) -> Instant {
        self.now() + Duration::from_secs(3)
    }
}

/// What comes of asking for a connection.
pub(super) enum Answer {
    With(Body),
    /// Nothing: it is asked again.
    Later,
}

/// Why a packet does not get there.
#[derive(Clone, Copy)]
pub(super) enum Obstacle {
    Cut(Kind),
    Down,
}
