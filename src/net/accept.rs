//! How a listener accepts: the same for TCP and for Unix sockets.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use mio::event;

use crate::reactor::{Direction, Readiness};
use crate::time::{Sleep, sleep};

use super::source::Source;

/// How long to wait, when the system had no descriptor or no memory for a connection, before asking it again.
const BACK_OFF: Duration = Duration::from_millis(50);

/// A listening socket.
pub(super) struct Listener<S: event::Source> {
    source: Source<S>,
    /// Runs after an error that would come again at once.
    back_off: Cell<Option<Sleep>>,
}

impl<S: event::Source> Listener<S> {
    pub(super) fn new(listener: S) -> io::Result<Listener<S>> {
        Ok(Listener { source: Source::new(listener)?, back_off: Cell::new(None) })
    }

    pub(super) fn io(&self) -> &S {
        self.source.io()
    }

    pub(super) fn readiness(&self) -> &Readiness {
        self.source.readiness()
    }

    /// The next connection. One that was gone before it was accepted is passed over.
    pub(super) fn poll_accept<T>(
        &self,
        cx: &mut Context<'_>,
        accept: impl Fn(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        if let Some(mut sleep) = self.back_off.take()
            && Pin::new(&mut sleep).poll(cx).is_pending()
        {
            self.back_off.set(Some(sleep));
            return Poll::Pending;
        }
        let accepted = ready!(self.source.poll(cx, Direction::Read, |listener| loop {
            match accept(listener) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                result => return result,
            }
        }));
        Poll::Ready(accepted.inspect_err(|_| self.back_off()))
    }

    /// Has the next call wait: an error may come again at once, since what caused it is still there.
    pub(super) fn back_off(&self) {
        self.back_off.set(Some(sleep(BACK_OFF)));
    }
}

impl<S: event::Source + fmt::Debug> fmt::Debug for Listener<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::poll_fn;

    use super::*;

    fn scripted(results: Vec<io::Result<u32>>) -> Vec<Result<u32, io::ErrorKind>> {
        crate::block_on(async {
            let listener =
                Listener::new(mio::net::TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap());
            let listener = listener.unwrap();
            let calls = results.iter().filter(|result| !passed_over(result)).count();
            let results = RefCell::new(results.into_iter());
            let mut told = Vec::new();
            for _ in 0..calls {
                let accept = |_: &mio::net::TcpListener| results.borrow_mut().next().unwrap();
                told.push(poll_fn(|cx| listener.poll_accept(cx, accept)).await.map_err(|error| error.kind()));
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
}
