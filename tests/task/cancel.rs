//! Every future of the runtime, dropped at every point: before its first poll, between any two, and after what it
//! waits for has come. Nothing that it promised to keep is lost, no waker is left behind, no task stays. (The
//! primitives of `sync` are in `tests/sync/cancel.rs`.)

use std::cell::Cell;
use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use cotask::time::{Instant, interval, sleep, timeout};
use cotask::{Builder, Runtime, spawn, spawn_blocking, yield_now};

use crate::probes::{OnDrop, settle};

const MS: Duration = Duration::from_millis(1);

struct Idle;

impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}

/// Polls `victim` up to `polls` times with a turn of the runtime (and of its clock) after each, and drops it. What it
/// was ready with, if it was. No waker of it may be left.
pub async fn poll_and_drop<V: Future>(polls: usize, victim: V) -> Option<V::Output> {
    let counted = Arc::new(Idle);
    let output = poll_with_turns(polls, victim, Waker::from(Arc::clone(&counted))).await;
    assert_eq!(Arc::strong_count(&counted), 1, "a waker was left behind after {polls} polls");
    output
}

/// The same for a future that borrows what it waits with. That may keep the waker, until it is given another or is
/// dropped itself.
pub async fn poll_lent<V: Future>(polls: usize, victim: V) -> Option<V::Output> {
    poll_with_turns(polls, victim, Waker::noop().clone()).await
}

async fn poll_with_turns<V: Future>(polls: usize, victim: V, waker: Waker) -> Option<V::Output> {
    let mut victim = pin!(victim);
    for _ in 0..polls {
        if let Poll::Ready(value) = victim.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(value);
        }
        yield_now().await;
    }
    None
}

/// Runs `test` for each poll index, each time on a runtime that must be empty after it.
pub fn at_each_poll(test: impl AsyncFn(usize, &Runtime)) {
    for polls in 0..8 {
        let runtime = Builder::new().virtual_time().build().unwrap();
        runtime.block_on(test(polls, &runtime));
        runtime.block_on(settle());
        assert_eq!(runtime.tasks(), 0, "a task was left behind after {polls} polls");
    }
}

/// A task that is over after three turns.
pub async fn three_turns() -> &'static str {
    for _ in 0..3 {
        yield_now().await;
    }
    "done"
}

#[test]
fn join_handle_by_reference() {
    at_each_poll(async |polls, _| {
        let mut task = spawn(three_turns());
        let output = match poll_lent(polls, &mut task).await {
            Some(output) => output,
            None => task.await,
        };
        assert_eq!(output.unwrap(), "done");
    });
}

#[test]
fn join_handle_by_value_detaches() {
    at_each_poll(async |polls, runtime| {
        let finished = Rc::new(Cell::new(false));
        let task = spawn({
            let finished = Rc::clone(&finished);
            async move {
                three_turns().await;
                finished.set(true);
            }
        });
        drop(poll_and_drop(polls, task).await);
        settle().await;
        assert!(finished.get(), "a detached task goes on");
        assert_eq!(runtime.tasks(), 1, "but for the future of block_on");
    });
}

#[test]
fn aborted_join_handle() {
    at_each_poll(async |polls, _| {
        let dropped = Rc::new(Cell::new(0));
        let kept = OnDrop::new({
            let dropped = Rc::clone(&dropped);
            move || dropped.set(dropped.get() + 1)
        });
        let task = spawn(async move {
            let _kept = kept;
            pending::<()>().await
        });
        task.abort();
        if let Some(result) = poll_and_drop(polls, task).await {
            assert!(result.unwrap_err().is_cancelled());
        }
        settle().await;
        assert_eq!(dropped.get(), 1);
    });
}

#[test]
fn yield_now_and_its_wake() {
    at_each_poll(async |polls, _| {
        let task = spawn(async move {
            poll_and_drop(polls, yield_now()).await;
            "went on"
        });
        assert_eq!(task.await.unwrap(), "went on");
    });
}

#[test]
fn sleep_leaves_no_timer() {
    at_each_poll(async |polls, _| {
        let start = Instant::now();
        poll_and_drop(polls, sleep(5 * MS)).await;
        // A timer that was left would stop the clock on its way.
        settle().await;
        sleep(100 * MS).await;
        assert_eq!(start.elapsed(), 100 * MS);
    });
}

#[test]
fn timeout_drops_its_future_once_and_loses_none_that_it_was_lent() {
    at_each_poll(async |polls, _| {
        let mut task = spawn(three_turns());
        match poll_lent(polls, timeout(100 * MS, &mut task)).await {
            Some(output) => assert_eq!(output.unwrap().unwrap(), "done"),
            None => assert_eq!(timeout(100 * MS, task).await.unwrap().unwrap(), "done"),
        }
    });
    at_each_poll(async |polls, _| {
        let dropped = Rc::new(Cell::new(0));
        let kept = OnDrop::new({
            let dropped = Rc::clone(&dropped);
            move || dropped.set(dropped.get() + 1)
        });
        let never = async move {
            let _kept = kept;
            pending::<()>().await
        };
        poll_and_drop(polls, timeout(100 * MS, never)).await;
        assert_eq!(dropped.get(), 1);
    });
}

#[test]
fn interval_tick_loses_no_tick() {
    at_each_poll(async |polls, _| {
        let start = Instant::now();
        let mut ticks = interval(MS);
        let mut seen = Vec::new();
        while seen.len() < 5 {
            seen.extend(poll_lent(polls, ticks.tick()).await);
            seen.push(ticks.tick().await);
        }
        let expected: Vec<_> = (0..seen.len()).map(|n| start + MS * n as u32).collect();
        assert_eq!(seen, expected);
    });
}

#[test]
fn a_blocking_job_runs_to_its_end_whoever_waits() {
    at_each_poll(async |polls, _| {
        let (report, reported) = std::sync::mpsc::channel();
        let job = spawn_blocking(move || report.send("ran").unwrap());
        drop(poll_and_drop(polls, job).await);
        assert_eq!(spawn_blocking(move || reported.recv().unwrap()).await.unwrap(), "ran");
    });
}
