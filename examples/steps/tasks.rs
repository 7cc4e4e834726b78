//! The executor of step 7, on which steps 8 to 11 run as it is: a run queue, `spawn`
//! and `join`, and a place to sleep.
//!
//! ```text
//!   wake ----> run queue ----> poll ----> ready: the task is over, its future is dropped
//!    ^                          |
//!    +---- whoever has the <----+-------> pending: its future is put back
//!          task's waker                   nothing in the queue? then park
//! ```

#![allow(dead_code, reason = "no step uses all of it")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use super::help::record;

// ANCHOR: park
/// Where the thread sleeps when no task can run.
pub trait Park {
    /// Sleeps until something may have happened. May return for no reason.
    fn park(&self);
    /// What ends that sleep, from any thread; called before the sleep, it ends the next
    /// one at once.
    fn unparker(&self) -> Unpark;
    /// Takes in what has happened, without sleeping. Step 11 shows what for.
    fn look(&self) {}
}

pub type Unpark = Box<dyn Fn() + Send + Sync>;

/// Sleeps as step 6 did.
pub struct ThisThread;

impl Park for ThisThread {
    fn park(&self) {
        record::parked(None);
        thread::park();
        record::unparked();
    }

    fn unparker(&self) -> Unpark {
        let thread = thread::current();
        Box::new(move || thread.unpark())
    }
}
// ANCHOR_END: park

// ANCHOR: queue
/// The tasks to poll next. Any thread may put one in, so it has a lock.
struct RunQueue {
    state: Mutex<Runnable>,
    unpark: Unpark,
}

#[derive(Default)]
struct Runnable {
    order: VecDeque<u64>,
    /// Those in `order`, so that a task woken twice is in there once.
    queued: BTreeSet<u64>,
}

impl RunQueue {
    fn push(&self, id: u64) {
        let mut state = self.state.lock().unwrap();
        if state.queued.insert(id) {
            state.order.push_back(id);
            record::scheduled(id);
            drop(state);
            (self.unpark)();
        }
    }

    /// Takes the next one out, with its mark, *before* it is polled: a wake during the
    /// poll puts it in again.
    fn pop(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap();
        let id = state.order.pop_front()?;
        state.queued.remove(&id);
        Some(id)
    }
}

/// What a task's waker holds: which task to wake, and where.
struct TaskWaker {
    id: u64,
    queue: Arc<RunQueue>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.queue.push(self.id);
    }
}
// ANCHOR_END: queue

// ANCHOR: executor
type Body = Pin<Box<dyn Future<Output = ()>>>;

struct Executor {
    queue: Arc<RunQueue>,
    /// The futures of the tasks that are alive, but for the one that is being polled.
    bodies: RefCell<BTreeMap<u64, Body>>,
    next_id: Cell<u64>,
}

thread_local! {
    static EXECUTOR: RefCell<Option<Rc<Executor>>> = const { RefCell::new(None) };
}

/// The future of `block_on`: it stays where its caller has it.
const ROOT: u64 = 0;
/// Polls between two looks at what has happened outside.
const TURN: u64 = 61;

/// Runs a future, and the tasks that it spawns, until the future is ready.
#[track_caller]
pub fn block_on<F: Future>(park: &impl Park, future: F) -> F::Output {
    let state = Mutex::default();
    let queue = Arc::new(RunQueue { state, unpark: park.unparker() });
    let executor = Rc::new(Executor {
        queue,
        bodies: RefCell::default(),
        next_id: Cell::new(ROOT + 1),
    });
    let before = EXECUTOR.replace(Some(Rc::clone(&executor)));
    let mut future = pin!(future);
    record::spawned(ROOT, "block_on");
    executor.queue.push(ROOT);
    let mut polls = 0;
    let output = loop {
        let Some(id) = executor.queue.pop() else {
            park.park();
            continue;
        };
        if id != ROOT {
            executor.turn(id);
        } else if let Poll::Ready(output) = executor.poll(ROOT, future.as_mut()) {
            break output;
        }
        polls += 1;
        if polls % TURN == 0 {
            park.look();
        }
    };
    // The tasks that are left are dropped here, on their own thread, and their drops
    // may still spawn and wake. The braces end the borrow before the drop.
    while let Some((_, body)) = { executor.bodies.borrow_mut().pop_first() } {
        drop(body);
    }
    EXECUTOR.set(before);
    output
}

impl Executor {
    fn turn(&self, id: u64) {
        // Out of the map while it is polled, so that the poll may spawn. None: the task
        // has finished.
        let Some(mut body) = ({ self.bodies.borrow_mut().remove(&id) }) else { return };
        if self.poll(id, body.as_mut()).is_pending() {
            self.bodies.borrow_mut().insert(id, body);
        }
    }

    fn poll<F: Future + ?Sized>(&self, id: u64, future: Pin<&mut F>) -> Poll<F::Output> {
        let waker =
            Waker::from(Arc::new(TaskWaker { id, queue: Arc::clone(&self.queue) }));
        record::poll_began(id);
        let polled = future.poll(&mut Context::from_waker(&waker));
        record::poll_ended(id, if polled.is_ready() { "finished" } else { "pending" });
        polled
    }
}
// ANCHOR_END: executor

// ANCHOR: spawn
/// What a task has come to. One value, not two flags: no reader can see the one set and
/// the other not yet.
enum Outcome<T> {
    Running(Option<Waker>),
    Done(T),
    Taken,
}

/// The right to a task's result; a future of it.
pub struct JoinHandle<T> {
    task: u64,
    outcome: Rc<Cell<Outcome<T>>>,
}

/// Starts a task beside those that run.
///
/// # Panics
/// Outside of `block_on`.
#[track_caller]
pub fn spawn<T: 'static>(
    name: &str,
    future: impl Future<Output = T> + 'static,
) -> JoinHandle<T> {
    let executor = EXECUTOR
        .with_borrow(|executor| executor.clone())
        .expect("spawn: call it inside of block_on");
    let outcome = Rc::new(Cell::new(Outcome::Running(None)));
    let of_task = Rc::clone(&outcome);
    let body = async move {
        let output = future.await;
        if let Outcome::Running(Some(joiner)) = of_task.replace(Outcome::Done(output)) {
            joiner.wake();
        }
    };
    let id = executor.next_id.replace(executor.next_id.get() + 1);
    executor.bodies.borrow_mut().insert(id, Box::pin(body));
    record::spawned(id, name);
    executor.queue.push(id);
    JoinHandle { task: id, outcome }
}

impl<T> Future for JoinHandle<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let waker = cx.waker().clone();
        match self.outcome.replace(Outcome::Taken) {
            Outcome::Done(output) => Poll::Ready(output),
            Outcome::Running(_) => {
                // The last waker given is the one to wake.
                self.outcome.set(Outcome::Running(Some(waker)));
                record::waits_for_end(self.task);
                Poll::Pending
            }
            Outcome::Taken => {
                panic!("a JoinHandle was polled after it had given the task's result")
            }
        }
    }
}
// ANCHOR_END: spawn

// ANCHOR: yield_now
/// Lets the other tasks that can run go first.
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref(); // a wake during the poll
        Poll::Pending
    })
    .await;
}
// ANCHOR_END: yield_now
