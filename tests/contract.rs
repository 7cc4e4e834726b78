//! The runtime's contract, a test an invariant: `i03_…` holds invariant 3 of the crate's documentation. What
//! lies beside the straight path has programs of its own: `task`, `runtime` and `time`, and `exhaustive` for all of it in
//! every order.

mod probes;

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use cotask::time::{sleep, timeout};
use cotask::trace::Event;
use cotask::{Builder, Handle, JoinHandle, Runtime, block_on, spawn, yield_now};
use futures_test::task::new_count_waker;
use probes::{OnDrop, Probe, grammar, my_waker, poll_with, settle};

#[test]
fn i01_a_task_is_in_the_run_queue_at_most_once() {
    block_on(async {
        let probe = Probe::default();
        spawn(probe.future());
        settle().await;
        assert_eq!(probe.polls(), 1);
        let (here, elsewhere) = (probe.waker(), probe.waker());
        for _ in 0..10 {
            here.wake_by_ref();
        }
        let from_thread = thread::spawn(move || {
            for _ in 0..10 {
                elsewhere.wake_by_ref();
            }
        });
        from_thread.join().unwrap();
        settle().await;
        // The wakes from the thread come in by mail, all at one look outside: before the poll or after it.
        for _ in 0..100 {
            yield_now().await;
        }
        assert!((2..=3).contains(&probe.polls()), "{} polls for two bursts of wakes", probe.polls());
    });
}

#[test]
fn i02_a_wake_during_a_poll_means_that_the_task_is_polled_again() {
    let by_itself = poll_fn({
        let mut polls = 0;
        move |cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls == 3 { Poll::Ready(polls) } else { Poll::Pending }
        }
    });
    let by_a_thread = poll_fn({
        let mut polls = 0;
        move |cx| {
            polls += 1;
            let waker = cx.waker().clone();
            // The wake has come before the poll ends.
            thread::spawn(move || waker.wake()).join().unwrap();
            if polls == 3 { Poll::Ready(polls) } else { Poll::Pending }
        }
    });
    block_on(async {
        assert_eq!(spawn(by_itself).await.unwrap(), 3);
        assert_eq!(spawn(by_a_thread).await.unwrap(), 3);
    });
}

#[test]
fn i03_a_task_that_is_over_is_never_polled_again_whoever_holds_its_waker() {
    let runtime = Runtime::new().unwrap();
    let (kept, heir) = runtime.block_on(async {
        // One slot for all: each task gets the place of the one before, and its wakers' wrong wakes.
        let finished = spawn(my_waker()).await.unwrap();
        let aborted = Probe::default();
        let task = spawn(aborted.future());
        settle().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        let heir = Probe::default();
        spawn(heir.future());
        settle().await;
        for waker in [&finished, &aborted.waker()] {
            waker.wake_by_ref();
            let there = waker.clone();
            thread::spawn(move || there.wake()).join().unwrap();
        }
        for _ in 0..100 {
            yield_now().await;
        }
        assert_eq!((aborted.polls(), aborted.dropped()), (1, 1));
        assert_eq!(heir.polls(), 1, "a stale waker woke the next task of its slot");
        ([finished, aborted.waker(), heir.waker()], heir)
    });
    drop(runtime);
    assert_eq!(heir.dropped(), 1);
    // A waker may outlive everything.
    for waker in kept {
        waker.wake_by_ref();
        let copy = waker.clone();
        thread::spawn(move || copy.wake()).join().unwrap();
    }
    assert_eq!(heir.polls(), 1);
}

#[test]
fn i04_a_poll_sees_all_that_the_waking_thread_wrote_before() {
    const ROUNDS: u64 = 2_000;
    // Relaxed: what orders the number before the poll can only be the wake.
    let written = Arc::new(AtomicU64::new(0));
    let (to_thread, wakers) = std::sync::mpsc::channel::<std::task::Waker>();
    let writer = thread::spawn({
        let written = Arc::clone(&written);
        move || {
            for waker in wakers {
                written.fetch_add(1, Ordering::Relaxed);
                waker.wake();
            }
        }
    });
    block_on(async move {
        for round in 1..=ROUNDS {
            let mut sent = false;
            poll_fn(|cx| {
                if sent {
                    return Poll::Ready(());
                }
                sent = true;
                to_thread.send(cx.waker().clone()).unwrap();
                Poll::Pending
            })
            .await;
            assert_eq!(written.load(Ordering::Relaxed), round);
        }
    });
    writer.join().unwrap();
}

