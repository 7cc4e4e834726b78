//! A panic at every place where foreign code runs. It ends that task alone, reaches the task that joins it, and the
//! runtime still serves.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::task::Poll;

use cotask::{Builder, JoinError, JoinSet, Runtime, spawn, spawn_blocking, yield_now};

use crate::probes::{OnDrop, Probe, grammar, settle, still_serves};

/// Runs `test` beside tasks that must not notice.
fn beside_others(test: impl AsyncFnOnce()) {
    let runtime = Runtime::new().unwrap();
    let waits = Probe::default();
    runtime.block_on(async {
        spawn(waits.future());
        let busy = spawn(async {
            settle().await;
            settle().await;
            1
        });
        test().await;
        assert_eq!(busy.await.unwrap(), 1);
    });
    assert_eq!((waits.polls(), waits.dropped()), (1, 0));
    still_serves(&runtime);
}

fn message(error: JoinError) -> String {
    let payload = error.try_into_panic().expect("it panicked");
    payload.downcast_ref::<&str>().map(|text| text.to_string()).expect("a text")
}

#[test]
fn at_each_poll() {
    for at in 0..4 {
        beside_others(async || {
            let task = spawn(async move {
                for _ in 0..at {
                    yield_now().await;
                }
                panic!("at a poll");
            });
            assert_eq!(message(task.await.unwrap_err()), "at a poll");
        });
    }
}

#[test]
fn in_the_drop_of_the_future_however_it_ended() {
    let bomb = || OnDrop::new(|| panic!("in the drop"));
    beside_others(async || {
        let after_output = spawn({
            let bomb = bomb();
            // A future that owns the bomb until it is dropped itself, after its last poll.
            poll_fn(move |_| {
                let _owned = &bomb;
                Poll::Ready(1)
            })
        });
        assert_eq!(message(after_output.await.unwrap_err()), "in the drop");

        let aborted_before_its_first_poll = spawn({
            let bomb = bomb();
            async move { drop(bomb) }
        });
        aborted_before_its_first_poll.abort();
        assert_eq!(message(aborted_before_its_first_poll.await.unwrap_err()), "in the drop");

        let aborted_while_it_waits = spawn({
            let bomb = bomb();
            async move {
                let _owned = bomb;
                pending::<()>().await
            }
        });
        settle().await;
        aborted_while_it_waits.abort();
        assert_eq!(message(aborted_while_it_waits.await.unwrap_err()), "in the drop");
    });
}

#[test]
fn in_the_poll_and_then_in_the_drop() {
    beside_others(async || {
        let bomb = OnDrop::new(|| panic!("the second"));
        let task = spawn(poll_fn(move |_| -> Poll<()> {
            let _owned = &bomb;
            panic!("the first")
        }));
        assert_eq!(message(task.await.unwrap_err()), "the second");
    });
}

#[test]
fn in_the_drop_of_an_output_that_nobody_takes() {
    let dropped = Rc::new(Cell::new(0));
    let output = || {
        let dropped = Rc::clone(&dropped);
        OnDrop::new(move || {
            dropped.set(dropped.get() + 1);
            panic!("in the drop of the output")
        })
    };
    beside_others(async || {
        let value = output();
        drop(spawn(async move { value }));
        settle().await;
        assert_eq!(dropped.get(), 1, "detached first, then finished");
        // The other way round, the code that drops the handle drops the output.
        let value = output();
        let finished = spawn(async move { value });
        settle().await;
        let gone = catch_unwind(AssertUnwindSafe(|| drop(finished)));
        assert!(gone.is_err());
        assert_eq!(dropped.get(), 2);
        // An output that is not to be had, since the future's drop panicked after it.
        let (value, bomb) = (output(), OnDrop::new(|| panic!("in the drop of the future")));
        let mut value = Some(value);
        let task = spawn(poll_fn(move |_| {
            let _owned = &bomb;
            Poll::Ready(value.take().unwrap())
        }));
        assert!(task.await.is_err_and(|error| error.is_panic()));
        assert_eq!(dropped.get(), 3);
    });
}

#[test]
fn in_the_drops_of_outputs_that_a_join_set_holds() {
    let dropped = Rc::new(Cell::new(0));
    let output = |n| {
        let dropped = Rc::clone(&dropped);
        OnDrop::new(move || {
            dropped.set(dropped.get() + 1);
            assert!(n % 2 == 0, "in the drop of the output");
        })
    };
    beside_others(async || {
        let mut set = JoinSet::new();
        (0..6).map(output).for_each(|value| set.spawn(async move { value }));
        settle().await;
        drop(set);
        assert_eq!(dropped.get(), 6, "a panic kept the others from their drop");
        let mut set = JoinSet::new();
        (0..6).map(output).for_each(|value| set.spawn(async move { value }));
        settle().await;
        // While another panic unwinds, a second one would end the process.
        let unwinds = spawn(async move {
            let _dropped_while_it_unwinds = set;
            panic!("the first");
        });
        assert_eq!(message(unwinds.await.unwrap_err()), "the first");
        assert_eq!(dropped.get(), 12);
    });
}

