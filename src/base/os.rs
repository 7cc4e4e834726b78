//! The door to the system: all that the kit uses of mio, and the one place that names it.

pub(crate) use mio::event::{Event, Source};
pub(crate) use mio::net::{TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
pub(crate) use mio::net::{UnixDatagram, UnixListener, UnixStream};
#[cfg(unix)]
pub(crate) use mio::unix::SourceFd;
pub(crate) use mio::{Events, Interest, Poll, Registry, Token, Waker};
