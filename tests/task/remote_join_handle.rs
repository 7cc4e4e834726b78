//! Tasks that other threads spawn through a `Handle`: each is one task, and its trace shows which thread asked for it. Its
//! `RemoteJoinHandle` aborts it from anywhere, and reports how it ended.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;

use cotask::trace::{Actor, Event, Outcome};
use cotask::{Builder, Id, RemoteJoinHandle, Runtime, yield_now};

use crate::cancel::{poll_and_drop, three_turns};
use crate::probes::{OnDrop, settle};

/// What was spawned since the last time, and on which line.
fn spawned(runtime: &Runtime) -> Vec<(Id, u32)> {
    let records = runtime.take_trace().records;
    let spawns = records.iter().filter_map(|record| match &record.event {
        Event::Spawned { task, by, source, .. } => {
            assert_eq!((*by, source.file()), (Actor::Thread, file!()));
            Some((*task, source.line()))
        }
        _ => None,
    });
    spawns.collect()
}

#[test]
fn a_remote_spawn_is_one_task_and_its_trace_shows_the_callers_line() {
    let runtime = Builder::new().trace(1_000).build().unwrap();
    let handle = runtime.handle();
    runtime.block_on(async {
        drop(runtime.take_trace());
        let (forever, line) = (handle.spawn(pending::<()>), line!());
        settle().await;
        let seen = spawned(&runtime);
        assert_eq!(seen.iter().map(|&(_, line)| line).collect::<Vec<_>>(), [line]);
        assert_eq!(runtime.tasks(), 2, "it, and the future of `block_on`");
        forever.abort();
        let error = forever.await.unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(error.id(), Some(seen[0].0));
        assert_eq!(runtime.tasks(), 1);
    });
}

#[test]
fn the_trace_shows_how_a_remote_task_ended() {
    let runtime = Builder::new().trace(1_000).build().unwrap();
    let handle = runtime.handle();
    runtime.block_on(async {
        let outcome = async |task: RemoteJoinHandle<()>| {
            settle().await;
            task.abort();
            let _ = task.await;
            let records = runtime.take_trace().records;
            let asked = records.iter().filter(
                |record| matches!(record.event, Event::AbortRequested { by, .. } if by == Actor::Thread),
            );
            let ended = records.iter().rev().find_map(|record| match record.event {
                Event::PollEnded { outcome, .. } if outcome != Outcome::Pending => Some(outcome),
                _ => None,
            });
            (ended.unwrap(), asked.count())
        };
        assert_eq!(outcome(handle.spawn(|| async {})).await, (Outcome::Finished, 0));
        assert_eq!(outcome(handle.spawn(|| async { panic!("in the poll") })).await, (Outcome::Panicked, 0));
        assert_eq!(outcome(handle.spawn(pending)).await, (Outcome::Aborted, 1));
    });
}

#[test]
fn when_the_runtime_ends_the_future_is_dropped_before_the_thread_that_joins_is_told() {
    let runtime = Builder::new().trace(1_000).build().unwrap();
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&dropped);
    let task = runtime.handle().spawn(move || async move {
        let _kept = OnDrop::new(move || {
            counted.fetch_add(1, Relaxed);
        });
        pending::<()>().await
    });
    runtime.block_on(settle());
    let records = runtime.take_trace().records;
    let id = records.iter().find_map(|record| match record.event {
        Event::Spawned { task, by: Actor::Thread, .. } => Some(task),
        _ => None,
    });
    let joining = thread::spawn(move || (task.join().unwrap_err(), dropped.load(Relaxed)));
    drop(runtime);
    let (error, dropped) = joining.join().unwrap();
    assert!(error.is_cancelled());
    assert_eq!((error.id(), dropped), (id, 1));
}

#[test]
fn jobs_that_the_runtime_has_not_taken_are_dropped_on_its_thread() {
    let runtime = Runtime::new().unwrap();
    let (report, reports) = mpsc::channel();
    let handle = runtime.handle();
    let sending = thread::spawn(move || {
        let send = |_| {
            let report = report.clone();
            let sent = OnDrop::new(move || report.send(thread::current().id()).unwrap());
            handle.spawn(move || async move {
                let _kept = sent;
                pending::<()>().await
            })
        };
        (0..1_000).map(send).collect::<Vec<_>>()
    });
    let tasks = sending.join().unwrap();
    runtime.block_on(yield_now());
    drop(runtime);
    assert!(tasks.into_iter().all(|task| task.join().unwrap_err().is_cancelled()));
    let threads: Vec<_> = reports.try_iter().collect();
    assert_eq!(threads.len(), 1_000);
    assert!(threads.iter().all(|&dropper| dropper == thread::current().id()));
}

#[test]
fn a_remote_abort_reaches_a_task_that_waits_and_names_it() {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle();
    let (started, has_started) = mpsc::channel();
    let elsewhere = thread::spawn(move || {
        let task = handle.spawn(move || async move {
            started.send(()).unwrap();
            pending::<()>().await
        });
        has_started.recv().unwrap();
        task.abort();
        let error = task.join().unwrap_err();
        handle.shutdown();
        error
    });
    runtime.run();
    let error = elsewhere.join().unwrap();
    let id = error.id().expect("it was a task");
    assert_eq!(error.to_string(), format!("task {id} was cancelled"));
}

#[test]
fn a_remote_abort_before_the_start_means_no_poll() {
    let runtime = Runtime::new().unwrap();
    let task = runtime.handle().spawn(|| async { panic!("polled") });
    task.abort();
    let joined: Result<(), _> = runtime.block_on(task);
    assert!(joined.unwrap_err().is_cancelled());
}

#[test]
fn a_remote_join_handle_detaches_and_tells_when_it_was_aborted() {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle();
    let ran = Arc::new(AtomicUsize::new(0));
    for polls in 0..4 {
        let task = handle.spawn({
            let ran = Arc::clone(&ran);
            move || async move {
                three_turns().await;
                ran.fetch_add(1, Relaxed);
            }
        });
        let aborted = handle.spawn(pending::<()>);
        aborted.abort();
        runtime.block_on(async {
            drop(poll_and_drop(polls, task).await);
            for _ in 0..100 {
                yield_now().await;
            }
            assert!(aborted.await.unwrap_err().is_cancelled());
        });
        assert_eq!(ran.load(Relaxed), polls + 1);
        assert_eq!(runtime.tasks(), 0);
    }
}
