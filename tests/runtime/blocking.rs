//! The blocking pool: growing, shrinking, failing and ending.

use std::cell::RefCell;
use std::collections::HashSet;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use cotask::blocking::{BlockingTask, Config, Pool};
use futures::executor::block_on;
use futures::future::{join_all, try_join_all};

fn pool(max_threads: usize) -> Pool {
    Pool::new(Config { max_threads, ..Config::default() })
}

fn spawn<T: Send + 'static>(pool: &Pool, job: impl FnOnce() -> T + Send + 'static) -> BlockingTask<T> {
    pool.spawn(job).expect("a thread starts")
}

/// A job that reports when it has started, and ends when its gate opens.
fn gated(pool: &Pool) -> (BlockingTask<ThreadId>, Receiver<()>, Sender<()>) {
    let (started, has_started) = channel();
    let (open, gate) = channel();
    let task = spawn(pool, move || {
        started.send(()).expect("the test listens");
        gate.recv().expect("the test opens the gate");
        thread::current().id()
    });
    (task, has_started, open)
}

#[test]
fn grows_until_every_job_runs() {
    let pool = pool(512);
    for size in [1, 2, 7, 40] {
        // The jobs end only if all of them run at once.
        let all = Arc::new(Barrier::new(size));
        let jobs = (0..size).map(|_| {
            let all = all.clone();
            spawn(&pool, move || {
                all.wait();
                thread::current().name().map(str::to_owned).expect("a name")
            })
        });
        let names: HashSet<_> = block_on(try_join_all(jobs)).unwrap().into_iter().collect();
        assert_eq!(names.len(), size, "one thread a job");
        assert!(names.iter().all(|name| name.starts_with("cotask-blocking-")), "{names:?}");
    }
}

#[test]
fn the_bound_holds_and_the_queue_is_in_order() {
    let pool = pool(3);
    let running = Arc::new(AtomicUsize::new(0));
    let jobs = (0..200).map(|_| {
        let running = running.clone();
        spawn(&pool, move || {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            now
        })
    });
    let most = block_on(try_join_all(jobs)).unwrap().into_iter().max();
    assert!(most <= Some(3), "{most:?} jobs at once");
    assert!(pool.threads() <= 3);

    let single = self::pool(1);
    let order = Arc::new(Mutex::new(Vec::new()));
    let jobs = (0..100).map(|number| {
        let order = order.clone();
        spawn(&single, move || order.lock().unwrap().push(number))
    });
    block_on(try_join_all(jobs)).unwrap();
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
}

#[test]
fn a_free_thread_is_used_again() {
    let pool = pool(1);
    let ids = (0..10).map(|_| block_on(spawn(&pool, || thread::current().id())).unwrap());
    assert_eq!(ids.collect::<HashSet<_>>().len(), 1);
}

/// Runs its code when the thread ends, after the pool's own code has returned.
struct AtThreadEnd(Option<Box<dyn FnOnce() + Send>>);

thread_local!(static AT_THREAD_END: RefCell<AtThreadEnd> = const { RefCell::new(AtThreadEnd(None)) });

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|code| code());
    }
}

fn at_thread_end(code: impl FnOnce() + Send + 'static) {
    AT_THREAD_END.with_borrow_mut(|end| end.0 = Some(Box::new(code)));
}

const SHORT: Config = Config { max_threads: 512, keep_alive: Duration::from_millis(1), stack_size: None };

#[test]
fn idle_threads_end_and_new_work_starts_new_ones() {
    let pool = Pool::new(SHORT);
    let mut before = None;
    for _ in 0..3 {
        let (ended, has_ended) = channel();
        let worked = block_on(spawn(&pool, move || {
            at_thread_end(move || ended.send(thread::current().id()).unwrap());
            thread::current().id()
        }));
        let worked = worked.unwrap();
        assert_eq!(has_ended.recv().expect("it ends by itself"), worked);
        assert_eq!(pool.threads(), 0);
        assert_ne!(before.replace(worked), Some(worked));
    }
}

#[test]
fn shutdown_waits_for_threads_that_end_by_themselves() {
    for _ in 0..20 {
        let pool = Arc::new(Pool::new(SHORT));
        let log = Arc::new(Mutex::new(Vec::new()));
        let (ending, is_ending) = channel();
        let (open, gate) = channel::<()>();
        let job = spawn(&pool, {
            let log = log.clone();
            move || {
                at_thread_end(move || {
                    ending.send(()).unwrap();
                    gate.recv().unwrap();
                    log.lock().unwrap().push("ended");
                });
            }
        });
        block_on(job).unwrap();
        is_ending.recv().expect("it ends by itself");
        let stopper = thread::spawn({
            let (pool, log) = (pool.clone(), log.clone());
            move || {
                pool.shutdown();
                log.lock().unwrap().push("shut down");
            }
        });
        while block_on(spawn(&pool, || ())).is_ok() {}
        open.send(()).unwrap();
        stopper.join().unwrap();
        assert_eq!(log.lock().unwrap().last(), Some(&"shut down"));
    }
}

