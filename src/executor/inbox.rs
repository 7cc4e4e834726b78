//! The inbox: what other threads send to a runtime, and how its thread sleeps without missing any of it.
//!
//! A runtime's thread that has nothing to do must sleep, and a wake from another thread must end that sleep,
//! always (invariant 6). The danger is the gap between "I looked, there is nothing" and "I sleep": a wake that
//! falls into it is lost. Here one mutex closes the gap:
//!
//! ```text
//!  owner                                     another thread
//!  -----                                     --------------
//!  lock                                      lock
//!    empty? then parked = true                 push the key
//!  unlock                                      was_parked = take(parked)
//!  sleep in the poller                       unlock
//!                                            if was_parked: write the poller's eventfd
//! ```
//!
//! Either the push comes first, and the owner sees it and does not sleep; or the owner's `parked` comes first,
//! and the pusher sees *it* and writes. The eventfd keeps the signal, so that it also counts when the write
//! comes before the sleep has really begun. `parked` is taken, not read: one write ends one sleep, however
//! many threads push.
//!
//! The mutex is also what makes a poll see all that the waking thread wrote before (invariant 4): the push
//! happens before the take.
//!
//! Models: `inbox`, `inbox_two_wakers`, `registry` (`cargo loom`).

// ANCHOR: fields
use std::collections::VecDeque;
use std::mem;

use crate::base::key::{MAX_RUNTIMES, TaskKey};
use crate::base::memory::{GiveBack, OF_ALL};
use crate::base::shim::atomic::{AtomicBool, Ordering};
use crate::base::shim::{Arc, Mutex, RwLock};

/// Work sent to a runtime's thread: run there, or, when the runtime has ended, dropped where it was sent.
pub type Job = Box<dyn FnOnce() + Send>;

/// One per runtime; shared with every thread that wakes one of its tasks.
pub struct Inbox {
    state: Mutex<State>,
    /// A hint for the owner, which looks at every turn and mostly finds nothing: it saves taking the lock. It
    /// decides nothing; whether to sleep is decided under the lock.
    nonempty: AtomicBool,
    /// Ends the owner's sleep, also one that has not begun yet.
    unpark: Box<dyn Fn() + Send + Sync>,
}

struct State {
    mail: Mail,
    /// The owner sleeps, or is about to.
    parked: bool,
    closed: bool,
}

/// Keys and jobs, each in the order in which they were sent.
#[derive(Default)]
pub struct Mail {
    /// Tasks to wake.
    pub keys: Vec<TaskKey>,
    /// Closures to run.
    pub jobs: VecDeque<Job>,
}

impl Mail {
    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.jobs.is_empty()
    }
}
// ANCHOR_END: fields

// ANCHOR: new
impl Inbox {
    /// An empty inbox, whose owner sleeps until `unpark` is called.
    pub fn new(unpark: Box<dyn Fn() + Send + Sync>) -> Inbox {
        let state = State { mail: Mail::default(), parked: false, closed: false };
        Inbox { state: Mutex::new(state), nonempty: AtomicBool::new(false), unpark }
    }

    /// Any thread: wakes the task of that key. Nothing happens when the runtime has ended.
    pub fn send(&self, key: TaskKey) {
        self.push(|mail| mail.keys.push(key));
    }

    /// Any thread: queues `job` to run on the runtime's thread. Returns it when the runtime has ended.
    pub fn send_job(&self, job: Job) -> Result<(), Job> {
        let mut job = Some(job);
        self.push(|mail| mail.jobs.extend(job.take()));
        job.map_or(Ok(()), Err)
    }
    // ANCHOR_END: new

