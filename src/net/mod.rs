//! Sockets whose operations are futures.
//!
//! Reading and writing is through the traits of [`futures::io`]; import `futures::{AsyncReadExt,
//! AsyncWriteExt}` for `read_exact`, `write_all` and the like. Every error that comes from making a socket
//! names the operation, the address and the reason, and has no source that says the reason again; [`raw_os_error`] finds
//! the system's number.
//!
//! A socket belongs to the runtime that it was made in. One task may read from it while another writes, and several
//! tasks may wait for the same direction: an event wakes each of them, and each tries again. Which of them receives
//! which bytes is not defined. A connection or a datagram goes to one of them, whole.

mod addr;
mod error;
#[cfg(unix)]
mod fd;
mod io;
mod listener;
mod listener_api;
mod socket;
mod socket_api;
mod stream;
mod stream_api;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

pub(crate) use io::Io;

pub use crate::executor::ready::Direction;
pub use addr::{ToSocketAddrs, lookup_host};
pub use error::raw_os_error;
#[cfg(unix)]
pub use fd::AsyncFd;
pub use listener_api::Incoming;
pub use stream_api::{OwnedReadHalf, OwnedWriteHalf};
pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;
#[cfg(unix)]
pub use unix::{UnixDatagram, UnixListener, UnixStream};
