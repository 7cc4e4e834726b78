//! How a listener accepts: the same for TCP and for Unix sockets.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use mio::event;

use crate::reactor::Direction;
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
