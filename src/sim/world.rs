//! The world: hosts, their sockets, and what will happen when. It stands where the system's poller stands in a real
//! run.

use std::panic::{Location, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::key::{Id, TaskKey};
use crate::base::panics::catch_and_discard_panic;
use crate::executor::Executor;
use crate::executor::current;
use crate::executor::driver::Simulator;
use crate::executor::ready::Ready;
use crate::executor::run::Run;
use crate::trace::{Actor, Resource};

use super::fault::{Fault, Kind};
use super::host::{HostTask, look_again};
use super::parts::{DISK, HostId};
use super::report::Failure;
use super::state::{Occurrence, State, World, note};
use super::watch::file_name;

/// Turns of the loop at one and the same moment after which the program is said to spin.
const MOST_TURNS: u64 = 20_000;
/// What unwinds through the executor when the simulation is to end before its future does.
pub(super) struct Stop;

impl World {
    /// The slots in which tasks of this host live, or did.
    pub(super) fn slots_of(&self, host: HostId) -> Vec<u32> {
        let state = self.state.borrow();
        let all = state.tasks.iter().enumerate();
        all.filter(|(_, (key, at))| *at == host && *key != TaskKey::default())
            .map(|(slot, _)| slot as u32)
            .collect()
    }

    /// A fault by hand. What drops futures waits until no task is being polled.
    pub(super) fn order(&self, fault: Fault) {
        let mut state = self.state.borrow_mut();
        match fault {
            Fault::Crash { .. }
            | Fault::Restart { .. }
            | Fault::JumpForward { .. }
            | Fault::JumpBack { .. } => {
                let now = state.now();
                state.at(now, Occurrence::Fault(fault));
            }
            fault => state.apply(&fault),
        }
    }

    fn apply(&self, fault: &Fault, executor: &Executor) {
        match fault {
            Fault::Crash { host } => self.crash(host, executor),
            Fault::Restart { host } => self.restart(host, executor),
            Fault::JumpForward { .. } | Fault::JumpBack { .. } => {
                self.state.borrow_mut().apply(fault);
                look_again(executor);
            }
            _ => self.state.borrow_mut().apply(fault),
        }
    }
}

impl Simulator for World {
    fn wrap_task(self: Rc<World>, body: Rc<dyn Run>) -> Rc<dyn Run> {
        Rc::new(HostTask::new(&self, body))
    }

    fn task_spawned(&self, task: TaskKey) {
        let tasks = &mut self.state.borrow_mut().tasks;
        let slot = task.slot() as usize;
        if tasks.len() <= slot {
            tasks.resize(slot + 1, (TaskKey::default(), 0));
        }
        tasks[slot] = (task, self.here());
    }

    fn local_time(&self, now: Instant) -> Instant {
        let mut state = self.state.borrow_mut();
        let host = self.here();
        let Some(clock) = state.hosts.get(host).map(|host| host.clock) else { return now };
        if clock.is_skewed() {
            state.count(Kind::ClockSkew);
        }
        clock.shown(now)
    }

    fn machine_time(&self, deadline: Instant) -> Instant {
        let state = self.state.borrow();
        state.hosts.get(self.here()).map_or(deadline, |host| host.clock.reaches(deadline))
    }

    fn next(&self, timer: Option<Instant>) -> Option<Instant> {
        let state = self.state.borrow();
        if state.failure.is_some() || !state.ready.is_empty() {
            // It ends, or a task is woken, before the clock moves on.
            return Some(self.now());
        }
        let first = state.queue.first_key_value().map(|(&(at, _), _)| at);
        let next = [timer, first].into_iter().flatten().min()?;
        Some(next.min(state.limit + Duration::from_nanos(1)))
    }

    /// The loop's check for events: the place where a simulation ends that must.
    fn wait(&self, timeout: Option<Duration>) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let (turns, at) = state.turns;
        state.turns = if at == now { (turns + 1, at) } else { (0, now) };
        let spins = state.turns.0 > MOST_TURNS;
        if state.failure.is_none() && (timeout.is_none() || spins || now > state.limit) {
            let waiting = state.waiters();
            state.failure = Some(match timeout {
                None => Failure::Deadlock { waiting },
                Some(_) if spins => Failure::Spins { at: now - Instant::from_nanos(0), waiting },
                Some(_) => Failure::TimeLimit { waiting },
            });
        }
        let stops = state.failure.is_some();
        drop(state);
        if stops {
            self.state.borrow().watch.look(|watch| watch.break_off());
            resume_unwind(Box::new(Stop));
        }
    }

    fn dispatch(&self, mut tell: &mut dyn FnMut(Resource, Ready)) {
        let executor = &*current::executor("a simulation");
        // What calls of tasks have done to sockets.
        self.tell_ready(&mut tell);
        loop {
            let next = self.state.borrow_mut().due();
            let Some(next) = next else { return };
            // Only what a socket wakes is the reactor's doing.
            executor.act_for(Actor::Outside);
            match next {
                Occurrence::Arrives(packet) => {
                    let unasked = self.state.borrow_mut().deliver(packet);
                    if let Some(task) = unasked {
                        executor.scheduler.schedule(task);
                    }
                }
                Occurrence::Leaves(packet) => self.state.borrow_mut().send(packet),
                Occurrence::GivesUp(number) => self.state.borrow_mut().give_up(number),
                Occurrence::Breaks(socket, why) => self.state.borrow_mut().break_off(socket, why),
                Occurrence::Nudge(socket, ready) => self.state.borrow_mut().tell(socket, ready),
                Occurrence::Job(host, incarnation, job) => {
                    if self.state.borrow().hosts[host].is(incarnation) {
                        let _here = self.enter(host);
                        executor.act_for(Actor::Thread);
                        catch_and_discard_panic(job);
                    }
                }
                Occurrence::Fault(fault) => self.apply(&fault, executor),
                Occurrence::HostEnded(host, incarnation) => self.host_ended(host, incarnation, executor),
            }
            executor.act_for(Actor::Reactor);
            self.tell_ready(&mut tell);
        }
    }

    /// The host that runs now, and the name of one of its tasks, for the trace.
    fn task_name(&self, name: Option<&str>, source: &Location<'_>) -> String {
        let state = self.state.borrow();
        let host = &state.hosts[self.here()].name;
        match name {
            Some("main" | "block_on") => host.to_string(),
            Some(name) => format!("{host}: {name}"),
            None => format!("{host}: {}:{}", file_name(source.file()), source.line()),
        }
    }

    fn panicked(&self, task: Option<TaskKey>, message: &str) {
        if !self.state.borrow().panics_fail {
            return;
        }
        let host = self.state.borrow().hosts[self.here()].name.to_string();
        let watch = self.state.borrow().watch.clone();
        let seen = |key: TaskKey| watch.look(|watch| watch.title(Id(key)));
        let task = task.map_or_else(|| "a blocking job".into(), |key| seen(key).unwrap_or(key.to_string()));
        self.fail(Failure::Panic { host, task, message: message.to_string() });
    }

    /// Queues a job of the blocking pool: it runs on the loop, as long from now as the host's disk takes.
    fn job(&self, job: Box<dyn FnOnce()>) {
        let mut state = self.state.borrow_mut();
        let here = self.here();
        let (min, max) = state.hosts[here].disk;
        let takes = state.rng.disks.between(min, max);
        if takes > DISK.1 {
            let name = Rc::clone(&state.hosts[here].name);
            state.acted(Kind::SlowDisk, || format!("a job of {name} takes {takes:?}"));
        }
        let (at, incarnation) = (state.now() + takes, state.hosts[here].incarnation);
        state.at(at, Occurrence::Job(here, incarnation, job));
    }
}

