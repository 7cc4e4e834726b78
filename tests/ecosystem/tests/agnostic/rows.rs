//! What is asked: of cotask inside other runtimes, and of others inside cotask.

use std::future::{pending, poll_fn, ready};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use coroutine::{Coroutine, State};
use futures::future::join;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::measure::{Row, sleep_on_async_io};
use super::probes::{beside, by_thread, ours, tokios};

const MS: Duration = Duration::from_millis(1);

/// Returns all rows, in the order of the table.
pub fn rows() -> Vec<Row> {
    [ours_elsewhere(), tokios_elsewhere(), smols_elsewhere(), anybodys(), blocking()].concat()
}

macro_rules! rows {
    ($($what:literal, $why:literal: $probe:expr;)*) => {
        vec![$(Row { what: $what, why: $why, blocks: false, probe: || Box::pin($probe) }),*]
    };
}

/// A listener and a client that connects to it: both wait for the system to report the connection.
macro_rules! connects {
    ($($net:tt)*) => {
        async {
            let listener = $($net)*::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let connect = $($net)*::TcpStream::connect(listener.local_addr().unwrap());
            let (accepted, connected) = join(listener.accept(), connect).await;
            assert_eq!(accepted.unwrap().1, connected.unwrap().local_addr().unwrap());
        }
    };
}

fn ours_elsewhere() -> Vec<Row> {
    rows! {
        "cotask::sync::mpsc", "a waker is all it needs": ours::mpsc();
        "cotask::sync::oneshot", "a waker is all it needs": ours::oneshot();
        "cotask::sync::Notify", "a waker is all it needs": ours::notify();
        "cotask::sync::Semaphore", "a waker is all it needs": ours::semaphore();
        "cotask::sync::Mutex", "a waker is all it needs": ours::mutex();
        "cotask::yield_now", "wakes itself and says that it waits": cotask::yield_now();
        "coroutine", "its caller alone drives it": async {
            let mut doubling = Coroutine::new(async |co| {
                while let Some(number) = co.receive().await {
                    co.yield_(2 * number).await;
                }
            });
            assert_eq!(doubling.resume(21), State::Yielded(42));
            assert_eq!(doubling.close(), State::Complete(()));
        };
        "cotask::time::sleep", "the timer wheel is the runtime's": cotask::time::sleep(MS);
        "cotask::time::timeout", "the timer wheel is the runtime's": async {
            cotask::time::timeout(MS, pending::<()>()).await.unwrap_err();
        };
        "cotask::time::interval", "the timer wheel is the runtime's": async {
            let mut ticks = cotask::time::interval(MS);
            assert_ne!(ticks.tick().await, ticks.tick().await);
        };
        "cotask::net", "the reactor is the runtime's": connects!(cotask::net);
        "cotask::spawn", "the run queue is the runtime's": async {
            assert_eq!(cotask::spawn(ready(7)).await.unwrap(), 7);
        };
        "cotask::spawn_blocking", "the pool is the runtime's": async {
            assert_eq!(cotask::spawn_blocking(|| 7).await.unwrap(), 7);
        };
        "cotask::Handle::spawn", "to a cotask thread; the answer comes through a channel": async {
            let (tell, told) = mpsc::channel();
            let thread = thread::spawn(move || {
                let runtime = cotask::Runtime::new().unwrap();
                tell.send(runtime.handle()).unwrap();
                runtime.run();
            });
            let handle = told.recv().unwrap();
            let there = handle.spawn(|| async {
                cotask::time::sleep(MS).await;
                7
            });
            assert_eq!(there.await.unwrap(), 7);
            handle.shutdown();
            thread.join().unwrap();
        };
    }
}

fn tokios_elsewhere() -> Vec<Row> {
    rows! {
        "tokio::sync", "a waker is all it needs": async {
            tokios::mpsc().await;
            tokios::oneshot().await;
            tokios::notify().await;
            tokios::semaphore().await;
            tokios::mutex().await;
        };
        "tokio::io::duplex", "bytes in memory, and wakers": async {
            let (mut here, mut there) = tokio::io::duplex(16);
            let (sent, mut heard) = ([7; 100], [0; 100]);
            let (written, read) = join(here.write_all(&sent), there.read_exact(&mut heard)).await;
            written.unwrap();
            read.unwrap();
            assert_eq!(sent, heard);
        };
        "tokio::select!", "polls its branches in place": async {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let chosen = async {
                tokio::select! {
                    _ = pending::<()>() => 0,
                    number = receiver => number.unwrap(),
                }
            };
            assert_eq!(beside(chosen, || sender.send(7).unwrap()).await, 7);
        };
        "tokio::task::yield_now", "wakes itself when there is no tokio to do it": tokio::task::yield_now();
        "tokio::time::sleep", "the timer wheel is the runtime's": tokio::time::sleep(MS);
        "tokio::net", "the reactor is the runtime's": connects!(tokio::net);
        "tokio::spawn", "the run queue is the runtime's": async {
            assert_eq!(tokio::spawn(ready(7)).await.unwrap(), 7);
        };
        "tokio::task::spawn_blocking", "the pool is the runtime's": async {
            assert_eq!(tokio::task::spawn_blocking(|| 7).await.unwrap(), 7);
        };
        "tokio::time::sleep, entered", "a tokio on a thread of yours, and its handle entered": async {
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let (tell, told) = mpsc::channel();
            let thread = thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                tell.send(runtime.handle().clone()).unwrap();
                runtime.block_on(stopped).unwrap_err();
            });
            let handle = told.recv().unwrap();
            let sleep = {
                let _entered = handle.enter();
                tokio::time::sleep(MS)
            };
            sleep.await;
            drop(stop);
            thread.join().unwrap();
        };
    }
}

