//! Hosts: what each has of its own, and how it starts, falls and comes back.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::base::clock::Instant;
use crate::base::key::Id;
use crate::base::panics::catch_and_discard_panic;
use crate::base::rng::Rng;
use crate::executor::Executor;
use crate::executor::run::{Ending, Run};
use crate::task::spawn::spawn_on;
use crate::trace::{Actor, Event};

use super::fault::{Fault, Kind};
use super::parts::{BACKLOG, DISK, HostClock, HostId, HostState, Make};
use super::report::Failure;
use super::state::{Occurrence, State, World, note};

/// A task's body that knows its host.
pub(super) struct HostTask {
    world: Rc<World>,
    host: HostId,
    /// Taken when it is dropped.
    body: Option<Rc<dyn Run>>,
}

impl HostTask {
    pub(super) fn new(world: &Rc<World>, body: Rc<dyn Run>) -> HostTask {
        HostTask { world: Rc::clone(world), host: world.here(), body: Some(body) }
    }
}

impl Run for HostTask {
    fn run(&self, cx: &mut Context<'_>) -> Poll<Ending> {
        let _here = self.world.enter(self.host);
        self.body.as_ref().map_or(Poll::Ready(Ending::Aborted), |body| body.run(cx))
    }

    fn cancel(&self) {
        let _here = self.world.enter(self.host);
        if let Some(body) = &self.body {
            body.cancel();
        }
    }
}

impl Drop for HostTask {
    fn drop(&mut self) {
        let _here = self.world.enter(self.host);
        drop(self.body.take());
    }
}

/// Restores the host on which code runs.
pub(super) struct HostGuard<'a> {
    world: &'a World,
    before: HostId,
}

impl Drop for HostGuard<'_> {
    fn drop(&mut self) {
        self.world.at.set(self.before);
    }
}

impl World {
    /// What runs from now on runs on this host, until the guard is dropped.
    pub(super) fn enter(&self, host: HostId) -> HostGuard<'_> {
        HostGuard { world: self, before: self.at.replace(host) }
    }

    /// # Panics
    /// When there is a host of that name.
    pub(super) fn add_host(
        &self,
        name: &str,
        make: Option<Make>,
        source: &'static Location<'static>,
    ) -> HostId {
        let mut state = self.state.borrow_mut();
        assert!(state.host_named(name).is_none(), "there is a host named `{name}` already");
        let sound =
            !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || letter == ':');
        assert!(sound, "`{name}` is no name for a host: it must not be empty, nor contain spaces or colons");
        let number = state.hosts.len();
        let random = Rng::stream(state.rng.seed, &format!("random {name}"));
        let [high, low] = u16::try_from(number + 1).expect("at most 65,534 hosts").to_be_bytes();
        let now = state.now();
        state.hosts.push(HostState {
            name: name.into(),
            ip: Ipv4Addr::new(10, 0, high, low),
            up: true,
            incarnation: 0,
            make,
            source,
            clock: HostClock { set_at: now, to: now, ppm: 0 },
            disk: DISK,
            descriptors: u32::MAX,
            refused: BTreeSet::new(),
            backlog: BACKLOG,
            short: 0,
            next_port: 0,
            random,
        });
        number
    }

    /// Spawns the host's future, which then begins in its own turn.
    pub(super) fn start(&self, host: HostId, executor: &Executor) {
        let (make, source) = {
            let mut state = self.state.borrow_mut();
            let host = &mut state.hosts[host];
            host.up = true;
            host.incarnation += 1;
            (host.make.clone(), host.source)
        };
        let _here = self.enter(host);
        if let Some(make) = make {
            let future = (make.borrow_mut())();
            spawn_on(executor, future, Some("main"), source);
        }
    }

    /// The host's future has finished: like a process that has returned from `main`, it takes with it what is left.
    pub(super) fn ended(&self, host: HostId) {
        let mut state = self.state.borrow_mut();
        let (now, incarnation) = (state.now(), state.hosts[host].incarnation);
        state.at(now, Occurrence::HostEnded(host, incarnation));
    }

    pub(super) fn host_ended(&self, host: HostId, incarnation: u32, executor: &Executor) {
        if !self.state.borrow().hosts[host].is(incarnation) {
            return;
        }
        let name = Rc::clone(&self.state.borrow().hosts[host].name);
        note(|| format!("host {name} has ended"));
        self.find_leaks(host);
        self.evict(host, executor);
        let mut state = self.state.borrow_mut();
        let open = state.descriptors(host);
        if open > 0 {
            state.leaks.push(format!("host {name} ended, and {open} of its sockets were never dropped"));
        }
    }

    /// Notes the tasks that a host leaves behind.
    pub(super) fn find_leaks(&self, host: HostId) {
        let slots = self.slots_of(host);
        let mut state = self.state.borrow_mut();
        let name = Rc::clone(&state.hosts[host].name);
        let left = state.waiters_where(|slot| slots.contains(&slot));
        let told = left.into_iter().map(|task| format!("host {name} ended before its task: {task}"));
        state.leaks.extend(told.collect::<Vec<_>>());
    }

    fn evict(&self, host: HostId, executor: &Executor) {
        // What a drop spawns is dropped as well, but not without end.
        for _ in 0..100 {
            let mut none_left = true;
            for slot in self.slots_of(host) {
                let (key, _) = self.state.borrow().tasks[slot as usize];
                if executor.evict(slot) {
                    executor.record(|recorder| recorder.push(Event::Dropped { task: Id(key) }));
                    none_left = false;
                }
            }
            if none_left {
                return;
            }
        }
    }

    pub(super) fn crash(&self, name: &str, executor: &Executor) {
        let mut state = self.state.borrow_mut();
        // The first host is the one that the simulation itself runs on.
        let host = state.host_named(name).filter(|&host| host > 0 && state.hosts[host].up);
        let Some(host) = host else { return };
        let tells = state.rng.crashes.below(2) == 0;
        let how = if tells { "its peers are told" } else { "silently" };
        state.acted(Kind::Crash, || format!("{name}, {how}"));
        if tells {
            state.reset_peers(host);
        }
        state.hosts[host].up = false;
        drop(state);
        self.evict(host, executor);
        let mut state = self.state.borrow_mut();
        state.sockets.retain(|_, sock| sock.host != host);
        state.ports.retain(|&(at, ..), _| at != host);
    }

    pub(super) fn restart(&self, name: &str, executor: &Executor) {
        let host = self.state.borrow().host_named(name).filter(|&host| host > 0);
        let Some(host) = host else { return };
        self.crash(name, executor);
        self.state.borrow_mut().acted(Kind::Restart, || name.to_string());
        self.start(host, executor);
        self.state.borrow_mut().release();
    }

    pub(crate) fn random(&self) -> u64 {
        let mut state = self.state.borrow_mut();
        state.hosts[self.here()].random.next()
    }

    /// The simulation ends at the loop's next check for events. The first failure counts.
    pub(super) fn fail(&self, failure: Failure) {
        self.state.borrow_mut().failure.get_or_insert(failure);
    }
}

