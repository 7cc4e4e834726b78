//! Memory after a peak: what grows with the load shrinks with it. An allocator counts the bytes that are held. The
//! resident size would show what the system's allocator keeps for itself as well.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use cotask::sync::{Mutex as AsyncMutex, Notify, Semaphore, mpsc};
use cotask::time::sleep;
use cotask::{Builder, JoinHandle, JoinSet, Runtime, blocking, spawn, spawn_blocking, yield_now};
use futures::future::join_all;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes on to the system's allocator as it came; a counter has no part in what is given out.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_add(size, Relaxed);
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const PEAK: usize = 100_000;

/// One test at a time: the counter is the process's.
struct Watched {
    before: usize,
    peak: usize,
    _alone: MutexGuard<'static, ()>,
}

impl Watched {
    fn new() -> Watched {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Watched { before: HELD.load(Relaxed), peak: 0, _alone: alone }
    }

    fn held(&self) -> usize {
        HELD.load(Relaxed).saturating_sub(self.before)
    }

    /// Now the load is at its highest: at least so many bytes for each of the 100,000.
    fn at_the_peak(&mut self, each: usize) {
        self.peak = self.held();
        assert!(self.peak >= each * PEAK, "only {} bytes at the peak", self.peak);
    }

    /// Now it is gone. What is held then is what small queues keep, and the harness's own.
    fn afterwards(&self) {
        let held = self.held();
        assert!(held <= self.peak / 100 + 100_000, "{held} bytes are held of {}", self.peak);
    }
}

#[test]
fn a_channel_gives_memory_back() {
    let mut watched = Watched::new();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    (0..PEAK).for_each(|_| sender.send([0_u8; 128]).unwrap());
    watched.at_the_peak(128);
    // Never empty.
    while receiver.len() > 10 {
        receiver.try_recv().unwrap();
    }
    watched.afterwards();
}

#[test]
fn a_bounded_channel_gives_memory_back() {
    let mut watched = Watched::new();
    let (sender, mut receiver) = mpsc::channel(PEAK);
    (0..PEAK).for_each(|_| sender.try_send([0_u8; 128]).unwrap());
    watched.at_the_peak(128);
    while receiver.try_recv().is_ok() {}
    watched.afterwards();
}

#[test]
fn senders_that_wait_for_room_give_memory_back() {
    let mut watched = Watched::new();
    let (sender, mut receiver) = mpsc::channel(1);
    sender.try_send(0).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut sending: Vec<_> = (0..PEAK).map(|_| Box::pin(sender.send(0))).collect();
    sending.iter_mut().for_each(|send| assert!(send.as_mut().poll(&mut cx).is_pending()));
    watched.at_the_peak(64);
    sending.clear();
    sending.shrink_to_fit();
    while receiver.try_recv().is_ok() {}
    watched.afterwards();
}

/// Polls so many futures that all wait, and drops them in the order given.
fn wait_and_leave<F: Future>(make: impl Fn() -> F, backwards: bool) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut waiting: Vec<_> = (0..PEAK).map(|_| Box::pin(make())).collect();
    waiting.iter_mut().for_each(|wait| assert!(wait.as_mut().poll(&mut cx).is_pending()));
    if backwards {
        waiting.reverse();
    }
    drop(waiting);
}

#[test]
fn lists_of_waiters_give_memory_back() {
    let mut watched = Watched::new();
    watched.peak = 64 * PEAK;
    let (semaphore, notify, lock) = (Semaphore::new(0), Notify::new(), AsyncMutex::new(()));
    let locked = lock.try_lock().unwrap();
    for backwards in [false, true] {
        wait_and_leave(|| semaphore.acquire(), backwards);
        wait_and_leave(|| notify.notified(), backwards);
        wait_and_leave(|| lock.lock(), backwards);
        watched.afterwards();
    }
    drop(locked);
}

/// A runtime gives memory back before its thread sleeps. On a virtual clock this takes no time, but it does sleep.
fn runtime() -> Runtime {
    Builder::new().virtual_time().build().unwrap()
}

async fn thread_sleeps() {
    sleep(Duration::from_millis(1)).await;
}

/// Tasks that end in this order, with few that stay.
fn spawn_and_end(order: impl Fn(usize) -> usize) {
    let mut watched = Watched::new();
    let runtime = runtime();
    runtime.block_on(async {
        let stay: Vec<JoinHandle<()>> = (0..10).map(|_| spawn(pending())).collect();
        let mut tasks: Vec<Option<JoinHandle<()>>> = (0..PEAK).map(|_| Some(spawn(pending()))).collect();
        yield_now().await;
        watched.at_the_peak(64);
        for turn in 0..PEAK {
            let task = tasks[order(turn)].take().unwrap();
            task.abort();
            // Some are joined, so that tasks end while others are still there.
            if turn % 1_000 == 0 {
                drop(task.await);
                thread_sleeps().await;
            }
        }
        yield_now().await;
        drop(tasks);
        assert_eq!(runtime.tasks(), 11);
        thread_sleeps().await;
        watched.afterwards();
        // It still works, and it goes up and down again.
        let again: Vec<_> = (0..PEAK).map(|n| spawn(async move { n })).collect();
        for (expected, task) in again.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), expected);
        }
        thread_sleeps().await;
        watched.afterwards();
        stay.iter().for_each(|task| assert!(!task.is_finished()));
    });
}

#[test]
fn tasks_that_end_first_come_first_served_give_memory_back() {
    spawn_and_end(|turn| turn);
}

#[test]
fn tasks_that_end_last_come_first_give_memory_back() {
    spawn_and_end(|turn| PEAK - 1 - turn);
}

