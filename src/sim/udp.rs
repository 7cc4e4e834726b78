//! UDP between simulated hosts: datagrams, each whole or not at all.

use std::cmp::min;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use super::fault::Kind;
use super::packet::{Body, Packet};
use super::socket::{Role, Sock};
use super::world::{HostId, State};

/// What fits into one datagram.
const LONGEST: usize = 65_507;
/// Datagrams that wait to be received; more are lost.
const QUEUE: usize = 256;

impl State {
    pub(super) fn set_peer(&mut self, socket: u32, address: SocketAddr) -> io::Result<()> {
        match self.sockets.get_mut(&socket).map(|sock| &mut sock.role) {
            Some(Role::Udp { peer, .. }) => {
                *peer = Some(address);
                Ok(())
            }
            _ => Err(ErrorKind::NotConnected.into()),
        }
    }

    pub(super) fn send_datagram(
        &mut self,
        socket: u32,
        datagram: &[u8],
        to: Option<SocketAddr>,
    ) -> io::Result<usize> {
        let Some(Sock { host, local, role: Role::Udp { peer, .. }, .. }) = self.sockets.get(&socket) else {
            return Err(ErrorKind::NotConnected.into());
        };
        let (host, local) = (*host, *local);
        let to = to.or(*peer).ok_or(ErrorKind::NotConnected)?;
        if datagram.len() > LONGEST {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!("a datagram of {} bytes: at most {LONGEST} fit", datagram.len()),
            ));
        }
        let from = self.source(host, local, to);
        // To an address that nobody has: sent, and lost.
        if let Some(to_host) = self.host_at(to.ip(), host) {
            let body = Body::Datagram { from, to, bytes: datagram.to_vec() };
            self.send(Packet { from: host, to: to_host, body });
        }
        Ok(datagram.len())
    }

    pub(super) fn receive_datagram(
        &mut self,
        host: HostId,
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
    ) {
        let Some(socket) = self.bound(host, false, to) else { return };
        let Some(Role::Udp { peer, datagrams }) = self.sockets.get_mut(&socket).map(|sock| &mut sock.role)
        else {
            return;
        };
        if peer.is_some_and(|peer| peer != from) {
            return;
        }
        if datagrams.len() == QUEUE {
            return self.acted(Kind::DatagramLost, || format!("the queue of {to} is full"));
        }
        datagrams.push_back((from, bytes));
        self.readable(socket);
    }

    pub(super) fn take_datagram(
        &mut self,
        socket: u32,
        buffer: &mut [u8],
        take: bool,
    ) -> io::Result<(usize, SocketAddr)> {
        let Some(Role::Udp { datagrams, .. }) = self.sockets.get_mut(&socket).map(|sock| &mut sock.role)
        else {
            return Err(ErrorKind::NotConnected.into());
        };
        let (from, bytes) = datagrams.front().ok_or(ErrorKind::WouldBlock)?;
        let (from, length) = (*from, min(buffer.len(), bytes.len()));
        buffer[..length].copy_from_slice(&bytes[..length]);
        if take {
            datagrams.pop_front();
        }
        Ok((length, from))
    }
}
