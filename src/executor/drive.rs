//! The executor: the turn of the loop, and where the thread sleeps.
//!
//! ```text
//!            +-> poll a task, as many as the turn has ------+
//!            |                                              v
//!   wakes from the poller,  <---  look outside: mail from other threads, sockets, timers
//!   timers and the inbox          (nothing runnable? then sleep here until one of them has something)
//! ```
//!
//! The future given to `block_on` is scheduled as every task is: it has a key, and a slot without a body,
//! since it lives on its caller's stack. When its turn comes, [`Executor::drive`] returns to `block_on`.
//!
//! What runs foreign code (polls, drops, wakes) does so with no cell borrowed that this code could reach: each borrow below
//! ends in its own line. Three go on: of the reactor's events, of the mail and of the timers that are due. The loop walks
//! these buffers while it wakes, and nothing else touches them.

// ANCHOR: uses
use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::base::budget;
use crate::base::clock::{Clock, Instant};
use crate::base::key::TaskKey;
use crate::base::memory::{GiveBack, OF_ALL};
use crate::base::panics::catch_and_discard_panic;
use crate::base::shim::Arc;
use crate::blocking::{self, Pool};
use crate::trace::{Actor, Event, Outcome, Recorder};

use super::driver::Driver;
use super::inbox::{Inbox, Mail, registry};
use super::run::Run;
use super::run_queue::Order;
use super::scheduler::Scheduler;
use super::slab::Body;
use super::turn::TurnLimit;
use super::wheel::{TimerKey, Wheel};
// ANCHOR_END: uses

// ANCHOR: fields
/// What wakes, waits or spawns uses the fields that are `pub(crate)`. No caller can replace one, because the executor is
/// in an `Rc`.
pub(crate) struct Executor {
    pub(crate) scheduler: Rc<Scheduler>,
    pub(crate) inbox: Arc<Inbox>,
    /// Empty between two checks for events; here only so that its buffers are used again.
    mail: RefCell<Mail>,
    pub(crate) driver: Driver,
    pub(crate) timers: RefCell<Wheel>,
    /// As `mail`.
    due: RefCell<Vec<(TimerKey, Waker)>>,
    clock: Clock,
    pool_config: blocking::Config,
    /// Made when the first blocking job comes.
    pool: OnceCell<Pool>,
    turn: TurnLimit,
    closed: Cell<bool>,
}
// ANCHOR_END: fields

// ANCHOR: new
impl Executor {
    /// # Errors
    /// When no runtime number is free.
    pub(crate) fn new(
        driver: Driver,
        order: Order,
        clock: Clock,
        recorder: Option<Recorder>,
        pool_config: blocking::Config,
    ) -> io::Result<Rc<Executor>> {
        let inbox = Arc::new(Inbox::new(driver.unparker()));
        Ok(Rc::new(Executor {
            scheduler: Rc::new(Scheduler::new(driver.register(&inbox)?, order, recorder)),
            inbox,
            mail: RefCell::default(),
            driver,
            timers: RefCell::new(Wheel::new(clock.now().tick_begun())),
            due: RefCell::default(),
            clock,
            pool_config,
            pool: OnceCell::new(),
            turn: TurnLimit::new(),
            closed: Cell::new(false),
        }))
    }
    // ANCHOR_END: new

    // ANCHOR: rooms
    /// What time it is to the code that runs now: simulated hosts have clocks of their own.
    pub(crate) fn now(&self) -> Instant {
        self.driver.local_time(self.clock.now())
    }

    pub(crate) fn pool(&self) -> &Pool {
        self.pool.get_or_init(|| {
            // A virtual clock stands still while jobs are out. A thread that sleeps meanwhile must wake up when the
            // last of them ends, even if no task awaits its result.
            let inbox = Arc::clone(&self.inbox);
            let mail: Box<dyn Fn() + Send + Sync> = Box::new(move || drop(inbox.send_job(Box::new(|| ()))));
            Pool::with_on_idle(self.pool_config, matches!(self.clock, Clock::Virtual(_)).then_some(mail))
        })
    }

    pub(crate) fn recorder(&self) -> Option<&Rc<Recorder>> {
        self.scheduler.recorder()
    }

    /// Tells the recorder, if there is one.
    #[inline]
    pub(crate) fn record(&self, tell: impl FnOnce(&Recorder)) {
        self.scheduler.record(tell);
    }
    // ANCHOR_END: rooms

