//! A socket, watched by the runtime's reactor or simulated.

use std::any::type_name;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::base::os::Source;

use crate::executor::Executor;
use crate::executor::current;
use crate::executor::reactor::{Place, Readiness};
use crate::executor::ready::Direction;
use crate::trace::Event;

use super::io::Io;

/// A socket of the system's, registered with the reactor of its runtime while it lives.
///
/// What a user has is a `TcpStream`, a `UdpSocket` or another kind: a type of its own around this one, so that messages
/// of the compiler name what was written. `socket_api` has what all of them have.
pub struct Socket<S: Source> {
    pub(super) io: Io<S>,
    pub(super) readiness: Rc<Readiness>,
    executor: Rc<Executor>,
}

// ANCHOR: socket
impl<S: Source> Socket<S> {
    #[track_caller]
    pub(crate) fn watch(mut io: Io<S>) -> io::Result<Socket<S>> {
        let executor = current::executor("a socket");
        let readiness = match &mut io {
            Io::Sim(socket) => socket.readiness(),
            Io::Os(source) => executor.driver.reactor()?.register(source)?,
        };
        executor.record(|recorder| {
            let (socket, by) = (readiness.resource(), recorder.actor());
            let kind = type_name::<S>().rsplit("::").next().unwrap_or_default().trim_end_matches('>');
            recorder.push(Event::SocketOpened { socket, by, kind });
            if let Io::Sim(simulated) = &io {
                recorder.push(Event::Named { resource: socket, name: simulated.title().into() });
            }
        });
        Ok(Socket { io, readiness, executor })
    }
    // ANCHOR_END: socket

    /// A socket of a kind that no simulation has. In one, nothing is asked of the system.
    pub(super) fn of_the_system(make: impl FnOnce() -> io::Result<S>) -> io::Result<Io<S>> {
        current::executor("a socket").driver.reactor()?;
        make().map(Io::Os)
    }

    /// Takes over a socket that the user made, and of which they may keep a second descriptor.
    #[track_caller]
    pub(super) fn adopt(socket: S) -> io::Result<Socket<S>> {
        let socket = Socket::watch(Io::Os(socket))?;
        socket.readiness.lend();
        Ok(socket)
    }

    // ANCHOR: poll
    /// Only its own runtime can wake a task that waits for a socket: on any other, the wait would never end.
    fn awaited<T>(&self, polled: Poll<T>) -> Poll<T> {
        assert!(
            polled.is_ready() || current::is(|here| Rc::ptr_eq(here, &self.executor)),
            "a socket was awaited outside of the runtime that it was made in, which alone can tell when it is \
             ready: await it inside that runtime's `block_on`, or in a task spawned there"
        );
        polled
    }

    pub(super) fn poll_io<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut operation: impl FnMut(&Io<S>) -> io::Result<T>,
        drained: impl FnOnce(&T) -> bool,
    ) -> Poll<io::Result<T>> {
        self.awaited(self.readiness.poll_io(cx, direction, None, || operation(&self.io), drained))
    }

    /// An operation that says nothing about whether another one would block. A future waits in its place.
    pub(super) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        place: Option<&mut Place<'_>>,
        mut operation: impl FnMut(&Io<S>) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.awaited(self.readiness.poll_io(cx, direction, place, || operation(&self.io), |_| false))
    }

    pub(super) async fn wait<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&Io<S>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut place = self.readiness.place(direction);
        poll_fn(|cx| self.poll(cx, direction, Some(&mut place), &mut operation)).await
    }

    pub(super) async fn ready(&self, direction: Direction) {
        let mut place = self.readiness.place(direction);
        poll_fn(|cx| self.awaited(self.readiness.poll_ready(cx, direction, Some(&mut place)))).await;
    }

    pub(super) fn poll_ready(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<()> {
        self.awaited(self.readiness.poll_ready(cx, direction, None))
    }
}
// ANCHOR_END: poll

// ANCHOR: drop
impl<S: Source> Drop for Socket<S> {
    fn drop(&mut self) {
        // One that is simulated closes itself.
        if let (Io::Os(source), Ok(reactor)) = (&mut self.io, self.executor.driver.reactor()) {
            reactor.deregister(source, &self.readiness);
        }
        self.executor.record(|recorder| {
            let (socket, by) = (self.readiness.resource(), recorder.actor());
            recorder.push(Event::SocketClosed { socket, by });
        });
    }
}
// ANCHOR_END: drop

impl<S: Source + fmt::Debug> fmt::Debug for Socket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closing a descriptor mostly makes the system forget it; the reactor must forget it in any case.
    #[test]
    fn a_socket_that_is_dropped_is_not_watched_any_more() {
        crate::block_on(async {
            let executor = current::executor("this test");
            let reactor = executor.driver.reactor().unwrap();
            for _ in 0..10 {
                let address = "127.0.0.1:0".parse().unwrap();
                let socket = Socket::watch(Io::<crate::base::os::UdpSocket>::bind(address).unwrap()).unwrap();
                assert_eq!(reactor.len(), 1);
                drop(socket);
                assert_eq!(reactor.len(), 0);
            }
        });
    }
}
