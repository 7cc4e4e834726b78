//! Sockets that accept connections: the same for TCP and for Unix sockets.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::base::os::{self, Source};

use crate::executor::reactor::Place;
use crate::executor::ready::Direction;
use crate::time::{Instant, Sleep, sleep_until};

use super::error::naming;
use super::io::Io;
use super::socket::Socket;

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

impl Listening for os::TcpListener {
    type Stream = os::TcpStream;
    type Address = std::net::SocketAddr;

    fn accept(io: &Io<Self>) -> io::Result<Unwatched<Self>> {
        io.accept()
    }

    fn local_addr(io: &Io<Self>) -> io::Result<Self::Address> {
        io.local_addr()
    }
}

#[cfg(unix)]
impl Listening for os::UnixListener {
    type Stream = os::UnixStream;
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
    pub(super) socket: Socket<L>,
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

    pub(super) fn poll_accept_at(
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::poll_fn;
    use std::rc::Rc;

    use super::*;

    fn scripted(results: Vec<io::Result<u32>>) -> Vec<Result<u32, io::ErrorKind>> {
        crate::block_on(async {
            let listener =
                Listener::new(Io::<os::TcpListener>::listen("127.0.0.1:0".parse().unwrap()).unwrap());
            let listener = listener.unwrap();
            let calls = results.iter().filter(|result| !passed_over(result)).count();
            let results = RefCell::new(results.into_iter());
            let mut told = Vec::new();
            for _ in 0..calls {
                let accept = |_: &Io<os::TcpListener>| results.borrow_mut().next().unwrap();
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
                Listener::new(Io::<os::TcpListener>::listen("127.0.0.1:0".parse().unwrap()).unwrap());
            let script = vec![Err(io::ErrorKind::HostUnreachable.into()), Ok(1), Ok(2)].into_iter();
            let shared = Rc::new((listener.unwrap(), RefCell::new(script)));
            let accept = || {
                let shared = Rc::clone(&shared);
                async move {
                    let (listener, script) = &*shared;
                    let next = |_: &Io<os::TcpListener>| script.borrow_mut().next().unwrap();
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
