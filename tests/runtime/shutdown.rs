//! The runtime's end: whatever its tasks, its jobs and other threads do meanwhile, each future is dropped once, on its
//! own thread, and nothing hangs.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use cotask::sync::oneshot;
use cotask::time::sleep;
use cotask::{JoinHandle, Runtime, block_on, spawn, spawn_blocking, yield_now};
use futures_test::task::new_count_waker;

use crate::probes::{OnDrop, Probe, my_waker, poll_with, settle, still_serves};

/// A future that never ends and runs `action` when it is dropped.
fn at_end(action: impl FnOnce() + 'static) -> impl Future<Output = ()> {
    let at_end = OnDrop::new(action);
    async move {
        let _kept = at_end;
        pending().await
    }
}

/// Runs `start` on a runtime, so that its tasks wait, and ends the runtime.
fn run_and_end(start: impl AsyncFnOnce()) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        start().await;
        settle().await;
    });
    drop(runtime);
}

#[test]
fn a_drop_may_spawn_and_what_it_spawns_is_dropped_too() {
    let dropped = Rc::new(Cell::new(0));
    run_and_end(async || {
        let dropped = Rc::clone(&dropped);
        spawn(at_end(move || {
            let grandchild = at_end({
                let dropped = Rc::clone(&dropped);
                move || dropped.set(dropped.get() + 1)
            });
            let mut handle = spawn(at_end(move || {
                spawn(grandchild);
                dropped.set(dropped.get() + 1);
            }));
            assert!(handle.is_finished());
            let told = poll_with(&mut handle, Waker::noop());
            assert!(matches!(told, Poll::Ready(Err(error)) if error.is_cancelled()));
        }));
    });
    assert_eq!(dropped.get(), 2);
}

#[test]
fn a_drop_may_wake_and_abort_those_that_are_dropped_before_and_after_it() {
    let probes = [Probe::default(), Probe::default()];
    run_and_end(async || {
        let handles: Rc<RefCell<Vec<JoinHandle<()>>>> = Rc::default();
        handles.borrow_mut().push(spawn(probes[0].future()));
        spawn(at_end({
            let handles = Rc::clone(&handles);
            let probes = probes.clone();
            move || {
                for (handle, probe) in handles.borrow().iter().zip(&probes) {
                    probe.waker().wake();
                    handle.abort();
                    probe.waker().wake();
                }
            }
        }));
        handles.borrow_mut().push(spawn(probes[1].future()));
    });
    for probe in probes {
        assert_eq!((probe.polls(), probe.dropped()), (1, 1));
    }
}

#[test]
fn a_drop_that_panics_does_not_keep_the_others_from_theirs() {
    let probes = [Probe::default(), Probe::default()];
    let mut joined = None;
    run_and_end(async || {
        spawn(probes[0].future());
        joined = Some(spawn(at_end(|| panic!("dropped at the end"))));
        spawn(probes[1].future());
    });
    assert_eq!(probes.map(|probe| probe.dropped()), [1, 1]);
    let told = poll_with(&mut joined.unwrap(), Waker::noop());
    assert!(matches!(told, Poll::Ready(Err(error)) if error.is_panic()));
}

#[test]
fn a_panic_of_the_main_future_drops_all_tasks_also_those_whose_drop_panics() {
    let probe = Probe::default();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        block_on(async {
            spawn(at_end(|| panic!("in a drop while another panic unwinds")));
            spawn(probe.future());
            settle().await;
            panic!("the main future");
        })
    }));
    assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "the main future");
    assert_eq!(probe.dropped(), 1);
}

#[test]
fn tasks_that_await_each_other_or_themselves_are_dropped() {
    let dropped = Rc::new(Cell::new(0));
    let count = || {
        let dropped = Rc::clone(&dropped);
        OnDrop::new(move || dropped.set(dropped.get() + 1))
    };
    run_and_end(async || {
        let handles: Rc<RefCell<Vec<JoinHandle<()>>>> = Rc::default();
        for _ in 0..2 {
            let (others, kept) = (Rc::clone(&handles), count());
            let handle = spawn(async move {
                let _kept = kept;
                yield_now().await;
                // The first takes the handle of the second, the second that of the first.
                let other = others.borrow_mut().pop().unwrap();
                other.await.unwrap();
            });
            handles.borrow_mut().push(handle);
        }
        let (sender, own) = cotask::sync::oneshot::channel::<JoinHandle<()>>();
        let kept = count();
        let narcissus = spawn(async move {
            let _kept = kept;
            own.await.unwrap().await.unwrap();
        });
        sender.send(narcissus).unwrap();
    });
    assert_eq!(dropped.get(), 3);
}

