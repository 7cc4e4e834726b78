//! Sockets that accept connections: the same for TCP and for Unix sockets.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use mio::event::Source;

use crate::reactor::{Direction, Place};
use crate::time::{Instant, Sleep, sleep_until};
use crate::trace::{Resource, Traced};

use super::io::Io;
use super::socket::{Socket, naming};

/// How long to wait, when the system had no descriptor or no memory for a connection, before asking it again.
const BACK_OFF: Duration = Duration::from_millis(50);

/// What is particular to a kind of listener.
pub trait Listening: Source + Sized {
    type Stream: Source;
    /// Printed as Rust would write it, which for an address of the internet is as everybody does.
    type Address: fmt::Debug;

    /// A connection that is not registered yet.
    fn accept(io: &Io<Self>) -> io::Result<Unwatched<Self>>;
    fn local_addr(io: &Io<Self>) -> io::Result<Self::Address>;
}

impl Listening for mio::net::TcpListener {
    type Stream = mio::net::TcpStream;
    type Address = std::net::SocketAddr;

    fn accept(io: &Io<Self>) -> io::Result<Unwatched<Self>> {
        io.accept()
    }

    fn local_addr(io: &Io<Self>) -> io::Result<Self::Address> {
        io.local_addr()
    }
}

#[cfg(unix)]
impl Listening for mio::net::UnixListener {
    type Stream = mio::net::UnixStream;
    type Address = std::os::unix::net::SocketAddr;

    fn accept(io: &Io<Self>) -> io::Result<Unwatched<Self>> {
        io.os().accept().map(|(stream, address)| (Io::Os(stream), address))
    }

    fn local_addr(io: &Io<Self>) -> io::Result<Self::Address> {
        io.os().local_addr()
    }
}

/// A connection, and where it comes from.
type Accepted<L> = (Socket<<L as Listening>::Stream>, <L as Listening>::Address);
type Unwatched<L> = (Io<<L as Listening>::Stream>, <L as Listening>::Address);

/// What is in a `TcpListener` or a `UnixListener`.
pub struct Listener<L: Source> {
    socket: Socket<L>,
    /// After an error that would come again at once, no call asks the system before this moment.
    not_before: Cell<Option<Instant>>,
    /// Those who wait for it.
    sleeps: Cell<Vec<Sleep>>,
}

impl<L: Listening> Listener<L> {
    pub(super) fn new(listener: Io<L>) -> io::Result<Listener<L>> {
        let socket = Socket::watch(listener)?;
        Ok(Listener { socket, not_before: Cell::new(None), sleeps: Cell::default() })
    }

    fn poll_accept_at(
        &self,
        cx: &mut Context<'_>,
        place: Option<&mut Place<'_>>,
    ) -> Poll<io::Result<Accepted<L>>> {
        let (stream, address) = ready!(self.poll_accept_raw(cx, place))?;
        let stream = Socket::watch(stream).inspect_err(|_| self.back_off());
        Poll::Ready(self.naming(stream).map(|stream| (stream, address)))
    }

    /// The connection not yet registered with a reactor, so that another runtime can take it.
    pub(crate) fn poll_accept_raw(
        &self,
        cx: &mut Context<'_>,
        place: Option<&mut Place<'_>>,
    ) -> Poll<io::Result<Unwatched<L>>> {
        self.poll_by(cx, place, L::accept).map(|accepted| self.naming(accepted))
    }