    // ANCHOR: insert
    /// Gives a task a slot and a key, and queues it. When its key is stored, call [`Executor::admit`].
    #[inline]
    pub(crate) fn insert_task(
        &self,
        body: Rc<dyn Run>,
        name: Option<&str>,
        source: &'static Location<'static>,
    ) -> TaskKey {
        self.insert(Some(self.driver.wrap_task(body)), name, source)
    }

    /// When the runtime is ending, drops the future of a new task at once, and its handle reports that it was
    /// cancelled.
    #[inline]
    pub(crate) fn admit(&self, key: TaskKey) {
        if self.closed.get() {
            self.evict(key.slot());
        }
    }

    /// A slot and a key, queued. The future of `block_on` has no body here.
    #[inline]
    pub(super) fn insert(
        &self,
        body: Option<Rc<dyn Run>>,
        name: Option<&str>,
        source: &'static Location<'static>,
    ) -> TaskKey {
        let key = self.scheduler.insert(body);
        if let Some(simulator) = self.driver.simulator() {
            simulator.task_spawned(key);
        }
        self.record(|recorder| {
            recorder.spawned(key, self.driver.task_name(name, source), source);
            recorder.scheduled(key);
        });
        key
    }
    // ANCHOR_END: insert

    /// Runs tasks, and sleeps when there is nothing to run, until it is the root's turn.
    // ANCHOR: drive
    pub(crate) fn drive(&self) {
        loop {
            let next = if self.turn.is_over() { None } else { self.scheduler.next() };
            match next {
                None => self.check_events(),
                Some((_, Body::Root)) => return,
                Some((key, Body::Task(body))) => self.poll_task(key, body),
            }
        }
    }
    // ANCHOR_END: drive

    // ANCHOR: poll_task
    fn poll_task(&self, key: TaskKey, body: Rc<dyn Run>) {
        let polled = self.poll(key, |cx| body.run(cx), |&ending| ending.into());
        match polled {
            Poll::Pending => self.scheduler.end_poll(key, body),
            Poll::Ready(_) => {
                self.scheduler.free(key);
                // Without a handle this is the last owner, and drops the output, which is foreign code.
                catch_and_discard_panic(|| drop(body));
            }
        }
    }
    // ANCHOR_END: poll_task