#[test]
fn tasks_that_end_in_any_order_give_memory_back() {
    // 7,919 is a prime and no factor of 100,000, so each comes once.
    spawn_and_end(|turn| turn * 7_919 % PEAK);
}

/// Invariant 3, where a slot's memory was given back in between.
#[test]
fn a_waker_that_outlived_its_slot_reaches_no_later_task() {
    const TASKS: usize = 10_000;
    let watched = Watched::new();
    let runtime = runtime();
    runtime.block_on(async {
        let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
        let polls: Rc<Cell<usize>> = Rc::default();
        let spawn_all = || {
            let spawn_one = |_| {
                let (wakers, polls) = (Rc::clone(&wakers), Rc::clone(&polls));
                spawn(poll_fn(move |cx| {
                    wakers.borrow_mut().push(cx.waker().clone());
                    polls.set(polls.get() + 1);
                    Poll::<()>::Pending
                }))
            };
            (0..TASKS).map(spawn_one).collect::<Vec<_>>()
        };
        let mut stale = Vec::new();
        for round in 1..=3 {
            let held = watched.held();
            let tasks = spawn_all();
            yield_now().await;
            assert_eq!(polls.take(), TASKS);
            stale.iter().for_each(Waker::wake_by_ref);
            yield_now().await;
            assert_eq!(polls.take(), 0, "in round {round} an old waker woke a new task");
            tasks.iter().for_each(JoinHandle::abort);
            for task in tasks {
                assert!(task.await.unwrap_err().is_cancelled());
            }
            thread_sleeps().await;
            stale.append(&mut wakers.take());
            let left = (watched.held() - held).saturating_sub(stale.capacity() * size_of::<Waker>());
            assert!(left < 20 * TASKS, "{left} bytes are left: the slots were not given back");
        }
    });
}

#[test]
fn tasks_that_slept_give_memory_back() {
    let mut watched = Watched::new();
    let runtime = runtime();
    runtime.block_on(async {
        // A timer and a task that stay.
        let ticking = spawn(sleep(Duration::from_secs(3_600)));
        let sleepers = (0..PEAK).map(|n| spawn(sleep(Duration::from_millis(1 + n as u64 % 5_000))));
        let mut sleepers: Vec<_> = sleepers.collect();
        yield_now().await;
        watched.at_the_peak(150);
        for sleeper in &mut sleepers {
            sleeper.await.unwrap();
        }
        drop(sleepers);
        thread_sleeps().await;
        watched.afterwards();
        assert!(!ticking.is_finished());
        ticking.abort();
    });
}

#[test]
fn timers_that_are_cancelled_give_memory_back() {
    let mut watched = Watched::new();
    let runtime = runtime();
    runtime.block_on(async {
        let mut cx = Context::from_waker(Waker::noop());
        let far = || Box::pin(sleep(Duration::from_secs(3_600)));
        let mut kept = far();
        assert!(kept.as_mut().poll(&mut cx).is_pending());
        let mut sleeps: Vec<_> = (0..PEAK).map(|_| far()).collect();
        sleeps.iter_mut().for_each(|sleep| assert!(sleep.as_mut().poll(&mut cx).is_pending()));
        watched.at_the_peak(40);
        drop(sleeps);
        thread_sleeps().await;
        watched.afterwards();
        drop(kept);
    });
}

#[test]
fn an_inbox_that_was_full_of_jobs_gives_memory_back() {
    let mut watched = Watched::new();
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle();
    let started = Arc::new(AtomicUsize::new(0));
    for _ in 0..PEAK {
        let started = Arc::clone(&started);
        handle.spawn(move || async move {
            started.fetch_add(1, Relaxed);
        });
    }
    watched.at_the_peak(64);
    runtime.block_on(async {
        while started.load(Relaxed) < PEAK {
            yield_now().await;
        }
    });
    watched.afterwards();
}

#[test]
fn an_inbox_that_was_full_of_names_gives_memory_back() {
    let mut watched = Watched::new();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
        let wait = || {
            let (wakers, mut polls) = (Rc::clone(&wakers), 0);
            spawn(poll_fn(move |cx| {
                polls += 1;
                if polls == 1 {
                    wakers.borrow_mut().push(cx.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(())
            }))
        };
        let tasks: Vec<_> = (0..PEAK).map(|_| wait()).collect();
        yield_now().await;
        let wakers = wakers.take();
        // Joined within this poll, so that all of them lie in the inbox at once.
        thread::spawn(move || wakers.iter().for_each(Waker::wake_by_ref)).join().unwrap();
        watched.at_the_peak(8);
        for task in tasks {
            task.await.unwrap();
        }
    });
    watched.afterwards();
}

#[test]
fn a_set_of_tasks_gives_memory_back() {
    let mut watched = Watched::new();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let mut set = JoinSet::new();
        (0..PEAK).for_each(|n| set.spawn(async move { n }));
        watched.at_the_peak(64);
        while set.join_next().await.is_some() {}
    });
    watched.afterwards();
}

#[test]
fn a_blocking_pool_gives_memory_back() {
    let mut watched = Watched::new();
    let config = blocking::Config { max_threads: 1, ..Default::default() };
    let runtime = Builder::new().blocking(config).build().unwrap();
    runtime.block_on(async {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let gate = spawn_blocking(move || wait.recv().is_err());
        let jobs: Vec<_> = (0..PEAK).map(|_| spawn_blocking(|| ())).collect();
        watched.at_the_peak(64);
        drop(go);
        assert!(gate.await.unwrap());
        for job in join_all(jobs).await {
            job.unwrap();
        }
        watched.afterwards();
    });
}
