//! What the two unsafe expressions buy: the same work on the kit's runtime and on a runtime of a hundred lines that has
//! none. That one has the whole state of a task in one `Arc`, `std::task::Wake` for a waker, and a box for each future.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use anyhow::Result;

/// What a waker of the safe runtime owns. It may go to any thread, so the future cannot be in it: a slot names that.
// ANCHOR: header
struct Header {
    slot: usize,
    scheduled: AtomicBool,
    owner: ThreadId,
    /// Wakes from other threads.
    remote: Arc<Mutex<Vec<Arc<Header>>>>,
}

impl Wake for Header {
    fn wake(self: Arc<Self>) {
        if self.scheduled.swap(true, Ordering::AcqRel) {
            return;
        }
        if thread::current().id() == self.owner {
            QUEUE.with_borrow_mut(|queue| queue.push_back(self));
        } else {
            self.remote.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&self));
        }
    }
}

thread_local! {
    static QUEUE: RefCell<VecDeque<Arc<Header>>> = const { RefCell::new(VecDeque::new()) };
}
// ANCHOR_END: header

// ANCHOR: safe
type Pinned = Pin<Box<dyn Future<Output = ()>>>;

/// An executor without a line of unsafe code. It knows no panics, no abort, no sleep and no budget.
#[derive(Default)]
struct Safe {
    futures: RefCell<Vec<Option<Pinned>>>,
    free: RefCell<Vec<usize>>,
    remote: Arc<Mutex<Vec<Arc<Header>>>>,
}

impl Safe {
    fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let mut futures = self.futures.borrow_mut();
        let slot = self.free.borrow_mut().pop().unwrap_or_else(|| {
            futures.push(None);
            futures.len() - 1
        });
        futures[slot] = Some(Box::pin(future));
        let (owner, remote) = (thread::current().id(), Arc::clone(&self.remote));
        let header = Header { slot, scheduled: AtomicBool::new(true), owner, remote };
        QUEUE.with_borrow_mut(|queue| queue.push_back(Arc::new(header)));
    }

    /// Polls until nothing is runnable.
    fn run(&self) {
        while let Some(header) = QUEUE.with_borrow_mut(VecDeque::pop_front) {
            header.scheduled.store(false, Ordering::Release);
            let slot = header.slot;
            let taken = self.futures.borrow_mut()[slot].take();
            let Some(mut future) = taken else { continue };
            let waker = Waker::from(header);
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => self.futures.borrow_mut()[slot] = Some(future),
                Poll::Ready(()) => self.free.borrow_mut().push(slot),
            }
        }
    }
}
// ANCHOR_END: safe

const TASKS: u32 = 1_000;
const YIELDS: u32 = 100;
const ROUNDS: usize = 41;

/// The shortest of some runs, an operation: what disturbs a run only ever makes it longer.
fn nanos(operations: u32, mut run: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    times.min().unwrap_or(Duration::MAX).as_nanos() as f64 / f64::from(operations)
}

/// Clones and drops a waker in the poll of a task, as each leaf future that waits does.
fn clones(cx: &mut Context<'_>) -> f64 {
    let waker = cx.waker();
    nanos(10_000, || (0..10_000).for_each(|_| drop(black_box(waker.clone()))))
}

async fn yields() {
    for _ in 0..YIELDS {
        cotask::yield_now().await;
    }
}

// ANCHOR: scene
pub(crate) fn scene() -> Result<()> {
    let runtime = cotask::Runtime::new()?;
    let safe = Safe::default();
    let spawned = nanos(TASKS, || {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..TASKS).map(|_| cotask::spawn(async {})).collect();
            for task in tasks {
                task.await.expect("an empty task ends");
            }
        });
    });
    let spawned_safe = nanos(TASKS, || {
        (0..TASKS).for_each(|_| safe.spawn(async {}));
        safe.run();
    });
    let yielded = nanos(TASKS * YIELDS, || {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..TASKS).map(|_| cotask::spawn(yields())).collect();
            for task in tasks {
                task.await.expect("it ends");
            }
        });
    });
    let yielded_safe = nanos(TASKS * YIELDS, || {
        (0..TASKS).for_each(|_| safe.spawn(yields()));
        safe.run();
    });
    let cloned = runtime.block_on(std::future::poll_fn(|cx| Poll::Ready(clones(cx))));
    let result = Rc::new(RefCell::new(0.0));
    let cloned_safe = Rc::clone(&result);
    safe.spawn(std::future::poll_fn(move |cx| {
        cloned_safe.replace(clones(cx));
        Poll::Ready(())
    }));
    safe.run();

    println!("nanoseconds an operation          two unsafe   none");
    println!("clone and drop a waker            {cloned:10.1} {:6.1}", result.borrow());
    println!("wake and poll, 1,000 tasks yield  {yielded:10.1} {yielded_safe:6.1}");
    println!("spawn, poll, end                  {spawned:10.1} {spawned_safe:6.1}");
    Ok(())
}
// ANCHOR_END: scene
