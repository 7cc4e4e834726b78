//! Invariant 7, with its bounds: whatever others do without end, a task that can run does so before a counted number
//! of other polls. Polls are counted, time is not measured.
//!
//! The bounds follow from two numbers of the runtime: a poll may do 128 operations on leaf futures (the budget),
//! and after 61 polls the executor looks outside (at timers, sockets, other threads). There it takes at most 61 jobs,
//! and the next ones only after each task that is queued by then has had its turn.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use cotask::sync::{Mutex, Notify, Semaphore, mpsc, oneshot};
use cotask::time::{interval, sleep};
use cotask::trace::{Event, Outcome};
use cotask::{JoinHandle, block_on, spawn, yield_now};

use crate::probes::settle;

/// Polls between two looks outside.
const POLLS_A_TURN: usize = 61;
/// Jobs of other threads that may start in one round of the run queue.
const JOBS_A_ROUND: usize = 61;
/// Operations that one poll may do.
const BUDGET: usize = 128;

/// Counts the polls of a future in a counter that many share.
fn counted<F: Future>(polls: &Rc<Cell<usize>>, future: F) -> impl Future<Output = F::Output> + use<F> {
    let polls = Rc::clone(polls);
    let mut future = Box::pin(future);
    poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        future.as_mut().poll(cx)
    })
}

async fn yields_for_ever() {
    loop {
        yield_now().await;
    }
}

/// Tasks that never end, and how often they have been polled altogether.
struct Storm {
    polls: Rc<Cell<usize>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Storm {
    fn of<F: Future<Output = ()> + 'static>(size: usize, future: impl Fn() -> F) -> Storm {
        let polls = Rc::default();
        let tasks = (0..size).map(|_| spawn(counted(&polls, future()))).collect();
        Storm { polls, tasks }
    }

    /// How many of its polls `future` has to wait for.
    async fn polls_during<T>(&self, future: impl Future<Output = T>) -> usize {
        let before = self.polls.get();
        future.await;
        self.polls.get() - before
    }

