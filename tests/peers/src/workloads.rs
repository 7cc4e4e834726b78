//! The work of the rows without a server, written once.
//!
//! Each file in `runtimes/` compiles this module against its own `run`, `spawn`, `value`, `yield_now`, `sleep` and
//! `channel`. That every peer does the same work is then a fact of the build, and each runtime's own bounds
//! (`Send` for tokio, none for the others) are checked by inference and need no common trait.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures::task::AtomicWaker;

use super::{channel, run, sleep, spawn, value, yield_now};
use crate::rows::Row;
use crate::sample::{Sample, Stopwatch};

/// Runs the work once at a tenth of its size, to fault in memory and warm the caches, then measures it.
macro_rules! warmed {
    ($operations:expr, $work:expr) => {{
        let operations: u64 = $operations;
        run(async move {
            let work = $work;
            let _warm_up = work((operations / 10).max(1)).await;
            work(operations).await
        })
    }};
}

/// Measures one row inside a task of this runtime; `None` where the row is not of this kind.
pub(crate) fn measure(row: Row, operations: u64) -> Option<Sample> {
    Some(match row {
        Row::SpawnJoin1m => warmed!(operations, |n| spawn_join(n, n)),
        Row::SpawnJoinBatch => warmed!(operations, |n| spawn_join(n, 1_000)),
        Row::Yield2 => warmed!(operations, |n| yields(n, 2)),
        Row::Yield1000 => warmed!(operations, |n| yields(n, 1_000)),
        Row::PingpongOwn => warmed!(operations, |n| pingpong_own(n)),
        Row::PingpongAsyncChannel => warmed!(operations, |n| pingpong_async_channel(n)),
        Row::TimerFire1m => warmed!(operations, |n| timer_fire(n)),
        Row::TimerCancel1m => warmed!(operations, |n| timer_cancel(n)),
        Row::WakeRemote => wake_remote(operations),
        _ => return None,
    })
}

async fn spawn_join(tasks: u64, batch: u64) -> Sample {
    let stopwatch = Stopwatch::start();
    let mut handles = Vec::with_capacity(batch.min(tasks) as usize);
    let mut sum = 0_u64;
    let mut spawned = 0;
    while spawned < tasks {
        let end = (spawned + batch).min(tasks);
        handles.extend((spawned..end).map(|number| spawn(async move { number })));
        for handle in handles.drain(..) {
            sum += value(handle.await);
        }
        spawned = end;
    }
    assert_eq!(sum, tasks * (tasks - 1) / 2, "a task was lost");
    stopwatch.stop(tasks)
}

async fn yields(yields: u64, tasks: u64) -> Sample {
    let each = (yields / tasks).max(1);
    let stopwatch = Stopwatch::start();
    let yielding = |_| {
        spawn(async move {
            for _ in 0..each {
                yield_now().await;
            }
            each
        })
    };
    let handles: Vec<_> = (0..tasks).map(yielding).collect();
    let mut sum = 0;
    for handle in handles {
        sum += value(handle.await);
    }
    assert_eq!(sum, each * tasks, "a task was lost");
    stopwatch.stop(each * tasks)
}

/// Two tasks send one number to and fro. A macro, because the channels of the peers have no trait in common;
/// `mut`, because tokio's and cotask's `recv` take `&mut self` and async-channel's does not.
macro_rules! pingpong {
    ($channel:path, $round_trips:expr) => {{
        let round_trips: u64 = $round_trips;
        let stopwatch = Stopwatch::start();
        #[allow(unused_mut)]
        let (ping, mut pings) = $channel(1);
        #[allow(unused_mut)]
        let (pong, mut pongs) = $channel(1);
        let echo = spawn(async move {
            for _ in 0..round_trips {
                let number: u64 = pings.recv().await.unwrap();
                pong.send(number + 1).await.unwrap();
            }
        });
        let serve = spawn(async move {
            for number in 0..round_trips {
                ping.send(number).await.unwrap();
                assert_eq!(pongs.recv().await.unwrap(), number + 1);
            }
        });
        value(echo.await);
        value(serve.await);
        stopwatch.stop(round_trips)
    }};
}