    /// A place to wait, for a future that accepts.
    pub(crate) fn place(&self) -> Place<'_> {
        self.socket.readiness.place(Direction::Read)
    }

    // ANCHOR: accept
    fn poll_by<T>(
        &self,
        cx: &mut Context<'_>,
        place: Option<&mut Place<'_>>,
        accept: impl Fn(&Io<L>) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        ready!(self.poll_back_off(cx));
        let accept = |listener: &Io<L>| loop {
            match accept(listener) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                result => return result,
            }
        };
        let accepted = ready!(self.socket.poll(cx, Direction::Read, place, accept));
        Poll::Ready(accepted.inspect_err(|_| self.back_off()))
    }

    /// Has the next calls wait: an error may come again at once, because what caused it is still there.
    fn back_off(&self) {
        self.not_before.set(Some(Instant::now() + BACK_OFF));
    }

    /// Drops the timers that have fired. One that has not fired still has to wake its task.
    fn forget_fired(&self) {
        let mut sleeps = self.sleeps.take();
        sleeps.retain(|sleep| !sleep.is_elapsed());
        if !sleeps.is_empty() {
            self.sleeps.set(sleeps);
        }
    }

    /// A timer has one waker. So each poll gets a timer of its own, and none of several tasks is forgotten.
    fn poll_back_off(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(moment) = self.not_before.get() else { return Poll::Ready(()) };
        let mut sleep = sleep_until(moment);
        let polled = Pin::new(&mut sleep).poll(cx);
        if polled.is_ready() {
            self.not_before.set(None);
            self.forget_fired();
        } else {
            let mut sleeps = self.sleeps.take();
            sleeps.push(sleep);
            self.sleeps.set(sleeps);
        }
        polled
    }
    // ANCHOR_END: accept

    /// Names the address in an error.
    fn naming<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| match L::local_addr(&self.socket.io) {
            Ok(address) => naming("accept at", format_args!("{address:?}"))(error),
            Err(_) => error,
        })
    }
}

impl<L: Source + fmt::Debug> fmt::Debug for Listener<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

/// The connections that a listener accepts: [`incoming`](super::TcpListener::incoming).
pub struct Incoming<'a, L = super::TcpListener> {
    listener: &'a L,
    place: Place<'a>,
}

impl<L: fmt::Debug> fmt::Debug for Incoming<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("listener", self.listener).finish()
    }
}

/// What a `TcpListener` and a `UnixListener` have.
macro_rules! listener {
    ($kind:ident, $stream:ident, $address:ty) => {
        use super::{$kind, $stream};

        impl $kind {
            /// Waits for a connection. A connection that was gone before it was accepted is passed over.
            ///
            /// After any other error, mostly that the system has no descriptor or no memory left, the *next* call waits
            /// 50 ms before it asks again: a server that logs the error and goes on accepting neither spins nor stays
            /// deaf, and the connection that met the error is served then.
            ///
            /// Cancel safety: dropping this future loses no connection.
            ///
            /// # Errors
            /// Those of the system, naming the listener's address. None need be the listener's end: Linux also hands
            /// out here what the network has done to the connection.
            ///
            /// # Examples
            /// ```
            /// use cotask::net::{TcpListener, TcpStream};
            ///
            /// # cotask::block_on(async {
            /// let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// let client = TcpStream::connect(listener.local_addr()?).await?;
            /// let (_server, address) = listener.accept().await?;
            /// assert_eq!(address, client.local_addr()?);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub async fn accept(&self) -> io::Result<($stream, $address)> {
                let mut place = self.0.place();
                poll_fn(|cx| self.0.poll_accept_at(cx, Some(&mut place)))
                    .await
                    .map(|(stream, address)| ($stream(stream), address))
            }

            /// [`accept`](Self::accept), to be polled by hand.
            ///
            /// # Examples
            /// ```
            /// use cotask::net::TcpListener;
            /// use std::future::poll_fn;
            ///
            /// # cotask::block_on(async {
            /// let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// let nobody = poll_fn(|cx| std::task::Poll::Ready(listener.poll_accept(cx))).await;
            /// assert!(nobody.is_pending());
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<($stream, $address)>> {
                self.0.poll_accept_at(cx, None).map_ok(|(stream, address)| ($stream(stream), address))
            }

            /// The connections as a stream, which never ends by itself.
            ///
            /// # Examples
            /// ```
            /// use cotask::net::{TcpListener, TcpStream};
            /// use futures::StreamExt;
            ///
            /// # cotask::block_on(async {
            /// let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// let _client = TcpStream::connect(listener.local_addr()?).await?;
            /// let first = listener.incoming().next().await.unwrap()?;
            /// assert!(first.peer_addr()?.ip().is_loopback());
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn incoming(&self) -> Incoming<'_, $kind> {
                Incoming { listener: self, place: self.0.place() }
            }

            /// The address it listens at.
            ///
            /// # Errors
            /// Those of the system.
            ///
            /// # Examples
            /// ```
            /// # cotask::block_on(async {
            /// let listener = cotask::net::TcpListener::bind("127.0.0.1:0").await?;
            /// assert_ne!(listener.local_addr()?.port(), 0);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn local_addr(&self) -> io::Result<$address> {
                Listening::local_addr(&self.0.socket.io)
            }
        }

        impl futures::Stream for Incoming<'_, $kind> {
            type Item = io::Result<$stream>;

            fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                let Incoming { listener, place } = &mut *self;
                let accepted = listener.0.poll_accept_at(cx, Some(place));
                accepted.map(|accepted| Some(accepted.map(|(stream, _)| $stream(stream))))
            }
        }

        impl Traced for $kind {
            fn resource(&self) -> Resource {
                self.0.socket.readiness.resource()
            }
        }
    };
}