fn smols_elsewhere() -> Vec<Row> {
    rows! {
        "async-channel", "a waker is all it needs": async {
            let (sender, receiver) = smol::channel::bounded(1);
            let there = sender.clone();
            assert_eq!(by_thread(receiver.recv(), move || there.try_send(1).unwrap()).await, Ok(1));
            sender.try_send(2).unwrap();
            beside(sender.send(3), || assert_eq!(receiver.try_recv(), Ok(2))).await.unwrap();
        };
        "async-lock", "a waker is all it needs": async {
            let mutex = smol::lock::Mutex::new(1);
            let held = mutex.try_lock().unwrap();
            assert_eq!(*beside(mutex.lock(), || drop(held)).await, 1);
            let semaphore = smol::lock::Semaphore::new(1);
            let held = semaphore.try_acquire().unwrap();
            drop(beside(semaphore.acquire(), || drop(held)).await);
        };
        "smol::LocalExecutor", "a queue that is a future itself": async {
            let executor = smol::LocalExecutor::new();
            let task = executor.spawn(async {
                smol::future::yield_now().await;
                7
            });
            assert_eq!(executor.run(task).await, 7);
        };
        "smol::Timer", "async-io has one reactor a process, and a thread for it": sleep_on_async_io();
        "smol::net", "async-io has one reactor a process, and a thread for it": connects!(smol::net);
        "smol::spawn", "one executor a process, and a thread for it; the task sleeps": async {
            smol::spawn(sleep_on_async_io()).await;
        };
        "smol::unblock", "one pool a process": async {
            assert_eq!(smol::unblock(|| 7).await, 7);
        };
    }
}

fn anybodys() -> Vec<Row> {
    rows! {
        "futures::channel", "a waker is all it needs": async {
            let (sender, receiver) = futures::channel::oneshot::channel();
            assert_eq!(by_thread(receiver, || sender.send(1).unwrap()).await, Ok(1));
            let (mut sender, mut receiver) = futures::channel::mpsc::channel(0);
            sender.try_send(2).unwrap();
            beside(poll_fn(|cx| sender.poll_ready(cx)), || assert_eq!(receiver.try_recv(), Ok(2))).await.unwrap();
        };
        "futures::lock::Mutex", "a waker is all it needs": async {
            let mutex = futures::lock::Mutex::new(1);
            let held = mutex.try_lock().unwrap();
            assert_eq!(*beside(mutex.lock(), || drop(held)).await, 1);
        };
        "FuturesUnordered", "each future gets a waker of its own": async {
            let (senders, receivers): (Vec<_>, FuturesUnordered<_>) =
                (0..100).map(|_| futures::channel::oneshot::channel()).unzip();
            let send = || senders.into_iter().rev().for_each(|sender| sender.send(1).unwrap());
            let received = by_thread(receivers.collect::<Vec<_>>(), send).await;
            assert_eq!(received, [Ok(1); 100]);
        };
        "futures::select!", "polls its branches in place": async {
            let (sender, receiver) = futures::channel::oneshot::channel();
            let (mut never, mut receiver) = (pending::<()>().fuse(), receiver.fuse());
            let chosen = async {
                futures::select! {
                    _ = never => 0,
                    number = receiver => number.unwrap(),
                }
            };
            assert_eq!(by_thread(chosen, || sender.send(7).unwrap()).await, 7);
        };
    }
}

/// Calls that block the thread, and with it all tasks of a runtime. The question is which runtime notices.
fn blocking() -> Vec<Row> {
    /// A receiver, and another thread that sends.
    macro_rules! blocks {
        ($($sync:tt)*) => {
            async {
                let (sender, receiver) = $($sync)*::oneshot::channel();
                let thread = thread::spawn(move || sender.send(7).unwrap());
                assert_eq!(receiver.blocking_recv(), Ok(7));
                thread.join().unwrap();
            }
        };
    }
    let rows = rows! {
        "cotask: blocking_recv", "seen only in a task of its own runtime": blocks!(cotask::sync);
        "tokio: blocking_recv", "seen only in a task of its own runtime": blocks!(tokio::sync);
        "cotask::block_on, nested", "seen only in a task of its own runtime": async {
            assert_eq!(cotask::block_on(ready(7)), 7);
        };
        "tokio: block_on, nested", "seen only in a task of its own runtime": async {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            assert_eq!(runtime.block_on(ready(7)), 7);
        };
        "smol::block_on, nested", "seen nowhere": async {
            assert_eq!(smol::block_on(ready(7)), 7);
        };
    };
    rows.into_iter().map(|row| Row { blocks: true, ..row }).collect()
}