#[test]
fn a_task_that_awaits_its_own_handle_can_be_aborted() {
    let runtime = Runtime::new().unwrap();
    let probe = Probe::default();
    runtime.block_on(async {
        let shared: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
        let task = spawn({
            let (shared, mut never) = (Rc::clone(&shared), Box::pin(probe.future()));
            poll_fn(move |cx| {
                assert!(never.as_mut().poll(cx).is_pending());
                let own = &mut *shared.borrow_mut();
                std::pin::Pin::new(own.as_mut().unwrap()).poll(cx).map(|_| ())
            })
        });
        *shared.borrow_mut() = Some(task);
        settle().await;
        assert_eq!((probe.polls(), probe.dropped()), (1, 0));
        let task = shared.borrow_mut().take().unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((probe.polls(), probe.dropped()), (1, 1));
    });
    still_serves(&runtime);
}

#[test]
fn a_drop_may_use_its_own_handle() {
    type Handle = RefCell<Option<JoinHandle<()>>>;
    type End = fn(&Runtime, &Handle);
    let ended_by: [(&str, End); 2] = [
        ("an abort", |runtime, own| {
            own.borrow().as_ref().unwrap().abort();
            runtime.block_on(settle());
        }),
        ("the end", |_, _| {}),
    ];
    for (way, end) in ended_by {
        let runtime = Runtime::new().unwrap();
        let own: Rc<Handle> = Rc::default();
        let (waker, woken) = new_count_waker();
        let task = runtime.spawn(at_end({
            let own = Rc::clone(&own);
            move || {
                let mut own = own.borrow_mut();
                let own = own.as_mut().unwrap();
                assert!(!own.is_finished(), "its drop is not over");
                own.abort();
                assert!(poll_with(own, &waker).is_pending());
            }
        }));
        *own.borrow_mut() = Some(task);
        runtime.block_on(settle());
        end(&runtime, &own);
        drop(runtime);
        assert_eq!(woken.get(), 1, "{way}");
        let told = futures::executor::block_on(own.take().unwrap()).unwrap_err();
        assert!(told.is_cancelled(), "{way}: {told}");
    }
}

#[test]
fn a_handle_outlives_the_runtime_and_may_then_be_polled_anywhere() {
    let runtime = Runtime::new().unwrap();
    let finished = runtime.spawn(async { 5 });
    let waits = runtime.spawn(pending::<()>());
    let (waker, woken) = new_count_waker();
    let mut waits_by_hand = runtime.spawn(pending::<()>());
    runtime.block_on(async {
        assert!(poll_with(&mut waits_by_hand, &waker).is_pending());
        settle().await;
    });
    drop(runtime);
    assert_eq!(woken.get(), 1);
    assert!(finished.is_finished() && waits.is_finished());
    waits.abort();
    assert_eq!(futures::executor::block_on(finished).unwrap(), 5);
    assert!(futures::executor::block_on(waits).unwrap_err().is_cancelled());
    assert!(block_on(waits_by_hand).unwrap_err().is_cancelled());
}

#[test]
fn tasks_stand_still_between_two_calls_and_miss_no_wake() {
    let runtime = Runtime::new().unwrap();
    let probe = Probe::default();
    runtime.spawn(probe.future());
    runtime.block_on(settle());
    let yields = runtime.spawn(settle());
    runtime.block_on(async {});
    let waker = probe.waker();
    waker.wake_by_ref();
    thread::spawn(move || waker.wake()).join().unwrap();
    assert_eq!(probe.polls(), 1);
    runtime.block_on(yields).unwrap();
    runtime.block_on(async { sleep(Duration::from_millis(1)).await });
    assert_eq!(probe.polls(), 2);
}