listener!(TcpListener, TcpStream, std::net::SocketAddr);
#[cfg(unix)]
listener!(UnixListener, UnixStream, std::os::unix::net::SocketAddr);

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::poll_fn;
    use std::rc::Rc;

    use super::*;

    fn scripted(results: Vec<io::Result<u32>>) -> Vec<Result<u32, io::ErrorKind>> {
        crate::block_on(async {
            let listener =
                Listener::new(Io::<mio::net::TcpListener>::listen("127.0.0.1:0".parse().unwrap()).unwrap());
            let listener = listener.unwrap();
            let calls = results.iter().filter(|result| !passed_over(result)).count();
            let results = RefCell::new(results.into_iter());
            let mut told = Vec::new();
            for _ in 0..calls {
                let accept = |_: &Io<mio::net::TcpListener>| results.borrow_mut().next().unwrap();
                let accepted = poll_fn(|cx| listener.poll_by(cx, None, accept)).await;
                told.push(accepted.map_err(|error| error.kind()));
            }
            assert!(results.borrow_mut().next().is_none(), "not all was asked for");
            told
        })
    }

    fn passed_over(result: &io::Result<u32>) -> bool {
        let kinds = [io::ErrorKind::ConnectionAborted, io::ErrorKind::Interrupted];
        result.as_ref().is_err_and(|error| kinds.contains(&error.kind()))
    }

    /// Loopback does not abort connections before they are accepted: here the system's answers are made up.
    #[test]
    fn a_connection_that_is_gone_is_passed_over() {
        use io::ErrorKind::{ConnectionAborted, Interrupted};

        let told = scripted(vec![
            Err(ConnectionAborted.into()),
            Err(ConnectionAborted.into()),
            Ok(1),
            Err(Interrupted.into()),
            Err(ConnectionAborted.into()),
            Ok(2),
        ]);
        assert_eq!(told, [Ok(1), Ok(2)]);
    }

    #[test]
    fn after_another_error_the_next_call_waits() {
        let start = crate::time::Instant::now();
        let told = scripted(vec![Err(io::ErrorKind::HostUnreachable.into()), Ok(1), Ok(2)]);
        assert_eq!(told, [Err(io::ErrorKind::HostUnreachable), Ok(1), Ok(2)]);
        assert!(start.elapsed() >= BACK_OFF);
    }

    /// A timer has room for one waker, and several tasks may accept here.
    #[test]
    fn after_an_error_every_task_that_accepts_is_woken() {
        crate::block_on(async {
            let listener =
                Listener::new(Io::<mio::net::TcpListener>::listen("127.0.0.1:0".parse().unwrap()).unwrap());
            let script = vec![Err(io::ErrorKind::HostUnreachable.into()), Ok(1), Ok(2)].into_iter();
            let shared = Rc::new((listener.unwrap(), RefCell::new(script)));
            let accept = || {
                let shared = Rc::clone(&shared);
                async move {
                    let (listener, script) = &*shared;
                    let next = |_: &Io<mio::net::TcpListener>| script.borrow_mut().next().unwrap();
                    poll_fn(|cx| listener.poll_by(cx, None, next)).await
                }
            };
            accept().await.unwrap_err();
            let tasks = [crate::spawn(accept()), crate::spawn(accept())];
            for (number, task) in tasks.into_iter().enumerate() {
                let accepted = crate::time::timeout(Duration::from_secs(60), task).await;
                assert_eq!(accepted.expect("its wake is lost").unwrap().unwrap(), number + 1);
            }
        });
    }
}
