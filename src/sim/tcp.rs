//! TCP between simulated hosts: bytes in order, each once, or an error.
//!
//! ```text
//!   connect                     listener                    a write                      the peer
//!   -------                     --------                    -------                      --------
//!   SYN ------------------->    a place in the queue?       a segment with its place --> put in order
//!   ready <--- ACCEPTED ----    yes: a socket for it                                     readable
//!   refused <-- REFUSED ----    nobody listens              room again <-------- ROOM    when it was read
//!   (asks again later)          the queue is full
//! ```
//!
//! A link may delay one packet more than the next, so segments carry their place in the stream and wait for those
//! before them. What a link loses is sent later: see [`link`](super::link).

use std::cmp::min;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr};

use crate::executor::ready::Ready;

use super::fault::Kind;
use super::packet::Answer;
use super::parts::{Body, HostId, Packet, Phase, Role, SocketState, Stream};
use super::socket::meant;
use super::state::{Occurrence, State};

/// How many bytes may be under way or unread in one direction.
const WINDOW: usize = 64 * 1024;
/// The peer hears that there is room again when so much was read.
const ROOM_STEP: usize = WINDOW / 4;

impl State {
    fn tcp(&mut self, socket: u32) -> Option<&mut Stream> {
        match &mut self.sockets.get_mut(&socket)?.role {
            Role::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    pub(super) fn connect(&mut self, host: HostId, to: SocketAddr) -> io::Result<u32> {
        self.descriptor(host)?;
        let any = SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), 0);
        let local = self.local(host, true, any)?;
        let to = meant(to);
        let local = self.source(host, local, to);
        let peer_host = self.host_at(to.ip(), host);
        let stream = Stream::new(Phase::Connecting, None, peer_host.unwrap_or(host), to);
        let socket = self.open(host, local, Role::Stream(stream));
        match peer_host {
            Some(to_host) => {
                let body = Body::Syn { from: socket, to, tries: 0 };
                self.send(Packet { from: host, to: to_host, body });
            }
            None => {
                let at = self.unreachable_at();
                self.at(at, Occurrence::Breaks(socket, ErrorKind::HostUnreachable));
            }
        }
        Ok(socket)
    }

    pub(super) fn receive_syn(
        &mut self,
        from: HostId,
        to: HostId,
        asker: u32,
        address: SocketAddr,
    ) -> Answer {
        let Some(peer_address) = self.sockets.get(&asker).map(|sock| sock.local) else {
            // Given up meanwhile: whatever the answer is, no socket receives it.
            return Answer::With(Body::Refused { to: asker });
        };
        let listener = self.bound(to, true, address).filter(|number| {
            self.sockets.get(number).is_some_and(|sock| matches!(sock.role, Role::Listener(_)))
        });
        let Some(listener) = listener else { return Answer::With(Body::Refused { to: asker }) };
        let host = &self.hosts[to];
        let name = host.name.clone();
        if host.refused.contains(&address.port()) || host.refused.contains(&0) {
            self.acted(Kind::Refused, || format!("a connection to {name}, port {}", address.port()));
            return Answer::With(Body::Refused { to: asker });
        }
        let max = host.backlog as usize;
        let Some(Role::Listener(queue)) = self.sockets.get(&listener).map(|sock| &sock.role) else {
            return Answer::Later;
        };
        if queue.len() >= max {
            self.acted(Kind::BacklogFull, || format!("{name}, port {}", address.port()));
            return Answer::Later;
        }
        let stream = Stream::new(Phase::Open, Some(asker), from, peer_address);
        let child = self.open(to, address, Role::Stream(stream));
        if let Some(Role::Listener(queue)) = self.sockets.get_mut(&listener).map(|sock| &mut sock.role) {
            queue.push_back(child);
        }
        self.readable(listener);
        Answer::With(Body::Accepted { to: asker, peer: child })
    }

    /// The answer to a connection attempt. False when the socket does not wait for it any more.
    pub(super) fn connected(&mut self, socket: u32, peer: u32) -> bool {
        let Some(stream) = self.tcp(socket).filter(|stream| stream.phase == Phase::Connecting) else {
            return false;
        };
        stream.phase = Phase::Open;
        stream.peer = Some(peer);
        self.tell(socket, Ready { writable: true, ..Ready::default() });
        true
    }

