//! What cotask's two unsafe expressions buy: the same work on an executor without any,
//! and on cotask.
//!
//! `cargo run --release --example steps_all_safe`
//!
//! The executor here is step 7's, made as fast as safe code lets it: a slab instead of
//! a map, a waker made once a task, a queue without a lock for wakes from the loop's
//! own thread. What safe Rust does not let it do is the rest of the way:
//! `std::task::Wake` needs an `Arc` for each task, which every clone of a waker counts
//! up and down, and `Pin<Box<dyn Future>>` needs an allocation of its own. It knows no
//! panics, no abort, no budget, no sockets; cotask, which it is measured against, does.

mod help;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use help::cpu_time;
use slab::Slab;

// ANCHOR: safe
/// A task as its wakers see it. The `Arc` is the first allocation.
struct Header {
    slot: usize,
    queued: AtomicBool,
    home: Arc<Home>,
}

/// Where wakes from other threads go.
struct Home {
    thread: Thread,
    mail: Mutex<Vec<Arc<Header>>>,
}

struct Task {
    header: Arc<Header>,
    /// What is polled, and the waker that this is polled with. Taken out meanwhile.
    body: Option<(Waker, Body)>,
}

/// The second allocation. `None` stands for the future of `block_on`, which stays where
/// its caller has it.
type Body = Option<Pin<Box<dyn Future<Output = ()>>>>;

thread_local! {
    static QUEUE: RefCell<VecDeque<Arc<Header>>> = const { RefCell::new(VecDeque::new()) };
    static TASKS: RefCell<Slab<Task>> = const { RefCell::new(Slab::new()) };
    static HOME: Arc<Home> = Arc::new(Home { thread: thread::current(), mail: Mutex::default() });
}

impl Wake for Header {
    fn wake(self: Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        if HOME.with(|home| Arc::ptr_eq(home, &self.home)) {
            QUEUE.with_borrow_mut(|queue| queue.push_back(self));
        } else {
            let home = Arc::clone(&self.home);
            home.mail.lock().unwrap().push(self);
            home.thread.unpark();
        }
    }
}

fn spawn<T: 'static>(
    future: impl Future<Output = T> + 'static,
) -> impl Future<Output = T> {
    let outcome = Rc::new(Outcome { value: Cell::new(None), joiner: Cell::new(None) });
    let of_task = Rc::clone(&outcome);
    let body = async move {
        of_task.value.set(Some(future.await));
        if let Some(joiner) = of_task.joiner.take() {
            joiner.wake();
        }
    };
    insert(Some(Box::pin(body)));
    poll_fn(move |cx| match outcome.value.take() {
        Some(value) => Poll::Ready(value),
        None => {
            outcome.joiner.set(Some(cx.waker().clone()));
            Poll::Pending
        }
    })
}

fn insert(body: Body) -> usize {
    TASKS.with_borrow_mut(|tasks| {
        let entry = tasks.vacant_entry();
        let (slot, home) = (entry.key(), HOME.with(Arc::clone));
        let header = Arc::new(Header { slot, queued: AtomicBool::new(false), home });
        let waker = Waker::from(Arc::clone(&header));
        entry.insert(Task { header: Arc::clone(&header), body: Some((waker, body)) });
        header.wake();
        slot
    })
}

/// What became of a task, and who waits for it.
struct Outcome<T> {
    value: Cell<Option<T>>,
    joiner: Cell<Option<Waker>>,
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let root = insert(None);
    loop {
        let Some(header) = QUEUE.with_borrow_mut(VecDeque::pop_front) else {
            let mail = HOME.with(|home| mem::take(&mut *home.mail.lock().unwrap()));
            if mail.is_empty() {
                thread::park();
            }
            QUEUE.with_borrow_mut(|queue| queue.extend(mail));
            continue;
        };
        // A slot may have a new task by now: then this header is of one that has ended.
        let found = TASKS.with_borrow_mut(|tasks| {
            let task = tasks
                .get_mut(header.slot)
                .filter(|task| Arc::ptr_eq(&task.header, &header))?;
            task.body.take()
        });
        let Some((waker, mut body)) = found else { continue };
        // A swap: it must see what the waking thread wrote.
        header.queued.swap(false, Ordering::AcqRel);
        let mut cx = Context::from_waker(&waker);
        let polled = match &mut body {
            Some(body) => body.as_mut().poll(&mut cx),
            None => match future.as_mut().poll(&mut cx) {
                Poll::Ready(output) => {
                    TASKS.with_borrow_mut(|tasks| tasks.remove(root));
                    return output;
                }
                Poll::Pending => Poll::Pending,
            },
        };
        let over = TASKS.with_borrow_mut(|tasks| match polled {
            Poll::Ready(()) => Some((tasks.remove(header.slot), body)),
            Poll::Pending => {
                tasks[header.slot].body = Some((waker, body));
                None
            }
        });
        drop(over); // foreign code, with nothing borrowed
    }
}
// ANCHOR_END: safe

// ANCHOR: work
const TASKS_AT_ONCE: u64 = 1_000;
const BATCHES: u64 = 100;
const YIELDS: u64 = 100;

/// The same work on either; a macro, because the two spawn with different types.
macro_rules! work {
    ($block_on:path, $spawn:path, $value:expr) => {
        [
            nanos(BATCHES * TASKS_AT_ONCE, || {
                $block_on(async {
                    for _ in 0..BATCHES {
                        let tasks: Vec<_> = (0..TASKS_AT_ONCE)
                            .map(|number| $spawn(async move { number }))
                            .collect();
                        for (expected, task) in (0..).zip(tasks) {
                            assert_eq!($value(task.await), expected);
                        }
                    }
                })
            }),
            nanos(YIELDS * TASKS_AT_ONCE, || {
                $block_on(async {
                    let yields = || async {
                        for _ in 0..YIELDS {
                            cotask::yield_now().await;
                        }
                    };
                    let tasks: Vec<_> =
                        (0..TASKS_AT_ONCE).map(|_| $spawn(yields())).collect();
                    for task in tasks {
                        $value(task.await);
                    }
                })
            }),
        ]
    };
}

/// CPU nanoseconds an operation.
fn nanos(operations: u64, work: impl FnOnce()) -> f64 {
    let before = cpu_time();
    work();
    (cpu_time() - before).as_nanos() as f64 / operations as f64
}
// ANCHOR_END: work

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let _recording = help::begin(
        "What two unsafe expressions buy: an executor without any, beside cotask",
    );
    let mut rounds = Vec::new();
    // Unoptimised the figures mean nothing: then one round shows that it works.
    for _ in 0..if cfg!(debug_assertions) { 1 } else { 15 } {
        let safe = work!(block_on, spawn, |value| value);
        let cotask =
            work!(cotask::block_on, cotask::spawn, |joined: Result<_, _>| joined
                .unwrap());
        rounds.push((safe, cotask));
    }
    println!("CPU time an operation, medians of {} rounds", rounds.len());
    println!("{:<24}{:>10}{:>10}   all safe / cotask", "", "all safe", "cotask");
    for (row, words) in ["spawn and join", "yield, 1,000 tasks"].into_iter().enumerate() {
        let safe = median(rounds.iter().map(|(safe, _)| safe[row]).collect());
        let cotask = median(rounds.iter().map(|(_, cotask)| cotask[row]).collect());
        let ratio =
            median(rounds.iter().map(|(safe, cotask)| safe[row] / cotask[row]).collect());
        println!(
            "{words:<24}{:>10}{:>10}   {ratio:.2}",
            format!("{safe:.0} ns"),
            format!("{cotask:.0} ns")
        );
    }
}
