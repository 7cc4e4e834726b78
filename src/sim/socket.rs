//! Simulated sockets, as the rooms above see them: the operations of the system's.

use std::cmp::min;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::rc::Rc;

use crate::executor::reactor::Readiness;
use crate::executor::ready::Ready;
use crate::trace::Resource;

use super::fault::Kind;
use super::parts::{HostId, Role, SocketState, Stream, Udp};
use super::state::{State, World};

/// Linux's number for "too many open files".
const EMFILE: i32 = 24;
/// The first port for sockets that ask for none, as with Linux.
const FIRST_PORT: u16 = 32_768;

impl State {
    /// A new socket.
    pub(super) fn open(&mut self, host: HostId, local: SocketAddr, role: Role) -> u32 {
        let number = self.next_socket;
        self.next_socket += 1;
        let readiness = Readiness::simulated(number);
        self.sockets.insert(number, SocketState { host, local, readiness, owned: false, role });
        number
    }

    /// Whether the host has a descriptor left.
    pub(super) fn descriptor(&mut self, host: HostId) -> io::Result<()> {
        let max = self.hosts[host].descriptors;
        if max < u32::MAX {
            let open = self.descriptors(host);
            if open >= max as usize {
                let name = Rc::clone(&self.hosts[host].name);
                self.acted(Kind::Descriptors, || format!("{name} has {open} sockets open"));
                return Err(io::Error::from_raw_os_error(EMFILE));
            }
        }
        Ok(())
    }

    /// How many sockets of the host have owners: not those that wait to be accepted.
    pub(super) fn descriptors(&self, host: HostId) -> usize {
        let own = || self.sockets.values().filter(|sock| sock.host == host);
        let waiting = own().map(|sock| if let Role::Listener(queue) = &sock.role { queue.len() } else { 0 });
        own().count() - waiting.sum::<usize>()
    }

