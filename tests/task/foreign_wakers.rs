//! A waker need not be ours: `select`, `FuturesUnordered` and other runtimes bring their own, whose `wake` and
//! `drop` are foreign code. It may use the very runtime that calls it, and it may panic.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use cotask::time::{Sleep, sleep};
use cotask::{Builder, JoinHandle, Runtime, block_on, spawn, yield_now};

use crate::probes::{On, WAKE_AND_DROP, foreign_waker, poll_with, settle, still_serves};

const LONG: Duration = Duration::from_secs(3_600);

/// What foreign code may do that changes the runtime under its caller.
fn meddle(done: Rc<Cell<usize>>) -> impl FnOnce() + 'static {
    let victim = spawn(pending::<()>());
    let mut nap = sleep(LONG);
    assert!(poll_with(&mut nap, Waker::noop()).is_pending());
    move || {
        victim.abort();
        drop(spawn(async {}));
        nap.reset(cotask::time::Instant::now() + LONG);
        assert!(poll_with(&mut nap, Waker::noop()).is_pending());
        drop(nap);
        done.set(done.get() + 1);
    }
}

/// Runs `test` for a waker that meddles when it is woken and for one that does so when it is dropped. Both ways the
/// foreign code must have run, once.
fn with_meddlers(test: impl AsyncFn(Waker)) {
    for on in WAKE_AND_DROP {
        let runtime = Builder::new().virtual_time().build().unwrap();
        let done = Rc::new(Cell::new(0));
        runtime.block_on(async {
            test(foreign_waker(on, meddle(Rc::clone(&done)))).await;
            settle().await;
            assert_eq!(done.get(), 1, "on {on:?}");
        });
        still_serves(&runtime);
    }
}

#[test]
fn of_a_join_handle() {
    with_meddlers(async |waker| {
        let mut task = spawn(yield_now());
        assert!(poll_with(&mut task, &waker).is_pending());
        drop(waker);
        settle().await;
        task.await.unwrap();
    });
}

#[test]
fn of_a_join_handle_that_gets_another_waker() {
    for on in WAKE_AND_DROP {
        block_on(async {
            let done = Rc::new(Cell::new(0));
            let mut task = spawn(yield_now());
            let waker = foreign_waker(on, meddle(Rc::clone(&done)));
            assert!(poll_with(&mut task, &waker).is_pending());
            drop(waker);
            task.await.unwrap();
            assert_eq!(done.get(), usize::from(on == On::Drop), "only the last waker is woken");
        });
    }
}

#[test]
fn of_a_timer_that_fires() {
    with_meddlers(async |waker| {
        let mut nap = sleep(Duration::from_millis(5));
        assert!(poll_with(&mut nap, &waker).is_pending());
        drop(waker);
        sleep(Duration::from_millis(6)).await;
        assert!(nap.is_elapsed());
    });
}

/// Each way in which a timer lets a waker go, with a waker that uses the timers when it is dropped.
#[test]
fn of_a_timer_that_lets_it_go() {
    type Release = (&'static str, fn(Sleep));
    let ways: [Release; 4] = [
        ("dropped", drop),
        ("reset", |mut nap| nap.reset(nap.deadline() + LONG)),
        ("another waker", |mut nap| assert!(poll_with(&mut nap, Waker::noop()).is_pending())),
        ("forgotten at its deadline", |mut nap| nap.reset(cotask::time::Instant::now())),
    ];
    for (way, release) in ways {
        let runtime = Builder::new().virtual_time().build().unwrap();
        runtime.block_on(async {
            let done = Rc::new(Cell::new(0));
            let waker = foreign_waker(On::Drop, meddle(Rc::clone(&done)));
            let mut nap = sleep(LONG);
            assert!(poll_with(&mut nap, &waker).is_pending());
            drop(waker);
            release(nap);
            assert_eq!(done.get(), 1, "{way}");
        });
    }
}

#[test]
fn a_timer_that_is_over_keeps_no_waker() {
    block_on(async {
        let (waker, count) = futures_test::task::new_count_waker();
        // Over between its making and its first poll, so that the wheel refuses it; and one that has fired.
        let mut refused = sleep(Duration::from_nanos(1));
        let mut fired = sleep(Duration::from_millis(1));
        assert!(poll_with(&mut fired, &waker).is_pending());
        sleep(Duration::from_millis(3)).await;
        assert!(fired.is_elapsed());
        for nap in [&mut refused, &mut fired] {
            assert_eq!(poll_with(nap, &waker), Poll::Ready(()));
            assert_eq!(poll_with(nap, &waker), Poll::Ready(()), "a sleep that has ended stays so");
        }
        assert_eq!(count.get(), 1);
    });
}

#[test]
fn a_wake_that_panics_takes_nobody_elses() {
    let runtime = Builder::new().virtual_time().build().unwrap();
    runtime.block_on(async {
        let panics = || foreign_waker(On::Wake, || panic!("a foreign waker's wake"));
        let due = Duration::from_millis(5);
        let mut naps: Vec<_> = (0..3).map(|_| sleep(due)).collect();
        assert!(poll_with(&mut naps[0], &panics()).is_pending());
        let others = spawn(futures::future::join_all(naps.split_off(1)));
        let mut task = spawn(yield_now());
        assert!(poll_with(&mut task, &panics()).is_pending());
        sleep(due).await;
        others.await.unwrap();
        task.await.unwrap();
        assert!(naps[0].is_elapsed());
    });
    still_serves(&runtime);
}

#[test]
fn a_drop_that_panics_reaches_who_polled_and_harms_nobody_else() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let task: Rc<RefCell<JoinHandle<&str>>> = Rc::new(RefCell::new(spawn(async {
            settle().await;
            "served"
        })));
        let waker = foreign_waker(On::Drop, || panic!("a foreign waker's drop"));
        assert!(poll_with(&mut *task.borrow_mut(), &waker).is_pending());
        drop(waker);
        let replaces = spawn({
            let task = Rc::clone(&task);
            async move {
                drop(poll_with(&mut *task.borrow_mut(), Waker::noop()));
            }
        });
        let mut nap = sleep(LONG);
        let waker = foreign_waker(On::Drop, || panic!("a foreign waker's drop"));
        assert!(poll_with(&mut nap, &waker).is_pending());
        drop(waker);
        let cancels = spawn(async move { drop(nap) });
        assert!(replaces.await.unwrap_err().is_panic());
        assert!(cancels.await.unwrap_err().is_panic());
        let task = Rc::into_inner(task).expect("the tasks that shared it have ended").into_inner();
        assert_eq!(task.await.unwrap(), "served");
    });
    still_serves(&runtime);
}

#[test]
fn a_dropped_join_handle_keeps_no_waker() {
    block_on(async {
        struct Quiet;
        impl Wake for Quiet {
            fn wake(self: Arc<Self>) {}
        }
        let quiet = Arc::new(Quiet);
        let mut task = spawn(pending::<()>());
        assert!(poll_with(&mut task, &Waker::from(Arc::clone(&quiet))).is_pending());
        drop(task);
        assert_eq!(Arc::strong_count(&quiet), 1, "the waiter's slot was not freed");
    });
}

#[test]
fn under_a_foreign_executor_the_budget_does_not_count() {
    // FuturesUnordered polls its children with wakers of its own, inside one poll of the task.
    block_on(async {
        let tasks: futures::stream::FuturesUnordered<_> =
            (0..1_000).map(|n| spawn(async move { n })).collect();
        settle().await;
        let sum = futures::StreamExt::fold(tasks, 0, async |sum, n| sum + n.unwrap()).await;
        assert_eq!(sum, 499_500);
    });
}
