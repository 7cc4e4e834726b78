//! A socket, watched by the runtime's reactor or simulated.

use std::any::type_name;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use mio::event::Source;

use crate::current;
use crate::executor::Executor;
use crate::reactor::{Direction, Place, Readiness};
use crate::trace::{Event, Resource, Traced};

use super::io::Io;

/// A socket of the system's, registered with the reactor of its runtime while it lives.
///
/// What a user has is a `TcpStream`, a `UdpSocket` or another kind: a type of its own around this one, so that messages
/// of the compiler name what was written. [`socket!`] writes what all of them have.
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
            Io::Os(source) => executor.driver().reactor()?.register(source)?,
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
        current::executor("a socket").driver().reactor()?;
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
        if let (Io::Os(source), Ok(reactor)) = (&mut self.io, self.executor.driver().reactor()) {
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

/// What every kind of socket has.
macro_rules! socket {
    ([$($generics:tt)*] $kind:ty) => {
        /// For operations that this crate does not know: wait, try, and wait again when the try says `WouldBlock`.
        impl<$($generics)*> $kind {
            /// Waits until a read would not block. It may do so all the same: then the try says `WouldBlock`, and one
            /// waits again. A socket that is new counts as ready until a try has said so: without one, this says
            /// nothing of it.
            ///
            /// Cancel safety: dropping this future loses nothing.
            ///
            /// # Panics
            /// When it has to wait and is not in the runtime that the socket was made in.
            ///
            /// # Examples
            /// ```
            /// # use cotask::net::{TcpListener, TcpStream};
            /// # cotask::block_on(async {
            /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// # let client = TcpStream::connect(listener.local_addr()?).await?;
            /// # let (server, _) = listener.accept().await?;
            /// server.try_write(b"x")?;
            /// client.readable().await;
            /// assert_eq!(client.try_read(&mut [0; 8])?, 1);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub async fn readable(&self) {
                self.0.ready(Direction::Read).await;
            }

            /// Waits until a write would not block, as [`readable`](Self::readable) does for a read.
            ///
            /// # Panics
            /// When it has to wait and is not in the runtime that the socket was made in.
            ///
            /// # Examples
            /// ```
            /// # use cotask::net::{TcpListener, TcpStream};
            /// # cotask::block_on(async {
            /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// # let client = TcpStream::connect(listener.local_addr()?).await?;
            /// client.writable().await;
            /// assert_eq!(client.try_write(b"x")?, 1);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub async fn writable(&self) {
                self.0.ready(Direction::Write).await;
            }

            /// [`readable`](Self::readable), to be polled by hand. Each waker that it is polled with is woken, now and then more than once.
            ///
            /// A future of this crate removes its waker when it is dropped; a caller that polls by hand cannot. So
            /// when more than 1,024 wakers that wake different tasks wait in this way, all of them are woken early.
            ///
            /// # Panics
            /// When it has to wait and is not in the runtime that the socket was made in.
            ///
            /// # Examples
            /// ```
            /// use std::future::poll_fn;
            /// use std::task::Poll;
            ///
            /// # cotask::block_on(async {
            /// let socket = cotask::net::UdpSocket::bind("127.0.0.1:0").await?;
            /// let mut buffer = [0; 16];
            /// // A socket that is new counts as ready. A receive finds nothing; from then on it is not.
            /// let nothing = poll_fn(|cx| Poll::Ready(socket.poll_recv_from(cx, &mut buffer)));
            /// assert!(nothing.await.is_pending());
            /// assert!(poll_fn(|cx| Poll::Ready(socket.poll_read_ready(cx))).await.is_pending());
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
                self.0.poll_ready(cx, Direction::Read)
            }

            /// [`writable`](Self::writable), to be polled by hand, as [`poll_read_ready`](Self::poll_read_ready) is
            /// for a read.
            ///
            /// # Panics
            /// When it has to wait and is not in the runtime that the socket was made in.
            ///
            /// # Examples
            /// ```
            /// # cotask::block_on(async {
            /// let socket = cotask::net::UdpSocket::bind("127.0.0.1:0").await?;
            /// std::future::poll_fn(|cx| socket.poll_write_ready(cx)).await;
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
                self.0.poll_ready(cx, Direction::Write)
            }

            /// Does an operation of your own, once, whether the socket is believed to be ready or not. When the
            /// operation returns `WouldBlock`, the socket no longer counts as ready in this direction, and a task can
            /// wait for it.
            ///
            /// Any other result changes nothing: an operation that transferred less than it was asked to does not
            /// show here that the next one would block.
            ///
            /// # Errors
            /// Those of the operation. It must return `WouldBlock` only when the system has returned it for this very
            /// socket, and for what this direction waits for. After a false one a task may wait forever: a call that
            /// asks for urgent data, for example, blocks while there are ordinary bytes to read.
            ///
            /// # Examples
            /// ```
            /// use cotask::net::{Direction, UdpSocket};
            /// use std::io::ErrorKind;
            ///
            /// # cotask::block_on(async {
            /// // The same socket twice, so that one can be asked for what the other does not offer.
            /// let std = std::net::UdpSocket::bind("127.0.0.1:0")?;
            /// let socket = UdpSocket::from_std(std.try_clone()?)?;
            /// let peek = || socket.try_io(Direction::Read, || std.peek(&mut [0; 16]));
            /// assert_eq!(peek().unwrap_err().kind(), ErrorKind::WouldBlock);
            ///
            /// socket.send_to(b"to myself", socket.local_addr()?).await?;
            /// socket.readable().await;
            /// assert_eq!(peek()?, 9);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn try_io<T>(
                &self,
                direction: Direction,
                operation: impl FnOnce() -> io::Result<T>,
            ) -> io::Result<T> {
                self.0.readiness.try_io(direction, operation)
            }
        }

        impl<$($generics)*> Traced for $kind {
            fn resource(&self) -> Resource {
                self.0.readiness.resource()
            }
        }

        /// For options and operations that this crate does not know.
        ///
        /// From then on the runtime does not rely on a short read or write to show that the next one would block,
        /// because the user can change what it means. On Linux that costs a stream one more system call for each wait.
        #[cfg(unix)]
        impl<$($generics)*> std::os::fd::AsFd for $kind {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.0.readiness.lend();
                self.0.io.os().as_fd()
            }
        }
    };
}

