//! The scheduler: which tasks there are, and which of them are runnable. It is all that a wake touches.
//!
//! A wake ends here, so the scheduler lies below the waker, and the executor above both: the executor takes tasks
//! out of the queue and polls them, and a waker puts them back.

// ANCHOR: fields
use std::cell::RefCell;
use std::rc::Rc;

use crate::base::key::TaskKey;
use crate::trace::{self, Recorder};

use super::run::Run;
use super::run_queue::{Order, RunQueue};
use super::slab::{Body, Slab};

/// The tasks of one runtime. No borrow lasts while foreign code runs, and that includes a recorder's subscribers.
pub(crate) struct Scheduler {
    /// The number of the runtime, which each of its keys carries.
    pub(super) number: u16,
    tasks: RefCell<Tasks>,
    recorder: Option<Rc<Recorder>>,
}

/// In one cell, because a wake and a turn each need both.
struct Tasks {
    slab: Slab<Rc<dyn Run>>,
    queue: RunQueue,
}
// ANCHOR_END: fields

// ANCHOR: insert
impl Scheduler {
    pub(crate) fn new(number: u16, order: Order, recorder: Option<Recorder>) -> Scheduler {
        Scheduler {
            number,
            tasks: RefCell::new(Tasks { slab: Slab::new(), queue: RunQueue::new(order) }),
            recorder: recorder.map(Rc::new),
        }
    }

    pub(crate) fn recorder(&self) -> Option<&Rc<Recorder>> {
        if cfg!(feature = "trace") { self.recorder.as_ref() } else { None }
    }

    /// Tells the recorder, if there is one. Out of line, so that the path without one stays small.
    #[inline]
    pub(crate) fn record(&self, tell: impl FnOnce(&Recorder)) {
        if let Some(recorder) = self.recorder() {
            trace::out_of_line(|| tell(recorder));
        }
    }

    /// Gives a task a slot and a key, and puts the key into the run queue.
    #[inline]
    pub(crate) fn insert(&self, body: Option<Rc<dyn Run>>) -> TaskKey {
        let tasks = &mut *self.tasks.borrow_mut();
        let (slot, generation) = tasks.slab.insert(body);
        let key = TaskKey::new(self.number, generation, slot);
        tasks.queue.push(key);
        key
    }
    // ANCHOR_END: insert

    /// Makes a task runnable, unless it is so already or its key is stale.
    // ANCHOR: schedule
    #[inline(always)]
    pub(crate) fn schedule(&self, key: TaskKey) {
        let mut tasks = self.tasks.borrow_mut();
        if tasks.slab.schedule(key.slot(), key.generation()) {
            tasks.queue.push(key);
            drop(tasks);
            self.record(|recorder| recorder.scheduled(key));
        }
    }
    // ANCHOR_END: schedule

    // ANCHOR: next
    /// The next task in the run queue, and what is to be polled, taken out of its slot. Passes over the keys of tasks
    /// that have ended since they were queued.
    #[inline]
    pub(crate) fn next(&self) -> Option<(TaskKey, Body<Rc<dyn Run>>)> {
        let tasks = &mut *self.tasks.borrow_mut();
        loop {
            let key = tasks.queue.pop()?;
            if let Some(body) = tasks.slab.begin_poll(key.slot(), key.generation()) {
                return Some((key, body));
            }
        }
    }

    /// The poll ended with the task still alive.
    #[inline]
    pub(crate) fn end_poll(&self, key: TaskKey, body: Rc<dyn Run>) {
        self.tasks.borrow_mut().slab.end_poll(key.slot(), body);
    }

    /// The task has ended: its key goes stale.
    #[inline]
    pub(crate) fn free(&self, key: TaskKey) {
        self.tasks.borrow_mut().slab.free(key.slot());
    }
    // ANCHOR_END: next

    // ANCHOR: rest
    /// Takes the body of the task in this slot, unless it is being polled or there is none, and frees the slot.
    pub(crate) fn evict(&self, slot: u32) -> Option<Rc<dyn Run>> {
        self.tasks.borrow_mut().slab.evict(slot)
    }

    /// How many slots there are, occupied or free.
    pub(crate) fn slots(&self) -> u32 {
        self.tasks.borrow().slab.slots()
    }

    /// Tasks alive, and the future of `block_on`.
    pub(crate) fn tasks(&self) -> usize {
        self.tasks.borrow().slab.len()
    }

    /// How many keys are in the run queue.
    pub(crate) fn queued(&self) -> usize {
        self.tasks.borrow().queue.len()
    }

    /// After a peak: gives memory back.
    pub(crate) fn give_back(&self) {
        self.tasks.borrow_mut().queue.give_back();
        self.tasks.borrow_mut().slab.give_back();
    }
}
// ANCHOR_END: rest

// ANCHOR: wake
thread_local! {
    /// That of the executor which runs on this thread.
    static CURRENT: RefCell<Option<Rc<Scheduler>>> = const { RefCell::new(None) };
}

/// The short way of a wake. False when the key belongs to another thread's runtime, or to none.
#[inline]
pub(crate) fn wake(key: TaskKey) -> bool {
    CURRENT
        .try_with(|current| match &*current.borrow() {
            Some(scheduler) if scheduler.number == key.runtime() => {
                scheduler.schedule(key);
                true
            }
            _ => false,
        })
        .unwrap_or(false)
}

/// From now on wakes on this thread come here. Returns the scheduler to which they came before. While the thread's
/// locals are torn down there is none.
pub(crate) fn switch(to: Option<Rc<Scheduler>>) -> Option<Rc<Scheduler>> {
    CURRENT.try_with(|current| current.replace(to)).ok().flatten()
}
// ANCHOR_END: wake