async fn pingpong_own(round_trips: u64) -> Sample {
    pingpong!(channel, round_trips)
}

async fn pingpong_async_channel(round_trips: u64) -> Sample {
    pingpong!(async_channel::bounded, round_trips)
}

/// Timers armed between two yields: under the 128 operations that tokio and cotask allow one poll, after which
/// a sleep gives way without having been armed.
const ARMED_AT_ONCE: u64 = 64;

/// Polls a sleep once, which arms it; `false` if its time has already come.
async fn arm(mut sleeping: Pin<&mut impl Future>) -> bool {
    poll_fn(|context| Poll::Ready(sleeping.as_mut().poll(context).is_pending())).await
}

async fn timer_fire(timers: u64) -> Sample {
    // A microsecond a timer is enough to arm them all before the first fires, also on a slow day.
    let armed_by = Duration::from_micros(timers);
    let mut random = fastrand::Rng::with_seed(timers);
    let stopwatch = Stopwatch::start();
    let mut sleeps = Vec::with_capacity(timers as usize);
    for number in 0..timers {
        let mut sleeping = Box::pin(sleep(armed_by + Duration::from_millis(random.u64(1..=100))));
        // Not every timer may be polled again once it has fired.
        if arm(sleeping.as_mut()).await {
            sleeps.push(sleeping);
        }
        if number % ARMED_AT_ONCE == 0 {
            yield_now().await;
        }
    }
    for sleeping in sleeps {
        let _ = sleeping.await;
    }
    stopwatch.stop(timers)
}

/// Each sleep is made in the place of an older one, as a timeout is made inside its task: nothing is allocated.
async fn timer_cancel(timers: u64) -> Sample {
    const LIVE: usize = 1_000;
    let mut random = fastrand::Rng::with_seed(timers);
    let stopwatch = Stopwatch::start();
    let mut live: Vec<_> = (0..LIVE).map(|_| Box::pin(None)).collect();
    for number in 0..timers {
        let place = &mut live[number as usize % LIVE];
        place.set(Some(sleep(Duration::from_millis(random.u64(1_000..=31_000)))));
        let sleeping = place.as_mut().as_pin_mut().expect("a sleep was just put there");
        assert!(arm(sleeping).await, "a sleep of a second or more was over at once");
        if number % ARMED_AT_ONCE == 0 {
            yield_now().await;
        }
    }
    drop(live);
    stopwatch.stop(timers)
}

/// What the two threads of `wake_remote` share: the number of the round asked for, and of the round answered.
#[derive(Default)]
struct Exchange {
    asked: AtomicU64,
    answered: AtomicU64,
    sleeper: AtomicWaker,
}

impl Exchange {
    /// Waits, as a task, until a round after `last` is asked for.
    async fn next_after(&self, last: u64) -> u64 {
        poll_fn(|context| {
            self.sleeper.register(context.waker());
            match self.asked.load(Ordering::SeqCst) {
                asked if asked > last => Poll::Ready(asked),
                _ => Poll::Pending,
            }
        })
        .await
    }
}

fn wake_remote(round_trips: u64) -> Sample {
    let warm_up = round_trips / 10;
    let total = round_trips + warm_up;
    let exchange = Arc::new(Exchange::default());
    let asking = {
        let exchange = Arc::clone(&exchange);
        thread::spawn(move || {
            let mut stopwatch = Stopwatch::start();
            for round in 1..=total {
                if round == warm_up + 1 {
                    stopwatch = Stopwatch::start();
                }
                exchange.asked.store(round, Ordering::SeqCst);
                exchange.sleeper.wake();
                while exchange.answered.load(Ordering::SeqCst) != round {
                    thread::park();
                }
            }
            stopwatch.stop(round_trips)
        })
    };
    let asker = asking.thread().clone();
    run(async move {
        let mut last = 0;
        while last < total {
            last = exchange.next_after(last).await;
            exchange.answered.store(last, Ordering::SeqCst);
            asker.unpark();
        }
    });
    asking.join().expect("the asking thread panicked")
}
