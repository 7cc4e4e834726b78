//! The one place that chooses between the system's sockets and simulated ones.
//!
//! All above is the same for both: readiness, wakers, futures. An operation looks once which it has.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;

use crate::base::os::{TcpListener, TcpStream, UdpSocket};
use crate::sim::{self, SimSocket, World};

/// A socket of the system, or one of a [simulation](crate::sim).
pub enum Io<S> {
    /// The system's.
    Os(S),
    /// A simulated one.
    Sim(SimSocket),
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

    /// The system's socket.
    ///
    /// # Panics
    /// When it is simulated: then there is none.
    #[cfg(unix)]
    pub(super) fn os(&self) -> &S {
        match self {
            Io::Os(socket) => socket,
            Io::Sim(socket) => panic!("{socket:?} is simulated and has no descriptor"),
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

impl<S: fmt::Debug> fmt::Debug for Io<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Io::Os(socket) => socket.fmt(f),
            Io::Sim(socket) => socket.fmt(f),
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

/// The methods of these names, which both have.
macro_rules! both {
    ($($method:ident($($argument:ident: $type:ty),*) -> $output:ty;)*) => {$(
        pub(super) fn $method(&self, $($argument: $type),*) -> io::Result<$output> {
            either!(self, socket => socket.$method($($argument),*))
        }
    )*};
}

impl Io<TcpStream> {
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        Io::make(|| TcpStream::connect(address), |world| SimSocket::stream(world, address))
    }

    both! {
        shutdown(how: Shutdown) -> ();
        take_error() -> Option<io::Error>;
        peek(buffer: &mut [u8]) -> usize;
        nodelay() -> bool;
        set_nodelay(nodelay: bool) -> ();
        local_addr() -> SocketAddr;
        peer_addr() -> SocketAddr;
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

    both! {
        local_addr() -> SocketAddr;
    }
}

impl Io<UdpSocket> {
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        Io::make(|| UdpSocket::bind(address), |world| SimSocket::udp(world, address))
    }

    both! {
        connect(address: SocketAddr) -> ();
        send(datagram: &[u8]) -> usize;
        send_to(datagram: &[u8], to: SocketAddr) -> usize;
        recv(buffer: &mut [u8]) -> usize;
        recv_from(buffer: &mut [u8]) -> (usize, SocketAddr);
        peek_from(buffer: &mut [u8]) -> (usize, SocketAddr);
        local_addr() -> SocketAddr;
    }
}