    // ANCHOR: push
    fn push(&self, put: impl FnOnce(&mut Mail)) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        put(&mut state.mail);
        self.nonempty.store(true, Ordering::Relaxed);
        let was_parked = mem::take(&mut state.parked);
        drop(state);
        if was_parked {
            (self.unpark)();
        }
    }
    // ANCHOR_END: push

    // ANCHOR: looks
    /// Owner: whether to look inside. May be late by one turn, never for good.
    pub fn looks_nonempty(&self) -> bool {
        self.nonempty.load(Ordering::Relaxed)
    }
    // ANCHOR_END: looks

    // ANCHOR: park
    /// Owner: announces a sleep. False when there is mail, and then the owner must not sleep.
    pub fn begin_park(&self) -> bool {
        let mut state = self.state.lock();
        state.parked = state.mail.is_empty();
        state.parked
    }

    /// Owner: takes all keys and at most `jobs` jobs into `mail`, which must be empty. Ends an announced sleep.
    ///
    /// The jobs that are left stay here and count as mail: each would become a task, and a thread can send jobs
    /// faster than the owner can run tasks.
    pub fn take(&self, mail: &mut Mail, jobs: usize) {
        let mut state = self.state.lock();
        state.parked = false;
        mem::swap(&mut state.mail.keys, &mut mail.keys);
        if !state.mail.jobs.is_empty() {
            let jobs = jobs.min(state.mail.jobs.len());
            mail.jobs.extend(state.mail.jobs.drain(..jobs));
            state.mail.jobs.give_back(OF_ALL);
        }
        self.nonempty.store(!state.mail.is_empty(), Ordering::Relaxed);
    }
    // ANCHOR_END: park

    // ANCHOR: close
    /// Owner: takes what is left and lets nothing in any more.
    pub fn close(&self) -> Mail {
        let mut state = self.state.lock();
        state.closed = true;
        mem::take(&mut state.mail)
    }

    /// Whether the runtime has ended.
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }
}
// ANCHOR_END: close

// ANCHOR: registry
/// Which inbox belongs to the runtime number in a key.
///
/// It holds the inboxes strongly, and a runtime takes its own out when it ends. A number is given again as
/// late as possible, so that old keys stay stale for long.
#[derive(Default)]
pub struct Registry {
    inboxes: RwLock<Inboxes>,
}

#[derive(Default)]
struct Inboxes {
    /// By runtime number.
    places: Vec<Option<Arc<Inbox>>>,
    /// The number to try first.
    next: usize,
}

impl Registry {
    /// A number for this inbox, or `None` when 4,095 runtimes are alive.
    pub fn register(&self, inbox: Arc<Inbox>) -> Option<u16> {
        let mut inboxes = self.inboxes.write();
        let limit = usize::from(MAX_RUNTIMES);
        let number = (0..limit)
            .map(|step| (inboxes.next + step) % limit)
            .find(|&number| inboxes.places.get(number).is_none_or(Option::is_none))?;
        inboxes.next = (number + 1) % limit;
        if inboxes.places.len() <= number {
            inboxes.places.resize(number + 1, None);
        }
        inboxes.places[number] = Some(inbox);
        Some(number as u16)
    }

    /// Removes the runtime with this number, which ends: from here on its keys wake no task.
    pub fn unregister(&self, number: u16) {
        let inbox = self.inboxes.write().places.get_mut(usize::from(number)).and_then(Option::take);
        drop(inbox);
    }

    /// Wakes the task of this key, on the runtime that the key says.
    pub fn send(&self, key: TaskKey) {
        if let Some(Some(inbox)) = self.inboxes.read().places.get(usize::from(key.runtime())) {
            inbox.send(key);
        }
    }
}
// ANCHOR_END: registry

// ANCHOR: process
/// The registry of this process.
#[cfg(not(cotask_loom))]
pub(crate) fn registry() -> &'static Registry {
    static REGISTRY: std::sync::LazyLock<Registry> = std::sync::LazyLock::new(Registry::default);
    &REGISTRY
}

#[cfg(cotask_loom)]
pub(crate) use crate::runtime::inside::registry;
// ANCHOR_END: process