    pub(super) fn accept(&mut self, listener: u32) -> io::Result<(u32, SocketAddr)> {
        let Some(SocketState { host, role: Role::Listener(queue), .. }) = self.sockets.get(&listener) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        let (host, first) = (*host, queue.front().copied());
        let child = first.ok_or(ErrorKind::WouldBlock)?;
        self.descriptor(host)?;
        if let Some(Role::Listener(queue)) = self.sockets.get_mut(&listener).map(|sock| &mut sock.role) {
            queue.pop_front();
        }
        let address = self.tcp(child).map(|stream| stream.peer_address);
        address.map(|address| (child, address)).ok_or_else(|| ErrorKind::ConnectionAborted.into())
    }

    pub(super) fn read(&mut self, socket: u32, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(SocketState { host, role: Role::Stream(stream), .. }) = self.sockets.get_mut(&socket) else {
            return Err(ErrorKind::NotConnected.into());
        };
        if stream.incoming.is_empty() {
            return stream.nothing();
        }
        let there = min(buffer.len(), stream.incoming.len());
        let is_short = there > 1 && self.rng.sockets.happens(self.hosts[*host].short);
        let taken = if is_short { 1 + self.rng.sockets.below(there - 1) } else { there };
        for (to, from) in buffer.iter_mut().zip(stream.incoming.drain(..taken)) {
            *to = from;
        }
        stream.owed += taken;
        if stream.owed >= ROOM_STEP {
            let bytes = std::mem::take(&mut stream.owed);
            self.send_to_peer(socket, |to| Body::Room { to, bytes });
        }
        if is_short {
            self.count(Kind::ShortRead);
            // To the reader it looks as if the rest came after this read.
            self.soon(socket, Ready { readable: true, ..Ready::default() });
        }
        Ok(taken)
    }