#[test]
fn i05_the_last_waker_given_to_a_leaf_is_the_one_that_is_woken() {
    block_on(async {
        let (first, first_woken) = new_count_waker();
        let (last, last_woken) = new_count_waker();

        let mut task = spawn(yield_now());
        assert!(poll_with(&mut task, &first).is_pending());
        assert!(poll_with(&mut task, &last).is_pending());
        settle().await;
        assert_eq!((first_woken.get(), last_woken.get()), (0, 1), "JoinHandle");

        let mut nap = sleep(Duration::from_millis(2));
        assert!(poll_with(&mut nap, &first).is_pending());
        assert!(poll_with(&mut nap, &last).is_pending());
        sleep(Duration::from_millis(4)).await;
        assert_eq!((first_woken.get(), last_woken.get()), (0, 2), "Sleep");
    });
}

#[test]
fn i06_a_thread_with_nothing_to_do_sleeps_and_a_wake_from_another_thread_ends_it() {
    const ROUNDS: usize = 200;
    let runtime = Builder::new().trace(100_000).build().unwrap();
    let (to_thread, wakers) = std::sync::mpsc::channel::<std::task::Waker>();
    let waking = thread::spawn(move || wakers.into_iter().for_each(|waker| waker.wake()));
    runtime.block_on(async move {
        for _ in 0..ROUNDS {
            let mut sent = false;
            poll_fn(|cx| {
                if sent {
                    return Poll::Ready(());
                }
                sent = true;
                to_thread.send(cx.waker().clone()).unwrap();
                Poll::Pending
            })
            .await;
        }
    });
    waking.join().unwrap();
    let trace = runtime.take_trace();
    let polls: usize = grammar::check(&trace).into_values().sum();
    let parked = trace.records.iter().filter(|r| matches!(r.event, Event::Parked { at_most: None })).count();
    assert_eq!(polls, ROUNDS + 1, "the root was polled without a cause");
    // A wake may come before the sleep has begun, or be announced twice: once by its key, once by the eventfd.
    assert!(parked <= 2 * ROUNDS, "{parked} sleeps for {ROUNDS} wakes: it spins");
}

#[test]
fn i07_no_task_starves() {
    /// As a thread that spawns in a loop: each of these tasks sends two more.
    fn flood(handle: Handle) {
        let again = handle.clone();
        handle.spawn(move || async move {
            flood(again.clone());
            flood(again);
        });
    }
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        flood(runtime.handle());
        let greedy = spawn(async {
            loop {
                yield_now().await;
            }
        });
        let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
        let full = spawn(async move {
            loop {
                sender.send(()).unwrap();
                receiver.recv().await.unwrap();
            }
        });
        let zero_sleeps = spawn(async {
            loop {
                sleep(Duration::ZERO).await;
            }
        });
        let expired_timeouts =
            spawn(async { while timeout(Duration::ZERO, pending::<()>()).await.is_err() {} });
        // In among them: a plain task, a timer, another thread.
        spawn(settle()).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        cotask::spawn_blocking(|| ()).await.unwrap();
        for storm in [greedy, full, zero_sleeps, expired_timeouts] {
            assert!(!storm.is_finished());
            storm.abort();
            assert!(storm.await.unwrap_err().is_cancelled());
        }
        // The root, and what was started in the round under way. The other tasks of the flood wait outside.
        assert!(runtime.tasks() <= 1 + 61, "{} tasks", runtime.tasks());
    });
}

#[test]
fn i08_a_panic_ends_its_task_alone_and_reaches_whoever_joins_it() {
    block_on(async {
        let bystander = spawn(async {
            settle().await;
            "served"
        });
        let in_poll: JoinHandle<()> = spawn(async { panic!("in the poll") });
        let in_drop = spawn(async {
            let _at_the_end = OnDrop::new(|| panic!("in the drop"));
        });
        let aborted_in_drop = spawn({
            let at_the_end = OnDrop::new(|| panic!("in the drop after an abort"));
            async move {
                let _kept = at_the_end;
                pending::<()>().await
            }
        });
        aborted_in_drop.abort();
        for (task, message) in [
            (in_poll, "in the poll"),
            (in_drop, "in the drop"),
            (aborted_in_drop, "in the drop after an abort"),
        ] {
            let id = task.id();
            let error = task.await.unwrap_err();
            assert!(error.is_panic() && error.id() == Some(id), "{error}");
            assert_eq!(*error.try_into_panic().unwrap().downcast::<&str>().unwrap(), message);
        }
        assert_eq!(bystander.await.unwrap(), "served");
    });
}

