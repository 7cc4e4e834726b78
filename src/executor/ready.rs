//! What an event says of a source, and what a task wants of one.

use crate::base::os;

use crate::trace::{Event, Resource};

// ANCHOR: ready
/// What became possible. The system's poller reports it, or a simulated network.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ready {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The peer writes no more. An error sets this and `write_closed`: readers and writers must retry and get it.
    pub(crate) read_closed: bool,
    pub(crate) write_closed: bool,
    pub(crate) urgent: bool,
}

/// What a task wants to do with a source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// To take something out, or to accept.
    Read,
    /// To put something in, or to connect.
    Write,
}
// ANCHOR_END: ready

impl Ready {
    /// The same for a trace.
    pub(crate) fn event(self, socket: Resource) -> Event {
        let Ready { readable, writable, .. } = self;
        Event::SocketReady { socket, readable, writable, closed: self.read_closed || self.write_closed }
    }
}

impl From<&os::Event> for Ready {
    fn from(event: &os::Event) -> Ready {
        Ready {
            readable: event.is_readable(),
            writable: event.is_writable(),
            read_closed: event.is_read_closed() || event.is_error(),
            write_closed: event.is_write_closed() || event.is_error(),
            urgent: event.is_priority(),
        }
    }
}