    pub(super) fn write(&mut self, socket: u32, bytes: &[u8]) -> io::Result<usize> {
        let short = self.sockets.get(&socket).map_or(0, |sock| self.hosts[sock.host].short);
        let Some(stream) = self.tcp(socket) else { return Err(ErrorKind::NotConnected.into()) };
        if let Some(error) = stream.error.take() {
            return Err(error.into());
        }
        if stream.write_shut || stream.phase == Phase::Broken {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let room = WINDOW.saturating_sub(stream.outstanding);
        if bytes.is_empty() {
            return Ok(0);
        }
        if stream.phase == Phase::Connecting || room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let max = min(room, bytes.len());
        let mut taken = max;
        if max > 1 && self.rng.sockets.happens(short) {
            taken = 1 + self.rng.sockets.below(max - 1);
            self.count(Kind::ShortWrite);
            self.soon(socket, Ready { writable: true, ..Ready::default() });
        }
        // Now and then two packets, so that the reader may find one without the other.
        let parts = if taken > 1 && self.rng.sockets.happens(short) {
            bytes[..taken].split_at(1 + self.rng.sockets.below(taken - 1))
        } else {
            (&bytes[..taken], &[][..])
        };
        self.send_segment(socket, parts.0, false);
        if !parts.1.is_empty() {
            self.send_segment(socket, parts.1, false);
        }
        Ok(taken)
    }

    fn send_segment(&mut self, socket: u32, bytes: &[u8], end: bool) {
        let Some(stream) = self.tcp(socket) else { return };
        let place = stream.written;
        stream.written += bytes.len() as u64;
        stream.outstanding += bytes.len();
        let bytes = bytes.to_vec();
        self.send_to_peer(socket, |to| Body::Segment { from: socket, to, place, bytes, end });
    }

    fn send_to_peer(&mut self, socket: u32, body: impl FnOnce(u32) -> Body) {
        let Some(SocketState { host, role: Role::Stream(stream), .. }) = self.sockets.get(&socket) else {
            return;
        };
        if let Some(peer) = stream.peer.filter(|_| self.hosts[*host].up) {
            let packet = Packet { from: *host, to: stream.peer_host, body: body(peer) };
            self.send(packet);
        }
    }

    /// Puts a segment in its place. False when there is no such connection any more.
    pub(super) fn receive(&mut self, socket: u32, place: u64, bytes: Vec<u8>, end: bool) -> bool {
        let Some(stream) = self.tcp(socket) else { return false };
        if stream.phase == Phase::Broken {
            return false;
        }
        stream.early.insert(place, (bytes, end));
        let mut came = false;
        while let Some((bytes, end)) = stream.early.remove(&stream.expected) {
            came = true;
            stream.expected += bytes.len() as u64;
            stream.incoming.extend(bytes);
            stream.ended |= end;
            if end {
                break;
            }
        }
        let ended = stream.ended;
        if came {
            self.tell(socket, Ready { readable: true, read_closed: ended, ..Ready::default() });
        }
        true
    }

    pub(super) fn make_room(&mut self, socket: u32, bytes: usize) {
        if let Some(stream) = self.tcp(socket) {
            stream.outstanding = stream.outstanding.saturating_sub(bytes);
            self.tell(socket, Ready { writable: true, ..Ready::default() });
        }
    }

    /// The connection is at its end, for this reason. Bytes that came before can still be read.
    pub(super) fn break_off(&mut self, socket: u32, why: ErrorKind) {
        let Some(stream) = self.tcp(socket).filter(|stream| stream.phase != Phase::Broken) else { return };
        stream.phase = Phase::Broken;
        // Only a writer learns that a peer has gone which had ended its direction before.
        let is_late = stream.ended && why == ErrorKind::ConnectionReset;
        stream.error = Some(if is_late { ErrorKind::BrokenPipe } else { why });
        self.tell_of_error(socket);
    }

    pub(super) fn shutdown(&mut self, socket: u32, how: Shutdown) -> io::Result<()> {
        let Some(stream) = self.tcp(socket).filter(|stream| stream.is_connected()) else {
            return Err(ErrorKind::NotConnected.into());
        };
        if how != Shutdown::Write {
            stream.read_shut = true;
        }
        let ends = how != Shutdown::Read && !stream.write_shut;
        stream.write_shut |= ends;
        if ends {
            self.send_segment(socket, &[], true);
            // A write that waits for room must not go on waiting: there is an error for it.
            self.tell(socket, Ready { writable: true, ..Ready::default() });
        }
        if how != Shutdown::Write {
            self.tell(socket, Ready { readable: true, read_closed: true, ..Ready::default() });
        }
        Ok(())
    }

    /// The last owner is gone. Bytes that were never read make it a reset, as with every system.
    pub(super) fn close(&mut self, socket: u32) {
        let Some(sock) = self.sockets.get(&socket) else { return };
        match &sock.role {
            Role::Listener(queue) => {
                for child in queue.clone() {
                    self.send_to_peer(child, |to| Body::Reset { to });
                    self.forget(child);
                }
            }
            Role::Stream(stream) if stream.phase == Phase::Open => {
                if !stream.incoming.is_empty() {
                    self.send_to_peer(socket, |to| Body::Reset { to });
                } else if !stream.write_shut {
                    self.send_segment(socket, &[], true);
                }
            }
            _ => {}
        }
        self.forget(socket);
    }

    /// Every connection between two hosts is reset at both ends.
    pub(super) fn reset_between(&mut self, a: HostId, b: HostId) {
        let of = |sock: &SocketState| match &sock.role {
            Role::Stream(stream) => [(a, b), (b, a)].contains(&(sock.host, stream.peer_host)),
            _ => false,
        };
        let meant: Vec<u32> =
            self.sockets.iter().filter(|(_, sock)| of(sock)).map(|(&number, _)| number).collect();
        for socket in meant {
            self.acted(Kind::Reset, || format!("socket {socket}"));
            self.break_off(socket, ErrorKind::ConnectionReset);
        }
    }

    /// The host falls: what its peers hear of it, if they do.
    pub(super) fn reset_peers(&mut self, host: HostId) {
        let own = self.sockets.iter().filter(|(_, sock)| sock.host == host);
        for socket in own.map(|(&number, _)| number).collect::<Vec<_>>() {
            self.send_to_peer(socket, |to| Body::Reset { to });
        }
    }
}