#[test]
fn i09_a_future_dropped_at_an_await_loses_nothing() {
    block_on(async {
        let mut task = spawn(async {
            settle().await;
            "the output"
        });
        let (waker, woken) = new_count_waker();
        for _ in 0..3 {
            // A task that waits by reference and stops waiting leaves the output where it is.
            let mut waiting = &mut task;
            assert!(poll_with(&mut waiting, &waker).is_pending());
        }
        settle().await;
        settle().await;
        assert_eq!(woken.get(), 1);
        assert_eq!(task.await.unwrap(), "the output");
    });
}

#[test]
fn i10_when_the_runtime_ends_each_future_is_dropped_on_its_own_thread() {
    let here = thread::current().id();
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let runtime = Runtime::new().unwrap();
    let note = |what: &'static str| {
        let dropped = Rc::clone(&dropped);
        OnDrop::new(move || dropped.borrow_mut().push((what, thread::current().id())))
    };
    let (never_polled, waits, output) = (note("never polled"), note("waits"), note("output"));
    runtime.block_on(async {
        spawn(async move {
            let _kept = waits;
            pending::<()>().await
        });
        spawn(async move { output });
        settle().await;
        spawn(async move { drop(never_polled) });
    });
    assert_eq!(*dropped.borrow(), [("output", here)]);
    drop(runtime);
    assert_eq!(*dropped.borrow(), [("output", here), ("waits", here), ("never polled", here)]);
}

#[test]
fn i11_a_timer_never_fires_early() {
    let late = Cell::new(0);
    let late = &late;
    block_on(async {
        let naps = (0..200).map(|n| async move {
            let length = Duration::from_micros(37 * n);
            let before = std::time::Instant::now();
            let on_ours = cotask::time::Instant::now();
            sleep(length).await;
            assert!(before.elapsed() >= length && on_ours.elapsed() >= length, "{length:?}: early");
            late.set(late.get() + 1);
        });
        futures::future::join_all(naps).await;
    });
    assert_eq!(late.get(), 200);
}

#[test]
fn i12_an_aborted_tasks_future_is_dropped_in_its_own_turn() {
    block_on(async {
        let dropped = Rc::new(Cell::new(0));
        for runs_first in [false, true] {
            let kept = OnDrop::new({
                let dropped = Rc::clone(&dropped);
                move || dropped.set(dropped.get() + 1)
            });
            let task = spawn(async move {
                let _kept = kept;
                pending::<()>().await
            });
            if runs_first {
                settle().await;
            }
            let before = dropped.get();
            task.abort();
            task.abort();
            assert!(!task.is_finished() && dropped.get() == before, "dropped inside `abort`");
            yield_now().await;
            assert!(task.is_finished() && dropped.get() == before + 1);
        }
    });
}

/// The tester, tested: no event can be taken out of a right trace, or come twice, without a rule that is broken.
#[test]
fn the_grammar_refuses_a_trace_with_an_event_missing_or_doubled() {
    let runtime = Builder::new().virtual_time().trace(1_000).build().unwrap();
    runtime.block_on(async {
        let task = spawn(async {
            yield_now().await;
            sleep(Duration::from_millis(1)).await;
        });
        task.await.unwrap();
    });
    let mut right = runtime.take_trace();
    grammar::check(&right);
    right.records.retain(|record| grammar::speaks_of(&record.event));
    for index in 0..right.records.len() {
        let (mut missing, mut doubled) = (right.clone(), right.clone());
        missing.records.remove(index);
        doubled.records.insert(index, right.records[index].clone());
        for wrong in [missing, doubled] {
            let refused = std::panic::catch_unwind(|| grammar::check(&wrong));
            assert!(refused.is_err(), "a fault at event {index} was not seen: {:?}", right.records[index]);
        }
    }
}