    async fn end(self) {
        for task in self.tasks {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
    }
}

#[test]
fn beside_tasks_that_wake_themselves_each_gets_its_turn_in_every_round() {
    block_on(async {
        for size in [1, 2, 1_000] {
            let storm = Storm::of(size, yields_for_ever);
            settle().await;
            assert_eq!(storm.polls_during(yield_now()).await, size, "one round");
            // A task and its join: a round until it runs, a round until we hear of it.
            let polls = storm.polls_during(spawn(async {})).await;
            assert!(polls <= 2 * size, "{polls} polls of {size} tasks before a new task finished");
            storm.end().await;
        }
    });
}

#[test]
fn a_due_timer_waits_for_one_turn_and_one_round() {
    let runtime = cotask::Runtime::new().unwrap();
    runtime.block_on(async {
        for size in [1, 1_000] {
            let storm = Storm::of(size, yields_for_ever);
            let nap = sleep(Duration::from_millis(1));
            let deadline = nap.deadline();
            let mut nap = Box::pin(nap);
            let mut polls_when_due = None;
            let polls = Rc::clone(&storm.polls);
            poll_fn(|cx| {
                let over = nap.as_mut().poll(cx).is_ready();
                // Ticks are whole milliseconds: from the next one on it is due.
                let due = cotask::time::Instant::now() >= deadline + Duration::from_millis(1);
                if due && polls_when_due.is_none() {
                    polls_when_due = Some(polls.get());
                }
                if over {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            let waited = polls_when_due.map_or(0, |then| storm.polls.get() - then);
            assert!(waited <= POLLS_A_TURN + 2 * size, "{waited} polls after the deadline");
            storm.end().await;
        }
    });
}

#[test]
fn a_wake_from_another_thread_waits_for_one_turn_and_one_round() {
    block_on(async {
        for size in [1, 1_000] {
            let storm = Storm::of(size, yields_for_ever);
            let polls = Rc::clone(&storm.polls);
            let mut woken_at = None;
            let waited = poll_fn(|cx| {
                if let Some(before) = woken_at {
                    return Poll::Ready(polls.get() - before);
                }
                let waker = cx.waker().clone();
                // Joined here, so that the wake has come by the end of this poll.
                std::thread::spawn(move || waker.wake()).join().unwrap();
                woken_at = Some(polls.get());
                Poll::Pending
            })
            .await;
            assert!(waited <= POLLS_A_TURN + size, "{waited} polls of {size} tasks");
            storm.end().await;
        }
    });
}

/// Jobs that wait for the runtime before it looks at the first. `Handle::spawn` may be called on its own thread, so
/// the flood is complete and the test counts instead of racing with a sender.
fn flood(runtime: &cotask::Runtime, jobs: usize, started: &Arc<std::sync::Mutex<Vec<usize>>>) {
    let handle = runtime.handle();
    for job in 0..jobs {
        let started = Arc::clone(started);
        handle.spawn(move || async move { started.lock().unwrap().push(job) });
    }
}

#[test]
fn a_flood_of_spawns_from_other_threads_leaves_each_task_its_turn() {
    const JOBS: usize = 20_000;
    let runtime = cotask::Runtime::new().unwrap();
    runtime.block_on(async {
        for size in [0, 1, 1_000] {
            let storm = Storm::of(size, yields_for_ever);
            settle().await;
            let started: Arc<std::sync::Mutex<Vec<_>>> = Arc::default();
            flood(&runtime, JOBS, &started);
            let (mut seen, mut rounds) = (0, 0);
            while seen < JOBS {
                let before = storm.polls.get();
                yield_now().await;
                let polls = storm.polls.get() - before;
                assert_eq!(polls, size, "each task of the storm has one turn in a round");
                let now = started.lock().unwrap().len();
                assert!(now - seen <= JOBS_A_ROUND, "{} jobs in one round", now - seen);
                let alive = runtime.tasks() - size;
                assert!(alive <= 1 + JOBS_A_ROUND, "{alive} tasks beside the storm: jobs wait outside");
                (seen, rounds) = (now, rounds + 1);
            }
            // Nor do the jobs starve: where polls are long it is one in a turn and a round.
            assert!(rounds <= JOBS * (POLLS_A_TURN + 1), "{rounds} rounds for {JOBS} jobs");
            assert!(started.lock().unwrap().is_sorted(), "first come, first served");
            storm.end().await;
        }
    });
}

#[test]
fn a_timer_is_on_time_beside_a_thread_that_spawns_in_a_loop() {
    let runtime = cotask::Runtime::new().unwrap();
    let start = Instant::now();
    // When the timer is due, in nanoseconds from the start, and how many tasks of the flood have run since.
    let (due, late) = (Arc::new(AtomicU64::new(u64::MAX)), Arc::new(AtomicUsize::new(0)));
    let (handle, stop) = (runtime.handle(), Arc::new(AtomicBool::new(false)));
    let flooding = {
        let (stop, due, late) = (Arc::clone(&stop), Arc::clone(&due), Arc::clone(&late));
        std::thread::spawn(move || {
            // The count only ends a test that fails: the timers below are done before.
            for _ in 0..300_000 {
                if stop.load(Relaxed) {
                    break;
                }
                let (due, late) = (Arc::clone(&due), Arc::clone(&late));
                handle.spawn(move || async move {
                    if start.elapsed().as_nanos() as u64 > due.load(Relaxed) {
                        late.fetch_add(1, Relaxed);
                    }
                });
            }
        })
    };
    runtime.block_on(async {
        for _ in 0..20 {
            let nap = sleep(Duration::from_millis(2));
            // Ticks are whole milliseconds: from the next one on it is due.
            due.store((start.elapsed() + Duration::from_millis(3)).as_nanos() as u64, Relaxed);
            late.store(0, Relaxed);
            nap.await;
            due.store(u64::MAX, Relaxed);
            // Those of the turn under way, the jobs taken with the timer, and all that were queued before its task.
            let late = late.load(Relaxed);
            assert!(late <= POLLS_A_TURN + 2 * JOBS_A_ROUND, "{late} tasks ran after the timer was due");
        }
        stop.store(true, Relaxed);
    });
    flooding.join().unwrap();
}

/// Each of these is always ready, and is awaited in a loop without end. After so many operations as the budget has,
/// the loop must give way.
#[test]
fn leaves_that_are_always_ready_give_way() {
    type Endless = Pin<Box<dyn Future<Output = ()>>>;
    /// Its name, and the loop, which counts its operations.
    type Leaf = (&'static str, fn(Rc<Cell<usize>>) -> Endless);
    fn operations(make: impl Fn(Rc<Cell<usize>>) -> Endless) -> usize {
        block_on(async {
            let done = Rc::new(Cell::new(0));
            let task = spawn(make(Rc::clone(&done)));
            yield_now().await;
            let in_one_poll = done.get();
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            in_one_poll
        })
    }
    fn again(done: &Cell<usize>) {
        done.set(done.get() + 1);
    }
    let leaves: [Leaf; 9] = [
        ("mpsc", |done| {
            Box::pin(async move {
                let (sender, mut receiver) = mpsc::channel(1);
                loop {
                    sender.send(()).await.unwrap();
                    receiver.recv().await.unwrap();
                    again(&done);
                }
            })
        }),
        ("unbounded mpsc", |done| {
            Box::pin(async move {
                let (sender, mut receiver) = mpsc::unbounded_channel();
                loop {
                    sender.send(()).unwrap();
                    receiver.recv().await.unwrap();
                    again(&done);
                }
            })
        }),
        ("oneshot", |done| {
            Box::pin(async move {
                loop {
                    let (sender, receiver) = oneshot::channel();
                    sender.send(()).unwrap();
                    receiver.await.unwrap();
                    again(&done);
                }
            })
        }),
        ("Mutex", |done| {
            Box::pin(async move {
                let mutex = Mutex::new(());
                loop {
                    drop(mutex.lock().await);
                    again(&done);
                }
            })
        }),
        ("Semaphore", |done| {
            Box::pin(async move {
                let semaphore = Semaphore::new(1);
                loop {
                    drop(semaphore.acquire().await.unwrap());
                    again(&done);
                }
            })
        }),
        ("Notify", |done| {
            Box::pin(async move {
                let notify = Notify::new();
                loop {
                    notify.notify_one();
                    notify.notified().await;
                    again(&done);
                }
            })
        }),
        ("sleep", |done| {
            Box::pin(async move {
                loop {
                    sleep(Duration::ZERO).await;
                    again(&done);
                }
            })
        }),
        ("interval", |done| {
            Box::pin(async move {
                // Burst: it has ticks to catch up for a very long time.
                let mut ticks = interval(Duration::from_nanos(1));
                std::thread::sleep(Duration::from_millis(1));
                loop {
                    ticks.tick().await;
                    again(&done);
                }
            })
        }),
        ("JoinHandle", |done| {
            Box::pin(async move {
                let finished: Vec<_> = (0..1_000).map(|_| spawn(async {})).collect();
                yield_now().await;
                for task in finished {
                    task.await.unwrap();
                    again(&done);
                }
                std::future::pending().await
            })
        }),
    ];
    for (name, leaf) in leaves {
        let in_one_poll = operations(leaf);
        assert!(in_one_poll <= BUDGET, "{name}: {in_one_poll} operations in one poll");
        // A uselessly small budget would pass the test above.
        let expected = if name == "JoinHandle" { 0 } else { BUDGET / 2 };
        assert!(in_one_poll >= expected, "{name}: only {in_one_poll} operations in one poll");
    }
}

#[test]
fn a_budget_is_the_tasks_not_the_futures() {
    block_on(async {
        let done = Rc::new(Cell::new(0));
        let endless = || async {
            loop {
                sleep(Duration::ZERO).await;
                done.set(done.get() + 1);
            }
        };
        // Both in one task: when the first has been refused, the second must not go on without a bound.
        let mut both = Box::pin(futures::future::join(endless(), endless()));
        for round in 1..=3 {
            poll_fn(|cx| {
                let _ = both.as_mut().poll(cx);
                Poll::Ready(())
            })
            .await;
            assert_eq!(done.get(), round * BUDGET);
            yield_now().await;
        }
    });
}

#[test]
fn a_task_that_uses_its_budget_to_the_end_and_then_waits_does_not_give_way() {
    let runtime = cotask::Builder::new().trace(1_000).build().unwrap();
    runtime.block_on(async {
        for operations in [BUDGET - 1, BUDGET, BUDGET + 1] {
            let task = spawn(async move {
                for _ in 0..operations {
                    sleep(Duration::ZERO).await;
                }
                std::future::pending::<()>().await
            });
            let id = task.id();
            settle().await;
            let trace = runtime.take_trace();
            let gave_way = Event::PollEnded { task: id, outcome: Outcome::BudgetSpent };
            let gave_way = trace.records.iter().filter(|record| record.event == gave_way).count();
            assert_eq!(gave_way, usize::from(operations > BUDGET), "{operations} operations");
            task.abort();
        }
    });
}

#[test]
fn waiting_costs_no_budget() {
    block_on(async {
        // More idle channels than the budget has operations, and a message in the last: a poll must get there.
        let (mut senders, receivers): (Vec<_>, Vec<_>) = (0..500).map(|_| oneshot::channel()).unzip();
        let polls = Rc::default();
        let select = spawn(counted(&polls, futures::future::select_all(receivers)));
        settle().await;
        assert_eq!(polls.get(), 1, "a task that only waits gave way");
        senders.pop().unwrap().send(7).unwrap();
        let (output, index, _rest) = select.await.unwrap();
        assert_eq!((output, index), (Ok(7), 499));
    });
}

#[test]
fn two_that_wake_each_other_leave_room_for_a_third() {
    block_on(async {
        let (ping, mut pinged) = mpsc::unbounded_channel();
        let (pong, mut ponged) = mpsc::unbounded_channel();
        let polls = Rc::default();
        let players = [
            spawn(counted(&polls, async move {
                loop {
                    ping.send(()).unwrap();
                    ponged.recv().await.unwrap();
                }
            })),
            spawn(counted(&polls, async move {
                loop {
                    pinged.recv().await.unwrap();
                    pong.send(()).unwrap();
                }
            })),
        ];
        settle().await;
        for _ in 0..100 {
            let before = polls.get();
            yield_now().await;
            assert!(polls.get() - before <= 2, "a LIFO slot keeps the two among themselves");
        }
        players.iter().for_each(JoinHandle::abort);
    });
}

/// Work that yields, and computes for 2 ms each time: the runtime learns from the first turns to look outside sooner.
#[test]
fn timers_wait_for_few_of_long_polls() {
    block_on(async {
        let polls = Rc::new(Cell::new(0));
        let mut work = spawn(counted(&polls, async {
            for _ in 0..300 {
                let until = cotask::time::Instant::now() + Duration::from_millis(2);
                while cotask::time::Instant::now() < until {}
                yield_now().await;
            }
        }));
        let mut between_ticks = Vec::new();
        let mut seen = 0;
        while !work.is_finished() {
            sleep(Duration::from_millis(1)).await;
            between_ticks.push(polls.get() - seen);
            seen = polls.get();
        }
        (&mut work).await.unwrap();
        let (_, later) = between_ticks.split_at(2);
        assert!(later.iter().all(|polls| *polls <= 5), "{between_ticks:?}");
    });
}
