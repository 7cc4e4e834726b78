//! Links between hosts: how long a packet takes, and whether it arrives.

use std::time::Duration;

use super::fault::{Fault, Kind};
use super::parts::{HostId, Link, Packet, USUAL};
use super::state::State;

/// From a host to itself.
const LOOPBACK: (Duration, Duration) = (Duration::from_micros(10), Duration::from_micros(30));
/// After how long TCP repeats a packet the first time. Then it takes twice as long each time.
const REPEAT: Duration = Duration::from_millis(200);

impl State {
    fn link(&mut self, from: HostId, to: HostId) -> &mut Link {
        self.links.entry((from, to)).or_default()
    }

    /// Changes both directions.
    pub(super) fn change(&mut self, a: HostId, b: HostId, change: impl Fn(&mut Link)) {
        change(self.link(a, b));
        change(self.link(b, a));
    }

    pub(super) fn cut(&mut self, from: HostId, to: HostId, kind: Option<Kind>) {
        self.link(from, to).cut = kind;
    }

    pub(super) fn apply_to_link(&mut self, fault: &Fault, a: HostId, b: HostId) {
        match *fault {
            Fault::Latency { min, max, .. } => {
                self.change(a, b, |link| link.latency = (min, max.max(min)));
            }
            Fault::Loss { ppm, .. } => self.change(a, b, |link| link.loss = ppm.min(MOST_LOST)),
            Fault::Duplicate { ppm, .. } => self.change(a, b, |link| link.duplicate = ppm),
            Fault::Reorder { ppm, .. } => self.change(a, b, |link| link.reorder = ppm),
            Fault::Bandwidth { bytes, .. } => self.change(a, b, |link| link.bandwidth = bytes),
            _ => {}
        }
    }

    /// Puts a packet on its way.
    pub(super) fn send(&mut self, packet: Packet) {
        let (from, to, now) = (packet.from, packet.to, self.now());
        if from == to {
            let delay = self.rng.links.between(LOOPBACK.0, LOOPBACK.1);
            return self.arrives(now + delay, packet);
        }
        if let Some(obstacle) = self.obstacle(from, to) {
            return self.stop(packet, obstacle);
        }
        let (size, route) = (packet.size(), self.route(&packet));
        let link = self.links.entry((from, to)).or_default();
        let rng = &mut self.rng.links;
        let mut delay = rng.between(link.latency.0, link.latency.1);
        let mut acted = Vec::new();
        if link.latency != USUAL {
            acted.push(Kind::Latency);
            if link.latency.0 != link.latency.1 {
                acted.push(Kind::Jitter);
            }
        }
        if link.bandwidth > 0 {
            let takes = Duration::from_nanos((size * 1_000_000_000).div_ceil(link.bandwidth));
            if link.busy_until > now {
                acted.push(Kind::Bandwidth);
            }
            link.busy_until = link.busy_until.max(now) + takes;
            delay += link.busy_until - now;
        }
        let mut copy = None;
        if packet.is_datagram() {
            if rng.happens(link.loss) {
                return self.acted(Kind::DatagramLost, || format!("a datagram {route}"));
            }
            if rng.happens(link.reorder) {
                acted.push(Kind::DatagramReordered);
                delay += rng.between(Duration::ZERO, 10 * link.latency.1);
            }
            if rng.happens(link.duplicate) {
                acted.push(Kind::DatagramDuplicated);
                copy = Some((rng.between(link.latency.0, link.latency.1), packet.clone()));
            }
        } else {
            let mut repeat = REPEAT;
            while rng.happens(link.loss) {
                acted.push(Kind::Loss);
                delay += repeat;
                repeat *= 2;
            }
        }
        for kind in acted {
            self.acted(kind, || format!("a packet {route}"));
        }
        if let Some((delay, copy)) = copy {
            self.arrives(now + delay, copy);
        }
        self.arrives(now + delay, packet);
    }
}

/// TCP must get through at last.
const MOST_LOST: u32 = 900_000;
