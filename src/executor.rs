//! The executor: the run queue, the turn of the loop, and where the thread sleeps.
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
//! What runs foreign code (polls, drops, wakes) does so with no cell borrowed: each borrow below ends in its
//! own line.

// ANCHOR: uses
use std::cell::{Cell, OnceCell, RefCell};
use std::future::Future;
use std::io;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::blocking::{self, Pool};
use crate::budget;
use crate::clock::{Clock, Instant};
use crate::current::Entered;
use crate::driver::Driver;
use crate::inbox::{Inbox, Mail, registry};
use crate::join::JoinHandle;
use crate::memory::{GiveBack, OF_ALL};
use crate::panics::catch_and_discard_panic;
use crate::run_queue::{Order, RunQueue};
use crate::shim::Arc;
use crate::slab::{Body, Slab};
use crate::task::{Run, Task};
use crate::trace::{self, Actor, Event, Outcome, Recorder};
use crate::turn::TurnLimit;
use crate::waker::TaskKey;
use crate::wheel::{TimerKey, Wheel};
// ANCHOR_END: uses

// ANCHOR: fields
pub(crate) struct Executor {
    number: u16,
    slab: RefCell<Slab<Rc<dyn Run>>>,
    queue: RefCell<RunQueue>,
    inbox: Arc<Inbox>,
    /// Empty between two turns; here only so that its buffers are used again.
    mail: RefCell<Mail>,
    driver: Driver,
    timers: RefCell<Wheel>,
    /// Empty between two turns, as `mail`.
    due: RefCell<Vec<(TimerKey, Waker)>>,
    clock: Clock,
    pool_config: blocking::Config,
    /// Made when the first blocking job comes.
    pool: OnceCell<Pool>,
    turn: TurnLimit,
    closed: Cell<bool>,
    recorder: Option<Box<Recorder>>,
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
            number: driver.register(&inbox)?,
            slab: RefCell::new(Slab::new()),
            queue: RefCell::new(RunQueue::new(order)),
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
            recorder: recorder.map(Box::new),
        }))
    }
    // ANCHOR_END: new

    // ANCHOR: rooms
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn timers(&self) -> &RefCell<Wheel> {
        &self.timers
    }

    pub(crate) fn driver(&self) -> &Driver {
        &self.driver
    }

    /// What time it is to the code that runs now: simulated hosts have clocks of their own.
    pub(crate) fn now(&self) -> Instant {
        self.driver.local_time(self.clock.now())
    }

    pub(crate) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
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

    pub(crate) fn recorder(&self) -> Option<&Recorder> {
        if cfg!(feature = "trace") { self.recorder.as_deref() } else { None }
    }

    /// Tasks alive, and the future of `block_on`.
    pub(crate) fn tasks(&self) -> usize {
        self.slab.borrow().len()
    }
    // ANCHOR_END: rooms

    // ANCHOR: record
    /// Tells the recorder, if there is one. Out of line, so that the path without one stays small.
    #[inline]
    pub(crate) fn record(&self, tell: impl FnOnce(&Recorder, Instant)) {
        if let Some(recorder) = self.recorder() {
            trace::out_of_line(|| tell(recorder, self.clock.now()));
        }
    }
    // ANCHOR_END: record

    /// Makes a task and queues it. When the runtime is ending, the future is dropped at once, and its handle
    /// reports that it was cancelled.
    // ANCHOR: spawn
    #[inline(always)]
    pub(crate) fn spawn<F: Future + 'static>(
        &self,
        future: F,
        name: Option<&str>,
        source: &'static Location<'static>,
    ) -> JoinHandle<F::Output> {
        let task = Task::new(future);
        self.start(&task, Rc::clone(&task) as Rc<dyn Run>, name, source);
        JoinHandle(task)
    }

    /// The same for a task that is made already. `body` is what runs it.
    #[inline(always)]
    pub(crate) fn start<F: Future + 'static>(
        &self,
        task: &Task<F>,
        body: Rc<dyn Run>,
        name: Option<&str>,
        source: &'static Location<'static>,
    ) {
        let key = self.insert(Some(body), name, source);
        task.set_key(key);
        if self.closed.get() {
            self.evict(key.slot());
        }
    }
    // ANCHOR_END: spawn

    // ANCHOR: insert
    /// A key for the future of `block_on`, queued.
    pub(crate) fn insert_root(&self, source: &'static Location<'static>) -> TaskKey {
        self.insert(None, Some("block_on"), source)
    }

    /// Frees the slot of the future of `block_on`, which has finished: its key goes stale.
    pub(crate) fn remove_root(&self, key: TaskKey) {
        self.slab.borrow_mut().free(key.slot());
        self.give_back();
    }

    #[inline]
    fn insert(
        &self,
        body: Option<Rc<dyn Run>>,
        name: Option<&str>,
        source: &'static Location<'static>,
    ) -> TaskKey {
        let body = body.map(|body| self.driver.wrap_task(body));
        let (slot, generation) = self.slab.borrow_mut().insert(body);
        let task = TaskKey::new(self.number, generation, slot);
        self.driver.task_spawned(task);
        self.record(|recorder, at| {
            recorder.spawned(at, task, name, source);
            recorder.scheduled(at, task);
        });
        self.queue.borrow_mut().push(task);
        task
    }
    // ANCHOR_END: insert

    /// Makes a task runnable, unless it is so already or its key is stale.
    // ANCHOR: schedule
    #[inline]
    pub(crate) fn schedule(&self, key: TaskKey) {
        if self.slab.borrow_mut().schedule(key.slot(), key.generation()) {
            self.record(|recorder, at| recorder.scheduled(at, key));
            self.queue.borrow_mut().push(key);
        }
    }
    // ANCHOR_END: schedule

    /// Runs tasks, and sleeps when there is nothing to run, until it is the root's turn.
    // ANCHOR: drive
    pub(crate) fn drive(&self) {
        loop {
            let over = self.turn.is_over(&self.clock);
            let next = if over { None } else { self.queue.borrow_mut().pop() };
            let Some(key) = next else {
                self.check_events();
                continue;
            };
            let Some(body) = self.slab.borrow_mut().begin_poll(key.slot(), key.generation()) else {
                continue;
            };
            self.turn.count();
            match body {
                Body::Task(body) => self.poll_task(key, body),
                Body::Root => return,
            }
        }
    }
    // ANCHOR_END: drive

    // ANCHOR: poll_task
    fn poll_task(&self, key: TaskKey, body: Rc<dyn Run>) {
        let polled = self.poll(key, |cx| body.run(cx), |&ending| ending.into());
        match polled {
            Poll::Pending => self.slab.borrow_mut().end_poll(key.slot(), body),
            Poll::Ready(_) => {
                self.slab.borrow_mut().free(key.slot());
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
        budget::refill();
        // A key has nothing to release, so its waker's drop need not be called.
        let waker = ManuallyDrop::new(key.waker());
        let poll = || poll(&mut Context::from_waker(&waker));
        match self.recorder() {
            None => poll(),
            Some(recorder) => recorder.poll(&self.clock, key, poll, outcome),
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
        let dry = self.queue.borrow().is_empty();
        let sleep = dry && self.inbox.begin_park();
        if self.turn.checks(dry) || sleep {
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
        self.record(|recorder, at| recorder.push(at, Event::Parked { at_most }));
        let wait = match &self.clock {
            Clock::Real => at_most,
            Clock::Virtual(now) => at_most.map(|wait| {
                now.set(now.get() + wait);
                Duration::ZERO
            }),
        };
        self.wait(wait);
        self.record(|recorder, at| recorder.push(at, Event::Unparked));
        self.dispatch_events();
    }
    // ANCHOR_END: check_events

    // ANCHOR: deliver
    fn wait(&self, timeout: Option<Duration>) {
        self.driver.wait(timeout).expect("the system's poller works: without it no task can be woken");
    }

    /// After a peak: gives memory back.
    fn give_back(&self) {
        self.queue.borrow_mut().give_back();
        self.slab.borrow_mut().give_back();
        self.timers.borrow_mut().give_back();
    }

    fn dispatch_events(&self) {
        self.act_for(Actor::Reactor);
        self.driver.dispatch(self, |socket, ready| {
            self.record(|recorder, at| recorder.socket_ready(at, socket, ready));
        });
        self.act_for(Actor::Outside);
    }

    fn deliver_mail(&self) {
        let mut mail = self.mail.take();
        self.inbox.take(&mut mail, self.turn.jobs());
        self.act_for(Actor::Thread);
        mail.keys.drain(..).for_each(|key| self.schedule(key));
        mail.keys.give_back(OF_ALL);
        if !mail.jobs.is_empty() {
            // If a job panics, its sender is dropped, and that tells the task that waits for the result.
            mail.jobs.drain(..).for_each(catch_and_discard_panic);
            self.turn.took_jobs(self.queue.borrow().len());
        }
        self.act_for(Actor::Outside);
        self.mail.replace(mail);
    }

    fn fire_timers(&self) {
        let mut due = self.due.take();
        let now = self.clock.now().tick_begun();
        self.timers.borrow_mut().advance(now, &mut due);
        self.act_for(Actor::Timer);
        for (timer, waker) in due.drain(..) {
            self.record(|recorder, at| recorder.push(at, Event::TimerFired { timer: timer.resource() }));
            catch_and_discard_panic(|| waker.wake());
        }
        due.give_back(OF_ALL);
        self.act_for(Actor::Outside);
        self.due.replace(due);
    }

    pub(crate) fn act_for(&self, actor: Actor) {
        if let Some(recorder) = self.recorder() {
            recorder.enter(actor);
        }
    }
    // ANCHOR_END: deliver

    /// The end (invariant 10): drops each task's future, on this thread and with the runtime still current, so
    /// that these drops may wake, abort and spawn. What they spawn is dropped at once; whether they panic or
    /// not, the next one's turn comes.
    // ANCHOR: shutdown
    ///
    /// Whether all blocking jobs have ended, for which it waits no longer than `limit`. A second call does nothing.
    pub(crate) fn shutdown(self: &Rc<Self>, limit: Option<Duration>) -> bool {
        if self.closed.replace(true) {
            return true;
        }
        let _entered = Entered::within(self);
        registry().unregister(self.number);
        // Before the pool ends: a job of it may wait for what it has sent to this inbox.
        self.inbox.close().jobs.into_iter().for_each(|job| catch_and_discard_panic(|| drop(job)));
        let slots = self.slab.borrow().slots();
        (0..slots).for_each(|slot| _ = self.evict(slot));
        self.pool.get().is_none_or(|pool| pool.end(limit))
    }

    /// Drops the future of the task in this slot, if there is one that is not being polled. Returns whether it did.
    #[cold]
    pub(crate) fn evict(&self, slot: u32) -> bool {
        let Some(body) = self.slab.borrow_mut().evict(slot) else { return false };
        body.cancel();
        catch_and_discard_panic(|| drop(body));
        true
    }
}
// ANCHOR_END: shutdown

#[cfg(all(test, not(cotask_loom)))]
mod tests;