#[test]
fn a_panic_reaches_who_joins_and_nobody_else() {
    let pool = pool(1);
    let first = block_on(spawn(&pool, || thread::current().id())).unwrap();
    let task: BlockingTask<()> = spawn(&pool, || resume_unwind(Box::new("the file is broken")));
    let payload = block_on(task).expect_err("it panicked").try_into_panic().expect("a panic");
    assert_eq!(*payload.downcast::<&str>().unwrap(), "the file is broken");
    assert_eq!(block_on(spawn(&pool, || thread::current().id())).unwrap(), first, "the thread lives on");
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        resume_unwind(Box::new("in drop"));
    }
}

#[test]
fn a_result_that_panics_when_dropped_hurts_nobody() {
    let pool = pool(1);
    let (first, started, open) = gated(&pool);
    started.recv().unwrap();
    drop(spawn(&pool, || PanicsInDrop));
    open.send(()).unwrap();
    let first = block_on(first).unwrap();
    assert_eq!(block_on(spawn(&pool, || thread::current().id())).unwrap(), first);
}

#[test]
fn a_dropped_task_lets_its_job_run() {
    let pool = pool(1);
    let (ran, has_run) = channel();
    drop(spawn(&pool, move || ran.send(()).unwrap()));
    has_run.recv().expect("the job ran");
}

#[test]
fn shutdown_waits_for_what_runs_and_cancels_what_does_not() {
    let pool = Arc::new(pool(2));
    let (running, gates): (Vec<_>, Vec<_>) = (0..2)
        .map(|_| {
            let (task, started, open) = gated(&pool);
            started.recv().unwrap();
            (task, open)
        })
        .unzip();
    let held = Arc::new(());
    let queued: Vec<_> = (0..3)
        .map(|_| {
            let held = held.clone();
            spawn(&pool, move || drop(held))
        })
        .collect();
    let broken = PanicsInDrop;
    let panics_when_dropped = spawn(&pool, move || drop(broken));

    let down = Arc::new(AtomicBool::new(false));
    let stopper = thread::spawn({
        let (pool, down) = (pool.clone(), down.clone());
        move || {
            pool.shutdown();
            down.store(true, Ordering::SeqCst);
        }
    });
    // Cancelled while the running ones still run: the queue does not wait for them.
    for outcome in block_on(join_all(queued)) {
        assert!(outcome.unwrap_err().is_cancelled());
    }
    assert!(block_on(panics_when_dropped).unwrap_err().is_cancelled());
    assert!(!down.load(Ordering::SeqCst), "two jobs still run");
    gates.iter().for_each(|open| open.send(()).unwrap());
    stopper.join().unwrap();
    assert!(block_on(join_all(running)).iter().all(Result::is_ok));
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(pool.threads(), 0);
    assert!(block_on(spawn(&pool, || ())).unwrap_err().is_cancelled(), "nothing starts any more");
    pool.shutdown();
}

#[test]
fn a_job_may_hold_the_last_handle_of_its_pool() {
    let pool = Arc::new(pool(2));
    let (open, gate) = channel::<()>();
    let task = spawn(&pool, {
        let pool = pool.clone();
        move || {
            gate.recv().unwrap();
            drop(pool);
            "shut down from within"
        }
    });
    drop(pool);
    open.send(()).unwrap();
    assert_eq!(block_on(task).unwrap(), "shut down from within");
}

#[test]
#[should_panic(expected = "max_threads")]
fn a_pool_without_threads_is_refused() {
    drop(pool(0));
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_thread_starts_the_caller_is_told() {
    let too_large = Some(1 << 46);
    let pool = Pool::new(Config { stack_size: too_large, ..Config::default() });
    let held = Arc::new(());
    let error = pool.spawn({
        let held = held.clone();
        move || drop(held)
    });
    let error = error.expect_err("64 TiB of stack").to_string();
    assert!(error.contains("cannot start a thread for a blocking job"), "{error}");
    assert_eq!(Arc::strong_count(&held), 1, "the job was dropped");
    assert_eq!(pool.threads(), 0);
}
