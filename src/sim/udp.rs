//! UDP between simulated hosts: datagrams, each whole or not at all.

use std::cmp::min;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use super::fault::Kind;
use super::parts::{Body, HostId, Packet, Role, SocketState, Udp};
use super::socket::meant;
use super::state::State;

/// What fits into one datagram.
const LONGEST: usize = 65_507;
/// Datagrams that wait to be received; more are lost.
const QUEUE: usize = 256;
/// Linux's numbers for "destination address required" and "message too long", which have no `ErrorKind`.
const EDESTADDRREQ: i32 = 89;
const EMSGSIZE: i32 = 90;

impl State {
    fn udp(&mut self, socket: u32) -> io::Result<&mut Udp> {
        match self.sockets.get_mut(&socket).map(|sock| &mut sock.role) {
            Some(Role::Udp(udp)) => Ok(udp),
            _ => Err(ErrorKind::NotConnected.into()),
        }
    }

    pub(super) fn set_peer(&mut self, socket: u32, peer: SocketAddr) -> io::Result<()> {
        let peer = meant(peer);
        self.udp(socket)?.peer = Some(peer);
        if let Some(&SocketState { host, local, .. }) = self.sockets.get(&socket)
            && local.ip().is_unspecified()
        {
            let local = self.source(host, local, peer);
            self.sockets.entry(socket).and_modify(|sock| sock.local = local);
        }
        Ok(())
    }

    pub(super) fn send_datagram(
        &mut self,
        socket: u32,
        datagram: &[u8],
        to: Option<SocketAddr>,
    ) -> io::Result<usize> {
        let Some(SocketState { host, local, role: Role::Udp(Udp { peer, .. }), .. }) =
            self.sockets.get(&socket)
        else {
            return Err(ErrorKind::NotConnected.into());
        };
        let (host, local) = (*host, *local);
        let to = to.or(*peer).map(meant).ok_or_else(|| io::Error::from_raw_os_error(EDESTADDRREQ))?;
        if to.port() == 0 {
            return Err(ErrorKind::InvalidInput.into());
        }
        if datagram.len() > LONGEST {
            return Err(io::Error::from_raw_os_error(EMSGSIZE));
        }
        self.udp(socket)?.check()?;
        let from = self.source(host, local, to);
        // A datagram to an address without a host counts as sent, and is lost.
        if let Some(to_host) = self.host_at(to.ip(), host) {
            let body = Body::Datagram { from, to, bytes: datagram.to_vec() };
            self.send(Packet { from: host, to: to_host, body });
        }
        Ok(datagram.len())
    }

    /// Puts a datagram into the queue of its socket. False when there is none that takes it.
    pub(super) fn receive_datagram(
        &mut self,
        host: HostId,
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
    ) -> bool {
        let Some(socket) = self.bound(host, false, to) else { return false };
        let Ok(udp) = self.udp(socket) else { return false };
        if udp.peer.is_some_and(|peer| peer != from) {
            return false;
        }
        if udp.datagrams.len() == QUEUE {
            self.acted(Kind::DatagramLost, || format!("the queue of {to} is full"));
            return true;
        }
        udp.datagrams.push_back((from, bytes));
        self.readable(socket);
        true
    }

    /// The socket that is connected from here to there: the only one that learns of its datagrams' being refused.
    pub(super) fn connected_udp(&self, host: HostId, from: SocketAddr, to: SocketAddr) -> Option<u32> {
        let socket = self.bound(host, false, from)?;
        let connected = |sock: &SocketState| matches!(&sock.role, Role::Udp(udp) if udp.peer == Some(to));
        self.sockets.get(&socket).is_some_and(connected).then_some(socket)
    }

    pub(super) fn refuse_datagrams(&mut self, host: HostId, from: SocketAddr, to: SocketAddr) {
        if let Some(socket) = self.connected_udp(host, from, to)
            && let Ok(udp) = self.udp(socket)
        {
            udp.refused = true;
            self.tell_of_error(socket);
        }
    }

    pub(super) fn take_datagram(
        &mut self,
        socket: u32,
        buffer: &mut [u8],
        take: bool,
    ) -> io::Result<(usize, SocketAddr)> {
        let udp = self.udp(socket)?;
        udp.check()?;
        let (from, bytes) = udp.datagrams.front().ok_or(ErrorKind::WouldBlock)?;
        let (from, length) = (*from, min(buffer.len(), bytes.len()));
        buffer[..length].copy_from_slice(&bytes[..length]);
        if take {
            udp.datagrams.pop_front();
        }
        Ok((length, from))
    }
}
