//! What the executor waits for: the system's poller, or a simulator in its place.
//!
//! Everything above asks this one enum, and does not know which it has. Of the four ambient inputs of a run, this
//! is readiness; in a [simulation](crate::sim) it also says what the clock of the host whose code runs shows.

use std::any::Any;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::key::{MAX_RUNTIMES, SIMULATED, TaskKey};
use crate::base::shim::Arc;
use crate::trace::Resource;

use super::inbox::{Inbox, registry};
use super::reactor::Reactor;
use super::ready::Ready;
use super::run::Run;

// ANCHOR: driver
pub(crate) enum Driver {
    Os(Reactor),
    Sim(Rc<dyn Simulator>),
}

/// What a simulation does in place of the system, and what it must know of tasks. The runtime calls these methods
/// and knows nothing more of simulations.
pub(crate) trait Simulator: Any {
    /// When something happens next, given when the next timer is due.
    fn next(&self, timer: Option<Instant>) -> Option<Instant>;
    /// In place of the poller's wait. `None` means that nothing will ever happen.
    fn wait(&self, timeout: Option<Duration>);
    /// Does what is due, and calls `tell` for each socket before its tasks are woken.
    fn dispatch(&self, tell: &mut dyn FnMut(Resource, Ready));
    /// A new task's body: it remembers the host that spawned it.
    fn wrap_task(self: Rc<Self>, body: Rc<dyn Run>) -> Rc<dyn Run>;
    /// A new task has its key.
    fn task_spawned(&self, task: TaskKey);
    /// What a task is called in a trace.
    fn task_name(&self, name: Option<&str>, source: &Location<'_>) -> String;
    /// A task has panicked, or without a key a blocking job.
    fn panicked(&self, task: Option<TaskKey>, message: &str);
    /// Takes a job in place of the blocking pool.
    fn job(&self, job: Box<dyn FnOnce()>);
    /// What the code that runs now sees when the machine's clock shows `now`.
    fn local_time(&self, now: Instant) -> Instant;
    /// When the machine's clock will be, once the clock of the code that runs now shows `deadline`.
    fn machine_time(&self, deadline: Instant) -> Instant;
}
// ANCHOR_END: driver

impl Driver {
    /// For what only a real run has: a socket of the system's cannot be woken by a simulator.
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

    #[inline]
    pub(crate) fn simulator(&self) -> Option<&Rc<dyn Simulator>> {
        match self {
            Driver::Os(_) => None,
            Driver::Sim(simulator) => Some(simulator),
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
        self.simulator().map_or(timer, |simulator| simulator.next(timer))
    }

    /// Waits for events. `None` waits without end, zero not at all.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Driver::Os(reactor) => reactor.wait(timeout),
            Driver::Sim(simulator) => {
                simulator.wait(timeout);
                Ok(())
            }
        }
    }

    /// Wakes the tasks that wait for what has happened. Calls `tell` for each event first.
    pub(crate) fn dispatch(&self, mut tell: impl FnMut(Resource, Ready)) {
        match self {
            Driver::Os(reactor) => reactor.dispatch(tell),
            Driver::Sim(simulator) => simulator.dispatch(&mut tell),
        }
    }

    #[inline]
    pub(crate) fn wrap_task(&self, body: Rc<dyn Run>) -> Rc<dyn Run> {
        match self {
            Driver::Os(_) => body,
            Driver::Sim(simulator) => Rc::clone(simulator).wrap_task(body),
        }
    }

    pub(crate) fn task_name(&self, name: Option<&str>, source: &Location<'_>) -> Option<Box<str>> {
        match self {
            Driver::Os(_) => name.map(Box::from),
            Driver::Sim(simulator) => Some(simulator.task_name(name, source).into()),
        }
    }

    pub(crate) fn local_time(&self, now: Instant) -> Instant {
        self.simulator().map_or(now, |simulator| simulator.local_time(now))
    }

    pub(crate) fn machine_time(&self, deadline: Instant) -> Instant {
        self.simulator().map_or(deadline, |simulator| simulator.machine_time(deadline))
    }
}