    /// The address with the port that was asked for, or a free one.
    pub(super) fn local(&mut self, host: HostId, tcp: bool, wanted: SocketAddr) -> io::Result<SocketAddr> {
        let ip = wanted.ip();
        if !(ip.is_unspecified() || ip.is_loopback() || ip == IpAddr::V4(self.hosts[host].ip)) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        if wanted.port() != 0 {
            let taken = self.ports.contains_key(&(host, tcp, wanted.port()));
            return if taken { Err(io::ErrorKind::AddrInUse.into()) } else { Ok(wanted) };
        }
        for _ in FIRST_PORT..=u16::MAX {
            let port = self.hosts[host].next_port.max(FIRST_PORT);
            self.hosts[host].next_port = port.checked_add(1).unwrap_or(FIRST_PORT);
            if !self.ports.contains_key(&(host, tcp, port)) {
                return Ok(SocketAddr::new(ip, port));
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// The address by which others know what this host sends to there.
    pub(super) fn source(&self, host: HostId, local: SocketAddr, to: SocketAddr) -> SocketAddr {
        let ip = if to.ip().is_loopback() { Ipv4Addr::LOCALHOST } else { self.hosts[host].ip };
        SocketAddr::new(ip.into(), local.port())
    }

    /// Returns the socket that is bound there and may receive what comes to this address.
    pub(super) fn bound(&self, host: HostId, tcp: bool, address: SocketAddr) -> Option<u32> {
        let number = *self.ports.get(&(host, tcp, address.port()))?;
        let local = self.sockets.get(&number)?.local.ip();
        (local.is_unspecified() || local == address.ip()).then_some(number)
    }

    /// Makes the loop report it when it next checks for events: at this moment of the clock, but in no call of a task.
    pub(super) fn tell(&mut self, socket: u32, ready: Ready) {
        self.ready.push((socket, ready));
    }

    /// An error concerns both directions: the waiting tasks must retry, and get the error.
    pub(super) fn tell_of_error(&mut self, socket: u32) {
        let all =
            Ready { readable: true, writable: true, read_closed: true, write_closed: true, urgent: false };
        self.tell(socket, all);
    }

    fn stream(&mut self, socket: u32) -> io::Result<&mut Stream> {
        match self.sockets.get_mut(&socket).map(|sock| &mut sock.role) {
            Some(Role::Stream(stream)) => Ok(stream),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(super) fn forget(&mut self, socket: u32) -> Option<SocketState> {
        let sock = self.sockets.remove(&socket)?;
        let tcp = !matches!(sock.role, Role::Udp(_));
        let place = (sock.host, tcp, sock.local.port());
        if self.ports.get(&place) == Some(&socket) {
            self.ports.remove(&place);
        }
        Some(sock)
    }

    /// What a trace calls a socket: `bank:80`, or `ann:32768 to bank:80`.
    fn title(&self, socket: u32) -> String {
        let Some(SocketState { host, local, role, .. }) = self.sockets.get(&socket) else {
            return String::new();
        };
        let named = |address: SocketAddr| match self.host_at(address.ip(), *host) {
            Some(host) => format!("{}:{}", self.hosts[host].name, address.port()),
            None => address.to_string(),
        };
        match role {
            Role::Stream(stream) => format!("{} to {}", named(*local), named(stream.peer_address)),
            _ => named(*local),
        }
    }

    /// What a socket is, in words.
    pub(super) fn describe(&self, socket: u32) -> String {
        let Some(SocketState { local, role, .. }) = self.sockets.get(&socket) else {
            return format!("socket {socket}");
        };
        match role {
            Role::Listener(_) => format!("the TCP listener at {local}"),
            Role::Udp(_) => format!("the UDP socket at {local}"),
            Role::Stream(stream) => format!("the TCP connection {local} to {}", stream.peer_address),
        }
    }
}

impl World {
    /// Wakes the tasks that wait for what is ready now. A wake is foreign code and may close other sockets.
    pub(super) fn tell_ready(&self, mut tell: impl FnMut(Resource, Ready)) {
        let ready = std::mem::take(&mut self.state.borrow_mut().ready);
        for (socket, ready) in ready {
            let found = |sock: &SocketState| (Rc::clone(&sock.readiness), sock.owned);
            let Some((readiness, owned)) = self.state.borrow().sockets.get(&socket).map(found) else {
                continue;
            };
            // What happens to a connection before it is accepted is known then, as with the system's poller.
            if owned {
                tell(readiness.resource(), ready);
            }
            readiness.note(ready);
        }
    }
}

/// Where a packet to this address goes: one to no address in particular stays on the host.
pub(super) fn meant(to: SocketAddr) -> SocketAddr {
    if to.ip().is_unspecified() { SocketAddr::new(Ipv4Addr::LOCALHOST.into(), to.port()) } else { to }
}

/// A socket of the simulated world. Dropping it closes it.
pub struct SimSocket {
    world: Rc<World>,
    number: u32,
}

impl SimSocket {
    fn new(world: &Rc<World>, number: u32) -> SimSocket {
        let mut state = world.state.borrow_mut();
        let sock = state.sockets.get_mut(&number).expect("it was just found");
        sock.owned = true;
        SimSocket { world: Rc::clone(world), number }
    }

    /// A connection that is being made.
    pub(crate) fn stream(world: &Rc<World>, address: SocketAddr) -> io::Result<SimSocket> {
        let number = world.state.borrow_mut().connect(world.here(), address)?;
        Ok(SimSocket::new(world, number))
    }

    pub(crate) fn listen(world: &Rc<World>, address: SocketAddr) -> io::Result<SimSocket> {
        SimSocket::bind(world, true, address, Role::Listener(VecDeque::new()))
    }

    pub(crate) fn udp(world: &Rc<World>, address: SocketAddr) -> io::Result<SimSocket> {
        SimSocket::bind(world, false, address, Role::Udp(Udp::default()))
    }

    fn bind(world: &Rc<World>, tcp: bool, address: SocketAddr, role: Role) -> io::Result<SimSocket> {
        let (mut state, host) = (world.state.borrow_mut(), world.here());
        state.descriptor(host)?;
        let local = state.local(host, tcp, address)?;
        let number = state.open(host, local, role);
        state.ports.insert((host, tcp, local.port()), number);
        drop(state);
        Ok(SimSocket::new(world, number))
    }

    /// Not kept here, because it would make sockets of the system larger too.
    pub(crate) fn readiness(&self) -> Rc<Readiness> {
        let state = self.world.state.borrow();
        Rc::clone(&state.sockets.get(&self.number).expect("it was just opened").readiness)
    }

    pub(crate) fn title(&self) -> String {
        self.world.state.borrow().title(self.number)
    }

    pub(crate) fn accept(&self) -> io::Result<(SimSocket, SocketAddr)> {
        let (number, address) = self.world.state.borrow_mut().accept(self.number)?;
        Ok((SimSocket::new(&self.world, number), address))
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        let state = self.world.state.borrow();
        state
            .sockets
            .get(&self.number)
            .map(|sock| sock.local)
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        let mut state = self.world.state.borrow_mut();
        let stream = state.stream(self.number)?;
        if stream.is_connected() { Ok(stream.peer_address) } else { Err(io::ErrorKind::NotConnected.into()) }
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        let mut state = self.world.state.borrow_mut();
        Ok(state.stream(self.number)?.error.take().map(io::Error::from))
    }

    pub(crate) fn nodelay(&self) -> io::Result<bool> {
        Ok(self.world.state.borrow_mut().stream(self.number)?.nodelay)
    }

    pub(crate) fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.world.state.borrow_mut().stream(self.number)?.nodelay = nodelay;
        Ok(())
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.world.state.borrow_mut().shutdown(self.number, how)
    }

    pub(crate) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.world.state.borrow_mut();
        let stream = state.stream(self.number)?;
        if stream.incoming.is_empty() {
            return stream.nothing();
        }
        let there = min(buffer.len(), stream.incoming.len());
        buffer.iter_mut().zip(&stream.incoming).for_each(|(to, &from)| *to = from);
        Ok(there)
    }

    /// Sets the peer of a UDP socket.
    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<()> {
        self.world.state.borrow_mut().set_peer(self.number, address)
    }

    pub(crate) fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.world.state.borrow_mut().send_datagram(self.number, datagram, None)
    }

    pub(crate) fn send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.world.state.borrow_mut().send_datagram(self.number, datagram, Some(to))
    }

    pub(crate) fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.recv_from(buffer).map(|(length, _)| length)
    }

