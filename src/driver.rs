//! What the executor waits for: the system's poller, or a simulated world.
//!
//! Everything above asks this one enum, and does not know which it has. Of the four ambient inputs of a run, this
//! is readiness; in a [simulation](crate::sim) it also says what the clock of the host whose code runs shows.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use mio::event;

use crate::clock::Instant;
use crate::executor::Executor;
use crate::inbox::{Inbox, registry};
use crate::reactor::Reactor;
use crate::shim::Arc;
use crate::sim::World;
use crate::task::Run;
use crate::trace::Resource;
use crate::waker::{MAX_RUNTIMES, SIMULATED, TaskKey};

// ANCHOR: driver
pub(crate) enum Driver {
    Os(Reactor),
    Sim(Rc<World>),
}

/// What an event says of a source.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ready {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The peer writes no more. An error sets this and `write_closed`: readers and writers must retry and get it.
    pub(crate) read_closed: bool,
    pub(crate) write_closed: bool,
    pub(crate) urgent: bool,
}
// ANCHOR_END: driver

impl From<&event::Event> for Ready {
    fn from(event: &event::Event) -> Ready {
        Ready {
            readable: event.is_readable(),
            writable: event.is_writable(),
            read_closed: event.is_read_closed() || event.is_error(),
            write_closed: event.is_write_closed() || event.is_error(),
            urgent: event.is_priority(),
        }
    }
}

impl Driver {
    /// For what only a real run has: a socket of the system's cannot be woken by a simulated world.
    pub(crate) fn reactor(&self) -> io::Result<&Reactor> {
        match self {
            Driver::Os(reactor) => Ok(reactor),
            Driver::Sim(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "not simulated: inside `cotask::sim` there are TCP and UDP sockets made by address, and neither \
                 Unix sockets, signals nor sockets of the standard library",
            )),
        }
    }

    pub(crate) fn world(&self) -> Option<&Rc<World>> {
        match self {
            Driver::Os(_) => None,
            Driver::Sim(world) => Some(world),
        }
    }

    /// A number for the runtime, under which other threads find its inbox.
    pub(crate) fn register(&self, inbox: &Arc<Inbox>) -> io::Result<u16> {
        match self {
            Driver::Os(_) => registry().register(Arc::clone(inbox)).ok_or_else(|| {
                io::Error::other(format!(
                    "{MAX_RUNTIMES} cotask runtimes are alive in this process: no more can be named"
                ))
            }),
            Driver::Sim(_) => Ok(SIMULATED),
        }
    }

    /// What ends the thread's sleep. A simulation never sleeps.
    pub(crate) fn unparker(&self) -> Box<dyn Fn() + Send + Sync> {
        match self {
            Driver::Os(reactor) => reactor.unparker(),
            Driver::Sim(_) => Box::new(|| ()),
        }
    }

    /// Whether anything but timers and other threads can make a task runnable.
    pub(crate) fn has_sources(&self) -> bool {
        match self {
            Driver::Os(reactor) => reactor.len() > 0,
            Driver::Sim(_) => true,
        }
    }

    /// When something is known to happen next, given when the next timer is due.
    pub(crate) fn next(&self, timer: Option<Instant>) -> Option<Instant> {
        match self {
            Driver::Os(_) => timer,
            Driver::Sim(world) => world.next(timer),
        }
    }

    /// Waits for events. `None` waits without end, zero not at all.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Driver::Os(reactor) => reactor.wait(timeout),
            Driver::Sim(world) => {
                world.wait(timeout);
                Ok(())
            }
        }
    }

    /// Wakes who waits for what has happened.
    pub(crate) fn dispatch(&self, executor: &Executor, tell: impl FnMut(Resource, Ready)) {
        match self {
            Driver::Os(reactor) => reactor.dispatch(tell),
            Driver::Sim(world) => world.dispatch(executor, tell),
        }
    }

    /// A new task's body: in a simulation it remembers its host.
    #[inline]
    pub(crate) fn wrap_task(&self, body: Rc<dyn Run>) -> Rc<dyn Run> {
        match self {
            Driver::Os(_) => body,
            Driver::Sim(world) => world.wrap_task(body),
        }
    }

    /// A new task has its key.
    #[inline]
    pub(crate) fn task_spawned(&self, task: TaskKey) {
        if let Driver::Sim(world) = self {
            world.task_spawned(task);
        }
    }

    /// What the code that runs now sees when the machine's clock shows `now`.
    pub(crate) fn local_time(&self, now: Instant) -> Instant {
        match self {
            Driver::Os(_) => now,
            Driver::Sim(world) => world.shown(now),
        }
    }

    /// The other way: when the machine's clock will be, once the clock of the code that runs now shows `deadline`.
    pub(crate) fn machine_time(&self, deadline: Instant) -> Instant {
        match self {
            Driver::Os(_) => deadline,
            Driver::Sim(world) => world.machine_time(deadline),
        }
    }
}