#[test]
fn a_runtime_may_end_inside_a_task_of_another() {
    let outer = Runtime::new().unwrap();
    let inner = Runtime::new().unwrap();
    let of_outer = Probe::default();
    let of_inner = Probe::default();
    outer.block_on(async {
        spawn(of_outer.future());
        settle().await;
        inner.spawn(of_inner.future());
        let waker = of_outer.waker();
        inner.spawn(at_end(move || {
            waker.wake();
            assert!(spawn(async {}).is_finished(), "it was spawned on the runtime that ends");
        }));
        drop(inner);
        // Back in the outer one.
        spawn(async {}).await.unwrap();
        sleep(Duration::from_millis(1)).await;
    });
    assert_eq!(of_inner.dropped(), 1);
    assert_eq!(of_outer.polls(), 2);
    still_serves(&outer);
}

#[test]
fn the_budget_of_a_task_outlives_another_runtime_that_ends_in_it() {
    block_on(async {
        let hog = spawn(async {
            drop(Runtime::new().unwrap());
            loop {
                sleep(Duration::ZERO).await;
            }
        });
        settle().await;
        hog.abort();
        assert!(hog.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_runtime_kept_in_a_thread_local_ends_with_its_thread() {
    thread_local! {
        static KEPT: Runtime = Runtime::new().unwrap();
    }
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        KEPT.with(|runtime| {
            runtime.block_on(async {
                spawn(at_end(move || sender.send("dropped").unwrap()));
                settle().await;
            });
        });
    });
    thread.join().unwrap();
    assert_eq!(receiver.recv().unwrap(), "dropped");
}

#[test]
fn other_threads_may_wake_and_spawn_while_the_runtime_ends() {
    for _ in 0..50 {
        let runtime = Runtime::new().unwrap();
        let handle = runtime.handle();
        let wakers: Vec<_> = runtime.block_on(async {
            let probes: Vec<_> = (0..8).map(|_| Probe::default()).collect();
            probes.iter().for_each(|probe| drop(spawn(probe.future())));
            settle().await;
            probes.iter().map(Probe::waker).chain([my_waker().await]).collect()
        });
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let (started, has_started) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut spawned = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                wakers.iter().for_each(Waker::wake_by_ref);
                if spawned.len() < 1_000 {
                    spawned.push(handle.spawn(|| async {}));
                }
                let _ = started.send(());
            }
            assert!(handle.is_closed());
            spawned.push(handle.spawn(|| async {}));
            // Each handle reports how its task ended, and the last one that it came too late.
            let last = spawned.into_iter().map(|task| task.join()).last();
            assert!(last.unwrap().unwrap_err().is_cancelled());
        });
        has_started.recv().unwrap();
        drop(runtime);
        stop.store(true, Ordering::Relaxed);
        thread.join().unwrap();
    }
}

#[test]
fn a_blocking_job_may_wait_for_a_task_of_the_runtime_that_ends() {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle();
    let (runs, is_running) = mpsc::channel();
    let (report, reported) = mpsc::channel();
    runtime.block_on(async {
        drop(spawn_blocking(move || {
            runs.send(()).unwrap();
            // More than one: some find the runtime alive, though it runs no more, and wait for its end.
            for _ in 0..3 {
                report.send(handle.spawn(|| async {}).join().is_err()).unwrap();
            }
        }));
        is_running.recv().unwrap();
    });
    drop(runtime);
    assert_eq!(reported.iter().collect::<Vec<_>>(), [true; 3]);
}

/// A job that has started, and goes on until its gate is opened. Then it sends what it has done.
fn gated(done: mpsc::Sender<&'static str>) -> mpsc::Sender<()> {
    let (started, has_started) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    drop(spawn_blocking(move || {
        started.send(()).unwrap();
        let _ = gate.recv();
        done.send("the job has ended").unwrap();
    }));
    has_started.recv().unwrap();
    open
}

#[test]
fn shutdown_timeout_leaves_a_job_behind_that_does_not_end() {
    for limit in [Duration::ZERO, Duration::from_millis(5)] {
        let one_thread = cotask::blocking::Config { max_threads: 1, ..Default::default() };
        let runtime = cotask::Builder::new().blocking(one_thread).build().unwrap();
        let handle = runtime.handle();
        let probe = Probe::default();
        let (done, is_done) = mpsc::channel();
        let mut queued = None;
        let open = runtime.block_on(async {
            spawn(probe.future());
            let open = gated(done);
            queued = Some(spawn_blocking(|| unreachable!("there is one thread, and it is taken")));
            settle().await;
            open
        });
        // The job waits for what comes after this call: a shutdown that waited for it would never return.
        assert!(!runtime.shutdown_timeout(limit), "a job is still running");
        assert!(handle.is_closed());
        assert_eq!(probe.dropped(), 1);
        assert!(futures::executor::block_on(queued.unwrap()).unwrap_err().is_cancelled());
        assert!(is_done.try_recv().is_err());
        drop(open);
        assert_eq!(is_done.recv_timeout(Duration::from_secs(30)).unwrap(), "the job has ended");
    }
}