    pub(crate) fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.world.state.borrow_mut().take_datagram(self.number, buffer, true)
    }

    pub(crate) fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.world.state.borrow_mut().take_datagram(self.number, buffer, false)
    }
}

impl Read for &SimSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.world.state.borrow_mut().read(self.number, buffer)
    }

    /// Into all of them, as the system does; a reader may take only the first.
    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let mut whole = vec![0; buffers.iter().map(|buffer| buffer.len()).sum()];
        let length = self.read(&mut whole)?;
        let mut rest = &whole[..length];
        for buffer in buffers {
            let (now, later) = rest.split_at(min(buffer.len(), rest.len()));
            buffer[..now.len()].copy_from_slice(now);
            rest = later;
        }
        Ok(length)
    }
}

impl Write for &SimSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.world.state.borrow_mut().write(self.number, bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write(&slices.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<u8>>())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        self.world.state.borrow_mut().close(self.number);
    }
}

impl fmt::Debug for SimSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.world.state.borrow().describe(self.number))
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::net::Direction;

    /// Whether a short transfer drains a socket depends on the system's poller. What a seed does must not.
    #[test]
    fn a_short_transfer_drains_a_simulated_socket_on_every_system() {
        let readiness = Readiness::simulated(7);
        let mut cx = Context::from_waker(Waker::noop());
        for direction in [Direction::Read, Direction::Write] {
            let transfer = readiness.poll_io(&mut cx, direction, None, || Ok(1), |_| true);
            assert!(matches!(transfer, Poll::Ready(Ok(1))));
            assert!(readiness.poll_ready(&mut cx, direction, None).is_pending());
        }
    }
}