#[cfg(all(test, not(cotask_loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    fn inbox() -> (Inbox, Arc<AtomicUsize>) {
        let unparked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&unparked);
        let unpark = move || {
            counted.fetch_add(1, SeqCst);
        };
        (Inbox::new(Box::new(unpark)), unparked)
    }

    fn task(slot: u32) -> TaskKey {
        TaskKey::new(0, 0, slot)
    }

    #[test]
    fn whatever_lies_in_it_keeps_its_owner_awake() {
        let (inbox, _) = inbox();
        let mut mail = Mail::default();
        assert!(!inbox.looks_nonempty() && inbox.begin_park());
        inbox.send(task(7));
        assert!(inbox.looks_nonempty() && !inbox.begin_park());
        inbox.take(&mut mail, 1);
        assert_eq!((mail.keys.drain(..).collect::<Vec<_>>(), mail.jobs.len()), (vec![task(7)], 0));
        assert!(!inbox.looks_nonempty());
        assert!(inbox.send_job(Box::new(|| ())).is_ok());
        assert!(inbox.looks_nonempty() && !inbox.begin_park());
        inbox.take(&mut mail, 1);
        assert_eq!((mail.keys.len(), mail.jobs.len()), (0, 1));
    }

    #[test]
    fn jobs_are_taken_in_portions_and_those_left_keep_its_owner_awake() {
        let (inbox, _) = inbox();
        let (sender, run) = std::sync::mpsc::channel();
        for number in 0..5 {
            let sender = sender.clone();
            assert!(inbox.send_job(Box::new(move || sender.send(number).unwrap())).is_ok());
        }
        inbox.send(task(7));
        let (mut mail, mut keys) = (Mail::default(), Vec::new());
        for portion in [vec![0, 1], vec![], vec![2, 3], vec![4]] {
            assert!(inbox.looks_nonempty() && !inbox.begin_park());
            inbox.take(&mut mail, portion.len());
            keys.append(&mut mail.keys);
            mail.jobs.drain(..).for_each(|job| job());
            assert_eq!(run.try_iter().collect::<Vec<_>>(), portion);
            assert_eq!(keys, [task(7)], "a key does not wait behind jobs");
        }
        assert!(!inbox.looks_nonempty() && inbox.begin_park());
    }

    #[test]
    fn one_write_ends_one_sleep() {
        let (inbox, unparked) = inbox();
        inbox.send(task(1));
        assert_eq!(unparked.load(SeqCst), 0, "it does not sleep");
        inbox.take(&mut Mail::default(), 1);
        assert!(inbox.begin_park());
        inbox.send(task(2));
        inbox.send(task(3));
        assert_eq!(unparked.load(SeqCst), 1);
        inbox.take(&mut Mail::default(), 1);
        assert!(inbox.begin_park());
        // The owner woke for another reason: a thread that pushes now need not write.
        inbox.take(&mut Mail::default(), 1);
        inbox.send(task(4));
        assert_eq!(unparked.load(SeqCst), 1);
    }

    #[test]
    fn closed_it_gives_everything_back() {
        let (inbox, _) = inbox();
        assert!(inbox.send_job(Box::new(|| ())).is_ok() && !inbox.is_closed());
        let left = inbox.close();
        assert_eq!((left.keys.len(), left.jobs.len(), inbox.is_closed()), (0, 1, true));
        inbox.send(task(1));
        assert!(inbox.send_job(Box::new(|| ())).is_err());
        assert!(inbox.close().is_empty());
    }

    #[test]
    fn a_number_is_given_again_as_late_as_possible() {
        let registry = Registry::default();
        let register = || registry.register(Arc::new(inbox().0));
        assert_eq!([register(), register()], [Some(0), Some(1)]);
        registry.unregister(1);
        assert_eq!(register(), Some(2));
        for number in 3..MAX_RUNTIMES {
            assert_eq!(register(), Some(number));
        }
        assert_eq!((register(), register()), (Some(1), None), "all are alive");
        registry.unregister(0);
        registry.unregister(MAX_RUNTIMES - 1);
        assert_eq!((register(), register(), register()), (Some(MAX_RUNTIMES - 1), Some(0), None));
    }

    #[test]
    fn a_key_finds_the_inbox_of_its_runtime() {
        let registry = Registry::default();
        let inboxes: Vec<_> = (0..2).map(|_| Arc::new(inbox().0)).collect();
        inboxes.iter().for_each(|inbox| assert!(registry.register(Arc::clone(inbox)).is_some()));
        registry.send(TaskKey::new(1, 0, 7));
        registry.send(TaskKey::new(2, 0, 8));
        assert_eq!(inboxes.iter().map(|inbox| inbox.looks_nonempty()).collect::<Vec<_>>(), [false, true]);
        registry.unregister(0);
        registry.send(TaskKey::new(0, 0, 9));
        assert!(!inboxes[0].looks_nonempty());
    }
}