    // ANCHOR: root
    /// Polls the root once. A panic is recorded, then propagated to the caller of `block_on`.
    pub(crate) fn poll_root<T>(&self, key: TaskKey, f: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        let guarded = |cx: &mut Context<'_>| match catch_unwind(AssertUnwindSafe(|| f(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(payload) => Poll::Ready(Err(payload)),
        };
        let outcome = |end: &Result<T, _>| if end.is_ok() { Outcome::Finished } else { Outcome::Panicked };
        self.poll(key, guarded, outcome).map(|ended| ended.unwrap_or_else(|payload| resume_unwind(payload)))
    }

    #[inline]
    fn poll<T>(
        &self,
        key: TaskKey,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> Poll<T> {
        self.turn.count();
        budget::refill();
        // A key has nothing to release, so its waker's drop need not be called.
        let waker = ManuallyDrop::new(key.waker());
        let poll = || poll(&mut Context::from_waker(&waker));
        match self.recorder() {
            None => poll(),
            Some(recorder) => recorder.poll(key, poll, outcome),
        }
    }
    // ANCHOR_END: root

    /// Takes in what happened outside: readiness, mail, deadlines. Sleeps until something does, if nothing can
    /// run (invariant 6).
    // ANCHOR: check_events
    fn check_events(&self) {
        // Checked before the inbox is: a job that is done by now has already put its wake-up in there.
        let virtual_time = matches!(self.clock, Clock::Virtual(_));
        let jobs_out = virtual_time && self.pool.get().is_some_and(|pool| !pool.is_idle());
        let dry = self.scheduler.queued() == 0;
        let sleep = dry && self.inbox.begin_park();
        if self.turn.end(dry, &self.clock) || sleep {
            self.give_back();
        }
        if sleep {
            self.sleep(jobs_out);
        } else if self.driver.has_sources() {
            self.wait(Some(Duration::ZERO));
            self.dispatch_events();
        }
        if sleep || self.inbox.looks_nonempty() {
            self.deliver_mail();
        }
        if self.timers.borrow().len() > 0 {
            self.fire_timers();
        }
    }

    /// In virtual time the next deadline is not waited for: the clock is set to it. But not while a blocking job
    /// is out, whose result comes at a moment that the clock has not reached.
    fn sleep(&self, jobs_out: bool) {
        let timer = self.timers.borrow().next_tick().map(Instant::of_tick);
        let next = self.driver.next(timer);
        let at_most = if jobs_out { None } else { next.map(|deadline| deadline - self.clock.now()) };
        self.record(|recorder| recorder.push(Event::Parked { at_most }));
        let wait = match &self.clock {
            Clock::Real => at_most,
            Clock::Virtual(now) => at_most.map(|wait| {
                now.set(now.get() + wait);
                Duration::ZERO
            }),
        };
        self.wait(wait);
        self.record(|recorder| recorder.push(Event::Unparked));
        self.dispatch_events();
    }
    // ANCHOR_END: check_events

    // ANCHOR: deliver
    fn wait(&self, timeout: Option<Duration>) {
        self.driver.wait(timeout).expect("the system's poller works: without it no task can be woken");
    }

    /// After a peak: gives memory back.
    pub(super) fn give_back(&self) {
        self.scheduler.give_back();
        self.timers.borrow_mut().give_back();
        self.mail.borrow_mut().keys.give_back(OF_ALL);
        self.due.borrow_mut().give_back(OF_ALL);
    }

    fn dispatch_events(&self) {
        self.act_for(Actor::Reactor);
        self.driver.dispatch(|socket, ready| self.record(|recorder| recorder.push(ready.event(socket))));
        self.act_for(Actor::Outside);
    }

    fn deliver_mail(&self) {
        let mail = &mut *self.mail.borrow_mut();
        self.inbox.take(mail, self.turn.jobs());
        self.act_for(Actor::Thread);
        mail.keys.drain(..).for_each(|key| self.scheduler.schedule(key));
        if !mail.jobs.is_empty() {
            // If a job panics, its sender is dropped, and that tells the task that waits for the result.
            mail.jobs.drain(..).for_each(catch_and_discard_panic);
            self.turn.took_jobs(self.scheduler.queued());
        }
        self.act_for(Actor::Outside);
    }

    fn fire_timers(&self) {
        let due = &mut *self.due.borrow_mut();
        self.timers.borrow_mut().advance(self.clock.now().tick_begun(), due);
        self.act_for(Actor::Timer);
        for (timer, waker) in due.drain(..) {
            self.record(|recorder| recorder.push(Event::TimerFired { timer: timer.resource() }));
            catch_and_discard_panic(|| waker.wake());
        }
        self.act_for(Actor::Outside);
    }

    pub(crate) fn act_for(&self, actor: Actor) {
        self.record(|recorder| recorder.enter(actor));
    }
    // ANCHOR_END: deliver

    // ANCHOR: shutdown
    /// What is spawned from here on is dropped at once. False when this was called before.
    pub(crate) fn close(&self) -> bool {
        !self.closed.replace(true)
    }

    /// The end (invariant 10): drops each task's future, on this thread and with the runtime still current, so
    /// that these drops may wake, abort and spawn. Whether they panic or not, the next one's turn comes.
    ///
    /// Returns whether all blocking jobs have ended, for which it waits no longer than `limit`.
    pub(crate) fn shutdown(&self, limit: Option<Duration>) -> bool {
        registry().unregister(self.scheduler.number);
        // Before the pool ends: a job of it may wait for what it has sent to this inbox.
        self.inbox.close().jobs.into_iter().for_each(|job| catch_and_discard_panic(|| drop(job)));
        (0..self.scheduler.slots()).for_each(|slot| _ = self.evict(slot));
        self.pool.get().is_none_or(|pool| pool.end(limit))
    }

    /// Drops the future of the task in this slot, if there is one that is not being polled. Returns whether it did.
    #[cold]
    pub(crate) fn evict(&self, slot: u32) -> bool {
        let Some(body) = self.scheduler.evict(slot) else { return false };
        body.cancel();
        catch_and_discard_panic(|| drop(body));
        true
    }
}
// ANCHOR_END: shutdown

#[cfg(all(test, not(cotask_loom)))]
mod tests;