/// `Vec` drops all that it holds, whether one panics or not; a second panic meanwhile would end the process.
#[test]
fn in_the_drops_of_outputs_of_several_handles_that_go_at_once() {
    let dropped = Rc::new(Cell::new(0));
    beside_others(async || {
        let handles: Vec<_> = (0..6)
            .map(|_| {
                let dropped = Rc::clone(&dropped);
                let value = OnDrop::new(move || {
                    dropped.set(dropped.get() + 1);
                    panic!("in the drop of the output");
                });
                spawn(async move { value })
            })
            .collect();
        settle().await;
        assert!(catch_unwind(AssertUnwindSafe(|| drop(handles))).is_err());
        assert_eq!(dropped.get(), 6);
    });
}

#[test]
fn with_a_payload_whose_drop_panics() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("in the drop of a payload");
            }
        }
    }
    beside_others(async || {
        drop(spawn(async { panic_any(Bomb) }));
        settle().await;
        let task = spawn(async { panic_any(Bomb) });
        settle().await;
        let gone = catch_unwind(AssertUnwindSafe(|| drop(task)));
        assert!(gone.is_err());
        let joined = spawn(async { panic_any(Bomb) }).await.unwrap_err();
        assert!(joined.to_string().ends_with("panicked: (a payload that is no text)"), "{joined}");
        std::mem::forget(joined.try_into_panic().unwrap());
    });
}

#[test]
fn in_a_blocking_job() {
    beside_others(async || {
        for _ in 0..4 {
            let error = spawn_blocking(|| panic!("in a job")).await.unwrap_err();
            assert_eq!(message(error), "in a job");
        }
        // The result comes when no task waits any more, so the pool's thread drops it.
        let (gone, is_gone) = std::sync::mpsc::channel::<()>();
        let job = spawn_blocking(move || {
            assert!(is_gone.recv().is_err());
            OnDrop::new(|| panic!("in the drop of a job's result"))
        });
        drop(job);
        drop(gone);
        assert_eq!(spawn_blocking(|| 1).await.unwrap(), 1);
    });
}

#[test]
fn in_what_another_thread_sent() {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle();
    let elsewhere = std::thread::spawn(move || {
        fn panics_at_once() -> std::future::Ready<()> {
            panic!("in the closure that makes the future")
        }
        let in_make = handle.spawn(panics_at_once);
        let in_poll = handle.spawn(|| async { panic!("in the poll") });
        let bomb = OnDrop::new(|| panic!("in the drop of the closure"));
        let in_drop = handle.spawn(move || {
            drop(bomb);
            async {}
        });
        let messages = [in_make.join(), in_poll.join(), in_drop.join()];
        let served = handle.spawn(|| async { 1 }).join().unwrap();
        handle.shutdown();
        (messages.map(|result| message(result.unwrap_err())), served)
    });
    runtime.run();
    let (messages, served) = elsewhere.join().unwrap();
    assert_eq!(
        messages,
        ["in the closure that makes the future", "in the poll", "in the drop of the closure"]
    );
    assert_eq!(served, 1);
    still_serves(&runtime);
}

#[test]
fn in_the_main_future_and_in_its_drop() {
    let runtime = Builder::new().trace(10_000).build().unwrap();
    let task = Probe::default();
    runtime.spawn(task.future());
    let caught = |future: std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        let payload = catch_unwind(AssertUnwindSafe(|| runtime.block_on(future))).unwrap_err();
        *payload.downcast::<&str>().unwrap()
    };
    assert_eq!(caught(Box::pin(async { panic!("the main future") })), "the main future");
    let bomb = OnDrop::new(|| panic!("its drop"));
    let in_drop = poll_fn(move |_| {
        let _owned = &bomb;
        Poll::Ready(())
    });
    assert_eq!(caught(Box::pin(in_drop)), "its drop");
    runtime.block_on(settle());
    assert_eq!((task.polls(), task.dropped()), (1, 0));
    grammar::check(&runtime.take_trace());
    assert_eq!(runtime.tasks(), 1, "block_on did not release its key");
    still_serves(&runtime);
}

#[test]
fn in_a_task_that_aborts_itself() {
    beside_others(async || {
        let (sender, own) = cotask::sync::oneshot::channel::<cotask::JoinHandle<()>>();
        let task = spawn(async move {
            let own = own.await.unwrap();
            own.abort();
            // What ends in the poll that is under way has ended as it did.
            panic!("after the abort");
        });
        let probe = Probe::default();
        let (aborted_sender, aborted_own) = cotask::sync::oneshot::channel::<cotask::JoinHandle<()>>();
        let aborted = spawn({
            let never = probe.future();
            async move {
                aborted_own.await.unwrap().abort();
                never.await;
                unreachable!("it was aborted at its next await");
            }
        });
        let (id, aborted_id) = (task.id(), aborted.id());
        assert_ne!(id, aborted_id);
        sender.send(task).unwrap();
        aborted_sender.send(aborted).unwrap();
        settle().await;
        assert_eq!((probe.polls(), probe.dropped()), (1, 1));
    });
}

#[test]
fn and_what_resume_does_with_it() {
    beside_others(async || {
        let error = spawn(async { panic!("goes on there") }).await.unwrap_err();
        let resumed = catch_unwind(AssertUnwindSafe(|| error.resume())).unwrap_err();
        assert_eq!(*resumed.downcast::<&str>().unwrap(), "goes on there");
        let task = spawn(pending::<()>());
        task.abort();
        let error = task.await.unwrap_err();
        let shown = error.to_string();
        assert!(shown.ends_with("was cancelled"), "{shown}");
        let resumed = catch_unwind(AssertUnwindSafe(|| error.resume())).unwrap_err();
        assert_eq!(*resumed.downcast::<String>().unwrap(), shown);
    });
}