impl State {
    fn apply(&mut self, fault: &Fault) {
        note(|| fault.to_string());
        match fault {
            Fault::Spurious { ppm } => self.spurious = *ppm,
            Fault::Partition { a, b } => self.between(a, b, |state, a, b| {
                state.change(a, b, |link| link.cut = Some(Kind::Partition));
            }),
            Fault::PartitionOneWay { from, to } => self.between(from, to, |state, from, to| {
                state.cut(from, to, Some(Kind::PartitionOneWay));
            }),
            Fault::Heal { a, b } => self.between(a, b, |state, a, b| {
                state.change(a, b, |link| link.cut = None);
                state.release();
            }),
            Fault::Reset { a, b } => self.between(a, b, State::reset_between),
            Fault::Latency { a, b, .. }
            | Fault::Loss { a, b, .. }
            | Fault::Duplicate { a, b, .. }
            | Fault::Reorder { a, b, .. }
            | Fault::Bandwidth { a, b, .. } => {
                self.between(a, b, |state, a, b| state.apply_to_link(fault, a, b));
            }
            _ => self.apply_to_host(fault),
        }
    }

    fn between(&mut self, a: &str, b: &str, act: impl FnOnce(&mut State, HostId, HostId)) {
        if let (Some(a), Some(b)) = (self.host_named(a), self.host_named(b)) {
            act(self, a, b);
        }
    }

    /// Now and then, when a packet arrives, wakes a socket for no reason, or returns a task to be woken so.
    pub(super) fn spurious(&mut self) -> Option<TaskKey> {
        if !self.rng.spurious.happens(self.spurious) {
            return None;
        }
        self.count(Kind::Spurious);
        if self.rng.spurious.below(2) == 0 && !self.sockets.is_empty() {
            let which = self.rng.spurious.below(self.sockets.len());
            let socket = *self.sockets.keys().nth(which)?;
            self.tell(socket, Ready { readable: true, writable: true, ..Ready::default() });
            return None;
        }
        let which = self.rng.spurious.below(self.tasks.len().max(1));
        self.tasks.get(which).map(|&(key, _)| key)
    }
}