#[test]
fn shutdown_timeout_waits_for_a_job_that_ends_in_time() {
    let runtime = Runtime::new().unwrap();
    let (done, is_done) = mpsc::channel();
    let open = runtime.block_on(async { gated(done) });
    let opens = thread::spawn(move || drop(open));
    assert!(runtime.shutdown_timeout(Duration::from_secs(60)));
    assert_eq!(is_done.try_recv().unwrap(), "the job has ended");
    opens.join().unwrap();
}

#[test]
fn shutdown_timeout_of_an_idle_runtime_waits_for_nothing() {
    assert!(Runtime::new().unwrap().shutdown_timeout(Duration::ZERO));
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async { spawn_blocking(|| ()).await.unwrap() });
    // Its one thread sleeps, or is about to: the job had ended when its result was there.
    assert!(runtime.shutdown_timeout(Duration::from_secs(60)));
}

#[test]
fn shutdown_timeout_in_a_job_of_the_pool_does_not_count_that_job() {
    use cotask::blocking::{Config, Pool};

    let pool = Arc::new(Pool::new(Config::default()));
    let inside = Arc::clone(&pool);
    let job = pool.spawn(move || inside.shutdown_timeout(Duration::from_secs(60))).unwrap();
    assert!(futures::executor::block_on(job).unwrap());
}

#[test]
fn block_on_inside_a_runtime_panics_with_advice() {
    let runtime = Runtime::new().unwrap();
    let other = Runtime::new().unwrap();
    runtime.block_on(async {
        let nested = spawn(async { block_on(async {}) });
        let message = nested.await.unwrap_err().to_string();
        assert!(message.contains("`block_on` was called inside a runtime"), "{message}");
        assert!(message.contains("spawn_blocking"), "{message}");
        let of_another = spawn(async move { other.block_on(async {}) });
        assert!(of_another.await.unwrap_err().is_panic());
        // On a thread of its own it is right.
        assert_eq!(spawn_blocking(|| block_on(async { 1 })).await.unwrap(), 1);
    });
    still_serves(&runtime);
}

#[test]
fn what_blocks_a_thread_panics_inside_a_task_and_not_beside_it() {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle();
    runtime.block_on(async {
        let remote = handle.spawn(|| async { 1 });
        let blocks = spawn(async move { remote.join() });
        let message = blocks.await.unwrap_err().to_string();
        assert!(message.contains("inside a task"), "{message}");
    });
    let remote = handle.spawn(|| async { 1 });
    runtime.block_on(settle());
    runtime.block_on(async { sleep(Duration::from_millis(1)).await });
    assert_eq!(remote.join().unwrap(), 1, "between two calls of block_on any code may use the thread");
}

#[test]
fn block_on_in_a_drop_at_the_end_panics_there_and_the_end_goes_on() {
    let probe = Probe::default();
    let mut handle = None;
    run_and_end(async || {
        handle = Some(spawn(at_end(|| block_on(async {}))));
        spawn(probe.future());
    });
    let told = futures::executor::block_on(handle.unwrap()).unwrap_err().to_string();
    assert!(told.contains("`block_on` was called inside a runtime"), "{told}");
    assert_eq!(probe.dropped(), 1);
}