socket!([] super::TcpStream);
socket!([] super::UdpSocket);
#[cfg(unix)]
socket!([] super::UnixStream);
#[cfg(unix)]
socket!([] super::UnixDatagram);
#[cfg(unix)]
socket!([F: std::os::fd::AsFd] super::AsyncFd<F>);

/// Says what was attempted, with which address, and why it failed: "connect to 127.0.0.1:9: Connection refused".
pub(super) fn naming(what: &str, address: impl fmt::Display) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), Named { what: format!("{what} {address}"), error })
}

/// The message has the reason in it. So the system's error is not the source as well: what prints an error with its
/// sources would say the reason twice. [`raw_os_error`] finds it.
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
        self.error.source()
    }
}

/// The system's number of an error that a function of this module returned, as [`io::Error::raw_os_error`] has it; also
/// of an error that names an address. The number says more than the kind: there is none for "too many open files".
///
/// # Examples
/// ```
/// # cotask::block_on(async {
/// let error = cotask::net::UnixStream::connect("/no/such/socket").await.unwrap_err();
/// assert_eq!(error.to_string(), "connect to /no/such/socket: No such file or directory (os error 2)");
/// assert_eq!(cotask::net::raw_os_error(&error), Some(2));
/// # });
/// ```
pub fn raw_os_error(error: &io::Error) -> Option<i32> {
    let named = error.get_ref().and_then(|inner| inner.downcast_ref::<Named>());
    named.map_or(error, |named| &named.error).raw_os_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closing a descriptor mostly makes the system forget it; the reactor must forget it in any case.
    #[test]
    fn a_socket_that_is_dropped_is_not_watched_any_more() {
        crate::block_on(async {
            let executor = current::executor("this test");
            let reactor = executor.driver().reactor().unwrap();
            for _ in 0..10 {
                let address = "127.0.0.1:0".parse().unwrap();
                let socket = Socket::watch(Io::<mio::net::UdpSocket>::bind(address).unwrap()).unwrap();
                assert_eq!(reactor.len(), 1);
                drop(socket);
                assert_eq!(reactor.len(), 0);
            }
        });
    }
}
