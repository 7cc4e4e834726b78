//! The reactor: readiness to wakers.
//!
//! A source (a socket, a pipe) is registered once with mio, for both directions, edge-triggered: the system reports
//! when a source *becomes* ready, and not again. So readiness is remembered here, in one flag per direction.
//! A flag is set by an event and cleared only when the system itself says that there is nothing more:
//!
//! ```text
//!                    the operation says WouldBlock,
//!                    or transferred less than asked
//!      +-------+ ------------------------------------> +-----------+
//!      | ready |                                       | not ready |
//!      +-------+ <------------------------------------ +-----------+
//!   at first: to try      an event of this direction:
//!   costs less than       wakes the waker that waits
//!   to ask
//! ```
//!
//! The trap is a short read. It shows that the socket is drained, and saves the system call that would return
//! `WouldBlock`. But when the peer has also closed, the end of the stream came with the *same* edge as the last
//! bytes. There will be no other edge, so a reader that cleared the flag would wait forever. So "closed" is sticky:
//! once an event has reported it, a short transfer clears nothing. The same holds for urgent data, at whose mark a
//! read stops short although more lies behind it.
//!
//! What an event reports is not enough, because the user may take it away first: a system call of their own that
//! takes the urgent byte also takes the mark out of the event, and the read still stops there. So a side is sticky as
//! well once the user has had the descriptor.
//!
//! Any number of tasks may wait for a direction, and an event wakes all of them ([`side`]).

// ANCHOR: fields
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use crate::base::os::{self, Events, Interest, Registry, Source, Token};

use crate::base::budget;
use crate::base::memory::Places;
use crate::trace::{self, Resource, Want};

use super::ready::{Direction, Ready};

mod side;

pub(crate) use side::Place;
use side::Sides;

/// The token of the waker that ends the thread's sleep.
const UNPARK: Token = Token(usize::MAX);
/// The poller counts in milliseconds in an `i32`. Waking once a day is no clock poll.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// Events taken from the system in one call.
const EVENTS: usize = 1024;
/// Whether a transfer that was shorter than asked means that the next would block. Under epoll it does, where
/// the event reports the exceptions. kqueue does not report urgent data; mio's other pollers rearm a source only
/// when an operation has really returned `WouldBlock`.
const SHORT_TRANSFER_DRAINS: bool = cfg!(any(target_os = "linux", target_os = "android"));

pub(crate) struct Reactor {
    poll: RefCell<os::Poll>,
    events: RefCell<Events>,
    registry: Registry,
    unpark: Arc<os::Waker>,
    /// Which source an event belongs to. A token is place and generation. An earlier event of the same batch may have
    /// had the place freed, or given to another source: then the token finds nothing.
    sources: RefCell<Places<Rc<Readiness>>>,
}

/// What is known of a source, and who waits for it.
pub(crate) struct Readiness {
    sides: Sides,
    token: Token,
}
// ANCHOR_END: fields

// ANCHOR: new
impl Reactor {
    /// # Errors
    /// When the system has no poller to give, mostly for want of descriptors.
    pub(crate) fn new() -> io::Result<Reactor> {
        let poll = os::Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let unpark = Arc::new(os::Waker::new(&registry, UNPARK)?);
        Ok(Reactor {
            poll: RefCell::new(poll),
            events: RefCell::new(Events::with_capacity(EVENTS)),
            registry,
            unpark,
            sources: RefCell::new(Places::new()),
        })
    }

    /// What ends the thread's sleep, from any thread. Other threads may keep it for long after the runtime's end;
    /// its descriptor does not wait for them (invariant 10).
    pub(crate) fn unparker(&self) -> Box<dyn Fn() + Send + Sync> {
        let unpark = Arc::downgrade(&self.unpark);
        Box::new(move || {
            if let Some(waker) = unpark.upgrade() {
                // An eventfd cannot fail to be written but by being full, and then the sleep ends all the same.
                let _ = waker.wake();
            }
        })
    }
    // ANCHOR_END: new

    // ANCHOR: register
    /// Starts to watch a source.
    pub(crate) fn register(&self, source: &mut impl Source) -> io::Result<Rc<Readiness>> {
        let (slot, generation) = self.sources.borrow_mut().next();
        let token = token(slot, generation);
        self.registry.register(source, token, interest())?;
        let readiness = Readiness::new(token, SHORT_TRANSFER_DRAINS);
        self.sources.borrow_mut().insert(Rc::clone(&readiness));
        Ok(readiness)
    }

    /// Stops to watch a source: first at the system, so that no event can come, then here.
    pub(crate) fn deregister(&self, source: &mut impl Source, readiness: &Readiness) {
        // The one way to fail is that the system does not know the descriptor any more.
        let _ = self.registry.deregister(source);
        self.sources.borrow_mut().remove(slot_of(readiness.token));
    }

    /// Sources watched.
    pub(crate) fn len(&self) -> usize {
        self.sources.borrow().len()
    }
    // ANCHOR_END: register