/// As when the task is aborted. Each of these waits for a thread that waits itself.
#[test]
fn what_blocks_a_thread_panics_in_a_drop_at_the_end_and_the_end_goes_on() {
    type Blocks = (&'static str, fn(&cotask::Handle));
    let calls: [Blocks; 4] = [
        ("mpsc::Receiver::blocking_recv", |_| {
            let (_sender, mut receiver) = cotask::sync::mpsc::unbounded_channel::<()>();
            receiver.blocking_recv();
        }),
        ("mpsc::Sender::blocking_send", |_| {
            let (sender, _receiver) = cotask::sync::mpsc::channel(1);
            sender.try_send(1).unwrap();
            sender.blocking_send(2).unwrap();
        }),
        ("oneshot::Receiver::blocking_recv", |_| {
            let (_sender, receiver) = oneshot::channel::<()>();
            receiver.blocking_recv().unwrap();
        }),
        ("RemoteJoinHandle::join", |another| drop(another.spawn(pending::<()>).join())),
    ];
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        let elsewhere = cotask::cores::Cores::start(1.try_into().unwrap()).unwrap();
        for (name, blocks) in calls {
            let probe = Probe::default();
            let mut handle = None;
            run_and_end(async || {
                let another = elsewhere.next().clone();
                handle = Some(spawn(at_end(move || blocks(&another))));
                spawn(probe.future());
            });
            let told = futures::executor::block_on(handle.unwrap()).unwrap_err().to_string();
            assert!(told.contains(name) && told.contains("inside a task"), "{told}");
            assert_eq!(probe.dropped(), 1);
        }
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(30)).expect("a drop waits without an end");
}

#[test]
fn a_drop_at_the_end_may_poll_by_hand_as_often_as_it_likes() {
    let taken = Rc::new(Cell::new(0));
    run_and_end(async || {
        let taken = Rc::clone(&taken);
        spawn(at_end(move || {
            let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
            (0..1_000).for_each(|n| sender.send(n).unwrap());
            let cx = &mut std::task::Context::from_waker(Waker::noop());
            while receiver.poll_recv(cx).is_ready() && taken.get() < 1_000 {
                taken.set(taken.get() + 1);
            }
        }));
    });
    // No turn of the task follows in which it could go on.
    assert_eq!(taken.get(), 1_000);
}

#[test]
fn what_is_spawned_at_the_end_has_a_name_of_its_own() {
    let runtime = Runtime::new().unwrap();
    let ids = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&ids);
    let last = runtime.spawn(at_end(move || {
        for _ in 0..2 {
            let task = spawn(pending::<()>());
            assert!(task.is_finished());
            seen.borrow_mut().push(task.id());
        }
    }));
    ids.borrow_mut().push(last.id());
    drop(runtime);
    let mut ids = ids.take();
    let runtimes: Vec<String> =
        ids.iter().map(|id| id.to_string().split('.').next().unwrap().into()).collect();
    assert!(runtimes.iter().all(|runtime| *runtime == runtimes[0]), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

/// The documentation of `JoinHandle` says so.
#[test]
fn an_output_that_holds_its_own_tasks_handle_is_never_freed() {
    struct Output(#[expect(dead_code)] Rc<()>, #[expect(dead_code)] Option<JoinHandle<Output>>);
    let left_after = |own_handle: bool| {
        let kept = Rc::new(());
        block_on(async {
            let (sender, own) = oneshot::channel();
            let output = Rc::clone(&kept);
            let handle = spawn(async move { Output(output, own.await.unwrap()) });
            let (own, other) = if own_handle { (Some(handle), None) } else { (None, Some(handle)) };
            assert!(sender.send(own).is_ok());
            settle().await;
            drop(other);
        });
        Rc::strong_count(&kept) - 1
    };
    assert_eq!((left_after(true), left_after(false)), (1, 0));
}

/// What a pool says of its jobs, it also says the second time, and beside a shutdown without a limit.
#[test]
fn shutdown_timeout_may_be_asked_again() {
    use cotask::blocking::{Config, Pool};
    let pool = std::sync::Arc::new(Pool::new(Config::default()));
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (started, has_started) = std::sync::mpsc::channel();
    let job = pool.spawn(move || {
        started.send(()).unwrap();
        released.recv().ok();
    });
    has_started.recv().unwrap();
    let limit = Duration::from_millis(5);
    assert!(!pool.shutdown_timeout(limit) && !pool.shutdown_timeout(limit), "the job still runs");
    let waiting = {
        let pool = std::sync::Arc::clone(&pool);
        std::thread::spawn(move || pool.shutdown())
    };
    assert!(!pool.shutdown_timeout(limit), "the job still runs");
    drop(release);
    waiting.join().unwrap();
    assert!(pool.shutdown_timeout(limit), "it has ended");
    drop(job);

    let pool = Pool::new(Config::default());
    let jobs: Vec<_> = (0..4).map(|_| pool.spawn(|| ())).collect();
    pool.shutdown_timeout(Duration::ZERO);
    pool.shutdown_timeout(Duration::ZERO);
    drop(jobs);
}
