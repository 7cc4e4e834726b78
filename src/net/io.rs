//! The one place that chooses between the system's sockets and simulated ones.
//!
//! All above is the same for both: readiness, wakers, futures. An operation looks once which it has.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;

use mio::{Interest, Registry, Token, event};

use crate::sim::{self, SimSocket, World};

/// A socket of the system, or one of a [simulation](crate::sim).
pub enum Io<S> {
    /// The system's.
    Os(S),
    /// A simulated one.
    Sim(SimSocket),
}

/// What the reactor watches, unless it is simulated.
pub trait Source: event::Source {
    /// The simulated socket that this is, if it is one.
    fn simulated(&self) -> Option<&SimSocket> {
        None
    }
}

#[cfg(unix)]
impl Source for mio::net::UnixStream {}
#[cfg(unix)]
impl Source for mio::net::UnixListener {}
#[cfg(unix)]
impl Source for mio::net::UnixDatagram {}

impl<S: event::Source> Source for Io<S> {
    fn simulated(&self) -> Option<&SimSocket> {
        match self {
            Io::Os(_) => None,
            Io::Sim(socket) => Some(socket),
        }
    }
}

impl<S> Io<S> {
    /// Makes the one or the other, as the runtime of this thread has it.
    fn make(
        os: impl FnOnce() -> io::Result<S>,
        simulated: impl FnOnce(&Rc<World>) -> io::Result<SimSocket>,
    ) -> io::Result<Io<S>> {
        match sim::world() {
            None => os().map(Io::Os),
            Some(world) => simulated(&world).map(Io::Sim),
        }
    }

    /// The system's socket, which another thread may take.
    pub(crate) fn into_os(self) -> io::Result<S> {
        match self {
            Io::Os(socket) => Ok(socket),
            Io::Sim(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a simulated connection cannot go to another thread: in a simulation there is one",
            )),
        }
    }
}

/// A simulated socket is never registered: see [`Source::simulated`].
impl<S: event::Source> event::Source for Io<S> {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        match self {
            Io::Os(socket) => socket.register(registry, token, interests),
            Io::Sim(_) => Ok(()),
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        match self {
            Io::Os(socket) => socket.reregister(registry, token, interests),
            Io::Sim(_) => Ok(()),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Io::Os(socket) => socket.deregister(registry),
            Io::Sim(_) => Ok(()),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Io<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Io::Os(socket) => socket.fmt(f),
            Io::Sim(socket) => socket.fmt(f),
        }
    }
}

/// # Panics
/// When it is simulated: then there is no descriptor.
#[cfg(unix)]
impl<S: std::os::fd::AsFd> std::os::fd::AsFd for Io<S> {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match self {
            Io::Os(socket) => socket.as_fd(),
            Io::Sim(socket) => panic!("{socket:?} is simulated and has no descriptor"),
        }
    }
}

/// The operation of the same name, whichever it is.
macro_rules! either {
    ($self:ident, $socket:ident => $operation:expr) => {
        match $self {
            Io::Os($socket) => $operation,
            Io::Sim($socket) => $operation,
        }
    };
}

type TcpStream = mio::net::TcpStream;
type TcpListener = mio::net::TcpListener;
type UdpSocket = mio::net::UdpSocket;

impl Io<TcpStream> {
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        Io::make(|| TcpStream::connect(address), |world| SimSocket::connect(world, address))
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        either!(self, socket => socket.shutdown(how))
    }

    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        either!(self, socket => socket.take_error())
    }

    pub(super) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(self, socket => socket.peek(buffer))
    }

    pub(super) fn nodelay(&self) -> io::Result<bool> {
        either!(self, socket => socket.nodelay())
    }

    pub(super) fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        either!(self, socket => socket.set_nodelay(nodelay))
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        either!(self, socket => socket.local_addr())
    }

    pub(super) fn peer_addr(&self) -> io::Result<SocketAddr> {
        either!(self, socket => socket.peer_addr())
    }
}

impl Read for &Io<TcpStream> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(self, socket => { let mut socket = socket; socket.read(buffer) })
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        either!(self, socket => { let mut socket = socket; socket.read_vectored(buffers) })
    }
}

impl Write for &Io<TcpStream> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        either!(self, socket => { let mut socket = socket; socket.write(bytes) })
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        either!(self, socket => { let mut socket = socket; socket.write_vectored(slices) })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Io<TcpListener> {
    pub(super) fn listen(address: SocketAddr) -> io::Result<Self> {
        Io::make(|| TcpListener::bind(address), |world| SimSocket::listen(world, address))
    }

    pub(super) fn accept(&self) -> io::Result<(Io<TcpStream>, SocketAddr)> {
        match self {
            Io::Os(listener) => listener.accept().map(|(stream, address)| (Io::Os(stream), address)),
            Io::Sim(listener) => listener.accept().map(|(stream, address)| (Io::Sim(stream), address)),
        }
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        either!(self, socket => socket.local_addr())
    }
}

impl Io<UdpSocket> {
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        Io::make(|| UdpSocket::bind(address), |world| SimSocket::udp(world, address))
    }

    pub(super) fn connect(&self, address: SocketAddr) -> io::Result<()> {
        match self {
            Io::Os(socket) => socket.connect(address),
            Io::Sim(socket) => socket.set_peer(address),
        }
    }

    pub(super) fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        match self {
            Io::Os(socket) => socket.send(datagram),
            Io::Sim(socket) => socket.send(datagram, None),
        }
    }

    pub(super) fn send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        match self {
            Io::Os(socket) => socket.send_to(datagram, to),
            Io::Sim(socket) => socket.send(datagram, Some(to)),
        }
    }

    pub(super) fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Io::Os(socket) => socket.recv(buffer),
            Io::Sim(socket) => socket.receive(buffer, true).map(|(length, _)| length),
        }
    }

    pub(super) fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self {
            Io::Os(socket) => socket.recv_from(buffer),
            Io::Sim(socket) => socket.receive(buffer, true),
        }
    }

    pub(super) fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self {
            Io::Os(socket) => socket.peek_from(buffer),
            Io::Sim(socket) => socket.receive(buffer, false),
        }
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        either!(self, socket => socket.local_addr())
    }
}
