//! A socket, watched by the runtime's reactor or simulated.

use std::any::type_name;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::current;
use crate::executor::Executor;
use crate::reactor::{Direction, Readiness};
use crate::trace::{Event, Resource, Traced};

use super::io::Source;

/// A socket of the system's, registered with the reactor of its runtime while it lives.
///
/// What can be done with it depends on the kind of socket that it is: [`TcpStream`](super::TcpStream),
/// [`UdpSocket`](super::UdpSocket) and the other names of this module each stand for one kind.
pub struct Socket<S: Source> {
    io: S,
    readiness: Rc<Readiness>,
    executor: Rc<Executor>,
}

// ANCHOR: socket
impl<S: Source> Socket<S> {
    #[track_caller]
    pub(crate) fn new(mut io: S) -> io::Result<Socket<S>> {
        let executor = current::executor("a socket");
        let readiness = match io.simulated() {
            Some(socket) => socket.readiness(),
            None => executor.driver().reactor()?.register(&mut io)?,
        };
        executor.record(|recorder, at| {
            let (socket, by) = (readiness.resource(), recorder.actor());
            let kind = type_name::<S>().rsplit("::").next().unwrap_or_default().trim_end_matches('>');
            recorder.push(at, Event::SocketOpened { socket, by, kind });
        });
        Ok(Socket { io, readiness, executor })
    }
    // ANCHOR_END: socket

    pub(super) fn io(&self) -> &S {
        &self.io
    }

    pub(super) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(super) async fn ready(&self, direction: Direction) {
        poll_fn(|cx| self.awaited(self.readiness.poll_ready(cx, direction))).await;
    }

    // ANCHOR: poll
    /// Only its own runtime can wake who waits for a socket: anywhere else the wait would be for ever.
    fn awaited<T>(&self, polled: Poll<T>) -> Poll<T> {
        assert!(
            polled.is_ready() || current::is(&self.executor),
            "a socket was awaited outside of the runtime that it was made in, which alone can tell when it is \
             ready: await it inside that runtime's `block_on`, or in a task spawned there"
        );
        polled
    }

    /// An operation that says nothing about whether another one would block.
    pub(super) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.poll_io(cx, direction, operation, |_| false)
    }

    pub(super) fn poll_io<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
        drained: impl FnOnce(&T) -> bool,
    ) -> Poll<io::Result<T>> {
        self.awaited(self.readiness.poll_io(cx, direction, || operation(&self.io), drained))
    }

    pub(super) async fn wait<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        poll_fn(|cx| self.poll(cx, direction, &mut operation)).await
    }
}
// ANCHOR_END: poll

// ANCHOR: drop
impl<S: Source> Drop for Socket<S> {
    fn drop(&mut self) {
        // One that is simulated closes itself.
        if let Ok(reactor) = self.executor.driver().reactor() {
            reactor.deregister(&mut self.io, &self.readiness);
        }
        self.executor.record(|recorder, at| {
            let (socket, by) = (self.readiness.resource(), recorder.actor());
            recorder.push(at, Event::SocketClosed { socket, by });
        });
    }
}
// ANCHOR_END: drop

impl<S: Source + fmt::Debug> fmt::Debug for Socket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.fmt(f)
    }
}

impl<S: Source> Traced for Socket<S> {
    fn resource(&self) -> Resource {
        self.readiness.resource()
    }
}

#[cfg(unix)]
impl<S: Source + std::os::fd::AsFd> std::os::fd::AsFd for Socket<S> {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.io.as_fd()
    }
}

/// Says what was attempted, and with which address: "connect to 127.0.0.1:9: Connection refused".
pub(super) fn naming(what: &str, address: impl fmt::Display) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), Named { what: format!("{what} {address}"), error })
}

/// Keeps the system's own error as the source: its number tells more than its kind.
#[derive(Debug)]
struct Named {
    what: String,
    error: io::Error,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.error)
    }
}

impl std::error::Error for Named {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::super::io::Io;
    use super::*;

    /// Closing a descriptor has the system forget it, mostly; the reactor must be told in any case.
    #[test]
    fn a_socket_that_is_dropped_is_not_watched_any_more() {
        crate::block_on(async {
            let executor = current::executor("this test");
            let reactor = executor.driver().reactor().unwrap();
            for _ in 0..10 {
                let address = "127.0.0.1:0".parse().unwrap();
                let socket = Socket::new(Io::<mio::net::UdpSocket>::bind(address).unwrap()).unwrap();
                assert_eq!(reactor.len(), 1);
                drop(socket);
                assert_eq!(reactor.len(), 0);
            }
        });
    }
}