    // ANCHOR: wait
    /// Waits for events. `None` waits without end, zero not at all.
    ///
    /// May return early: when a signal arrives, when the wait is longer than a day, or when unparked.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        let mut events = self.events.borrow_mut();
        match self.poll.borrow_mut().poll(&mut events, timeout.map(|wait| wait.min(LONGEST_WAIT))) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Wakes the tasks that wait for the events that came. Calls `tell` for each event before it wakes its tasks.
    pub(crate) fn dispatch(&self, mut tell: impl FnMut(Resource, Ready)) {
        for event in self.events.borrow().iter() {
            let token = event.token();
            let source = self.sources.borrow().get(slot_of(token)).map(Rc::clone);
            if let Some(readiness) = source.filter(|readiness| readiness.token == token) {
                tell(readiness.resource(), event.into());
                readiness.note(event.into());
            }
        }
    }
}
// ANCHOR_END: wait

// ANCHOR: tokens
fn interest() -> Interest {
    let both = Interest::READABLE | Interest::WRITABLE;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let both = both | Interest::PRIORITY;
    both
}

fn token(slot: u32, generation: u32) -> Token {
    // 31 bits, so that no token is ever `UNPARK`.
    let generation = generation & (u32::MAX >> 1);
    Token((generation as usize) << 32 | slot as usize)
}

fn slot_of(token: Token) -> u32 {
    token.0 as u32
}
// ANCHOR_END: tokens

// ANCHOR: note
impl Readiness {
    fn new(token: Token, short_drains: bool) -> Rc<Readiness> {
        Rc::new(Readiness { sides: Sides::new(short_drains), token })
    }

    /// That of a simulated source, which no poller knows. On every system it behaves as under epoll.
    pub(crate) fn simulated(number: u32) -> Rc<Readiness> {
        Readiness::new(token(number, 0), true)
    }

    /// What its socket is in a trace.
    pub(crate) fn resource(&self) -> Resource {
        Resource::Socket(slot_of(self.token), (self.token.0 >> 32) as u32)
    }

    /// A place to wait, for a future of this crate.
    pub(crate) fn place(&self, direction: Direction) -> Place<'_> {
        Place::new(&self.sides, direction)
    }

    /// The user has the descriptor, and can change the socket in ways of which no event tells.
    pub(crate) fn lend(&self) {
        self.sides.sticky.iter().for_each(|sticky| sticky.set(true));
    }

    /// Takes note of an event.
    pub(crate) fn note(&self, event: Ready) {
        let (read, write) = (Direction::Read, Direction::Write);
        if event.read_closed || event.urgent {
            self.sides.sticky[read as usize].set(true);
        }
        if event.write_closed {
            self.sides.sticky[write as usize].set(true);
        }
        if event.readable || event.read_closed {
            self.sides.set_ready(read);
        }
        if event.writable || event.write_closed {
            self.sides.set_ready(write);
        }
    }
    // ANCHOR_END: note

    // ANCHOR: ready
    /// Has the system say first that the source is ready: for a connection that is still being made.
    pub(crate) fn clear_ready(&self, direction: Direction) {
        self.sides.ready[direction as usize].set(false);
    }

    /// Pending until the direction is ready. Does not clear it. A future waits in its place, of this direction; a
    /// function that is polled by hand has none.
    #[inline]
    pub(crate) fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        place: Option<&mut Place<'_>>,
    ) -> Poll<()> {
        ready!(budget::poll_proceed(cx));
        if self.sides.ready[direction as usize].get() {
            return Poll::Ready(());
        }
        self.wait_for(direction, cx.waker(), place);
        Poll::Pending
    }

    /// Out of line, so that the path of an operation that need not wait stays short.
    #[inline(never)]
    fn wait_for(&self, direction: Direction, waker: &Waker, place: Option<&mut Place<'_>>) {
        match place {
            None => self.sides.wait(direction, waker),
            Some(place) => place.wait(waker),
        }
        let want = [Want::Read, Want::Write][direction as usize];
        trace::here(|recorder| recorder.waits(self.resource(), want));
        budget::refund();
    }

    /// Does `operation` when the direction is ready, and again when it was interrupted. Pending when it would
    /// block. `drained` returns whether the result shows that there is nothing more for now.
    #[inline]
    pub(crate) fn poll_io<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut place: Option<&mut Place<'_>>,
        mut operation: impl FnMut() -> io::Result<T>,
        drained: impl FnOnce(&T) -> bool,
    ) -> Poll<io::Result<T>> {
        let ready = &self.sides.ready[direction as usize];
        loop {
            ready!(self.poll_ready(cx, direction, place.as_deref_mut()));
            match operation() {
                Ok(value) => {
                    if !self.sides.sticky[direction as usize].get() && drained(&value) {
                        ready.set(false);
                    }
                    return Poll::Ready(Ok(value));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.set(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// The same, tried once and without waiting.
    pub(crate) fn try_io<T>(
        &self,
        direction: Direction,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let result = operation();
        if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            self.sides.ready[direction as usize].set(false);
        }
        result
    }
}
// ANCHOR_END: ready

#[cfg(all(test, unix))]
mod tests;