/// A clock has jumped: wakes the tasks that wait for a timer, to check the clock and set another if need be.
pub(super) fn look_again(executor: &Executor) {
    let mut unset = Vec::new();
    executor.timers.borrow_mut().take_all(&mut unset);
    for (timer, waker) in unset {
        let (timer, by) = (timer.resource(), Actor::Outside);
        executor.record(|recorder| recorder.push(Event::TimerCancelled { timer, by }));
        catch_and_discard_panic(|| waker.wake());
    }
}

impl State {
    pub(super) fn apply_to_host(&mut self, fault: &Fault) {
        let now = self.now();
        match fault {
            Fault::Skew { host, ppm } => self.with_host(host, |host| {
                let shown = host.clock.shown(now);
                host.clock.set(now, shown, *ppm);
            }),
            Fault::JumpForward { host, by } | Fault::JumpBack { host, by } => {
                let ahead = matches!(fault, Fault::JumpForward { .. });
                self.with_host(host, |host| {
                    let shown = host.clock.shown(now);
                    let to = if ahead {
                        shown + *by
                    } else {
                        Instant::from_nanos(0) + (shown - (Instant::from_nanos(0) + *by))
                    };
                    host.clock.set(now, to, host.clock.ppm);
                });
                if self.host_named(host).is_some() {
                    self.count(Kind::ClockJump);
                }
            }
            Fault::Disk { host, min, max } => self.with_host(host, |host| host.disk = (*min, *max)),
            Fault::Descriptors { host, max } => self.with_host(host, |host| host.descriptors = *max),
            Fault::Refuse { host, port } => self.with_host(host, |host| {
                host.refused.insert(*port);
            }),
            Fault::Accept { host, port } => self.with_host(host, |host| {
                host.refused.remove(port);
            }),
            Fault::Backlog { host, max } => self.with_host(host, |host| host.backlog = *max),
            Fault::Short { host, ppm } => self.with_host(host, |host| host.short = *ppm),
            _ => {}
        }
    }

    fn with_host(&mut self, name: &str, change: impl FnOnce(&mut HostState)) {
        if let Some(host) = self.host_named(name) {
            change(&mut self.hosts[host]);
        }
    }
}
