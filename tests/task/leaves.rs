//! Every future of the kit, awaited in a loop in which it is always ready, beside a task that sleeps: the sleeper gets
//! its turn. This is invariant 7 for leaf futures, each of which must ask the budget.
//!
//! The bound counts operations, not time: the clock is only read until the sleeper is due.

use std::future::{pending, ready};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cotask::blocking::{Config, Pool};
use cotask::net::{TcpListener, TcpStream, UdpSocket, lookup_host};
use cotask::sync::{Mutex, Notify, Semaphore, mpsc, oneshot};
use cotask::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout, timeout_at};
use cotask::{JoinSet, Runtime, block_on, spawn, yield_now};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};

#[cfg(unix)]
use crate::alone::alone;
use crate::probes::settle;

/// A poll does 128 operations and a turn has 61 polls: of two tasks, the one that is due waits for no more than this.
const OPERATIONS: usize = 2 * 61 * 128;

/// Awaits `leaf` again and again, until a task that slept has woken up.
async fn gives_way(name: &str, mut leaf: impl AsyncFnMut()) {
    let deadline = Instant::now() + Duration::from_millis(1);
    let sleeper = spawn(sleep_until(deadline));
    // Now it waits.
    settle().await;
    while Instant::now() < deadline + Duration::from_millis(2) {}
    for _ in 0..OPERATIONS {
        leaf().await;
        if sleeper.is_finished() {
            return;
        }
    }
    panic!("{name}: ready {OPERATIONS} times, and a task that was due had no turn");
}

/// More than will be awaited, and each of them is ready.
const ENOUGH: usize = OPERATIONS + 1;

#[test]
fn timers_give_way() {
    block_on(async {
        let past = Instant::now();
        gives_way("sleep", async || sleep(Duration::ZERO).await).await;
        gives_way("sleep_until", async || sleep_until(past).await).await;
        let mut over = sleep(Duration::ZERO);
        gives_way("a sleep that has ended", async || (&mut over).await).await;

        let (sender, mut receiver) = mpsc::unbounded_channel::<()>();
        gives_way("timeout, expired", async || {
            assert!(timeout(Duration::ZERO, receiver.recv()).await.is_err());
        })
        .await;
        gives_way("timeout_at, expired", async || {
            assert!(timeout_at(past, receiver.recv()).await.is_err());
        })
        .await;
        gives_way("timeout, expired, of what counts nothing", async || {
            assert!(timeout(Duration::ZERO, pending::<()>()).await.is_err());
        })
        .await;
        gives_way("timeout, in time, of what counts nothing", async || {
            timeout(Duration::MAX, ready(())).await.unwrap();
        })
        .await;
        gives_way("timeout, in time, of a value", async || {
            sender.send(()).unwrap();
            timeout(Duration::ZERO, receiver.recv()).await.unwrap().unwrap();
        })
        .await;
        gives_way("timeout in a timeout", async || {
            assert!(timeout(Duration::MAX, timeout(Duration::ZERO, pending::<()>())).await.unwrap().is_err());
        })
        .await;

        for missed in [MissedTickBehavior::Burst, MissedTickBehavior::Delay, MissedTickBehavior::Skip] {
            let mut ticks = interval(Duration::from_nanos(1));
            ticks.set_missed_tick_behavior(missed);
            gives_way("interval", async || assert!(ticks.tick().await <= Instant::now())).await;
        }
        gives_way("yield_now", async || yield_now().await).await;
    });
}

#[test]
fn channels_give_way() {
    block_on(async {
        let (sender, mut receiver) = mpsc::channel(1);
        gives_way("mpsc", async || {
            sender.send(1).await.unwrap();
            assert_eq!(receiver.recv().await, Some(1));
        })
        .await;
        gives_way("mpsc, reserve", async || drop(sender.reserve().await.unwrap())).await;
        gives_way("mpsc as a stream", async || {
            sender.try_send(1).unwrap();
            assert_eq!(receiver.next().await, Some(1));
        })
        .await;
        receiver.close();
        gives_way("mpsc, recv from one that is closed", async || assert!(receiver.recv().await.is_none()))
            .await;
        gives_way("mpsc, send to one that is closed", async || assert!(sender.send(1).await.is_err())).await;
        gives_way("mpsc, reserve in one that is closed", async || assert!(sender.reserve().await.is_err()))
            .await;
        gives_way("mpsc, closed", async || sender.closed().await).await;
        let (sender, mut receiver) = mpsc::unbounded_channel();
        gives_way("unbounded mpsc", async || {
            sender.send(1).unwrap();
            assert_eq!(receiver.recv().await, Some(1));
        })
        .await;

        gives_way("oneshot", async || {
            let (sender, receiver) = oneshot::channel();
            sender.send(1).unwrap();
            assert_eq!(receiver.await, Ok(1));
        })
        .await;
        gives_way("oneshot without a sender", async || {
            let (sender, receiver) = oneshot::channel::<()>();
            drop(sender);
            assert!(receiver.await.is_err());
        })
        .await;
        let (mut sender, _) = oneshot::channel::<()>();
        gives_way("oneshot, closed", async || sender.closed().await).await;
    });
}

#[test]
fn locks_give_way() {
    block_on(async {
        let mutex = Mutex::new(());
        gives_way("Mutex", async || drop(mutex.lock().await)).await;
        let semaphore = Arc::new(Semaphore::new(1));
        gives_way("Semaphore", async || drop(semaphore.acquire().await.unwrap())).await;
        gives_way("Semaphore, no permits", async || drop(semaphore.acquire_many(0).await.unwrap())).await;
        gives_way("Semaphore, owned", async || drop(semaphore.clone().acquire_owned().await.unwrap())).await;
        semaphore.close();
        gives_way("Semaphore, closed", async || assert!(semaphore.acquire().await.is_err())).await;
        let notify = Notify::new();
        gives_way("Notify", async || {
            notify.notify_one();
            notify.notified().await;
        })
        .await;
        let mut told = pin!(notify.notified());
        notify.notify_one();
        gives_way("a Notified that is done", async || told.as_mut().await).await;
    });
}

#[test]
fn joins_give_way() {
    let ended = {
        let runtime = Runtime::new().unwrap();
        let handle = runtime.handle();
        (0..ENOUGH).map(move |_| handle.spawn(|| async {})).collect::<Vec<_>>()
    };
    block_on(async {
        let mut finished: Vec<_> = (0..ENOUGH).map(|_| spawn(async {})).collect();
        let mut set = JoinSet::new();
        (0..ENOUGH).for_each(|_| set.spawn(async {}));
        settle().await;
        gives_way("JoinHandle", async || finished.pop().unwrap().await.unwrap()).await;
        gives_way("JoinSet", async || set.join_next().await.unwrap().unwrap()).await;
        let mut empty = JoinSet::<()>::new();
        gives_way("JoinSet, empty", async || assert!(empty.join_next().await.is_none())).await;
        gives_way("JoinSet, empty, as a stream", async || assert!(empty.next().await.is_none())).await;

        let mut ended = ended;
        gives_way("RemoteJoinHandle", async || drop(ended.pop().unwrap().await.unwrap_err())).await;

        // One thread, and its pool has waited for it: all jobs are done.
        let pool = Pool::new(Config { max_threads: 1, ..Config::default() });
        let mut jobs: Vec<_> = (0..ENOUGH).map(|_| pool.spawn(|| ()).unwrap()).collect();
        let (last, is_last) = std::sync::mpsc::channel();
        drop(pool.spawn(move || last.send(()).unwrap()).unwrap());
        is_last.recv().unwrap();
        pool.shutdown();
        gives_way("BlockingTask", async || jobs.pop().unwrap().await.unwrap()).await;
        gives_way("BlockingTask, refused", async || drop(pool.spawn(|| ()).unwrap().await.unwrap_err()))
            .await;
    });
}

#[test]
fn sockets_give_way() {
    block_on(async {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        gives_way("lookup_host", async || drop(lookup_host(any).await.unwrap())).await;
        gives_way("TcpListener::bind", async || drop(TcpListener::bind(any).await.unwrap())).await;
        let listener = TcpListener::bind(any).await.unwrap();
        let taken = listener.local_addr().unwrap();
        gives_way("TcpListener::bind, in use", async || drop(TcpListener::bind(taken).await.unwrap_err()))
            .await;
        let nowhere: &[SocketAddr] = &[];
        gives_way("TcpStream::connect, nowhere", async || {
            drop(TcpStream::connect(nowhere).await.unwrap_err());
        })
        .await;

        let mut client = TcpStream::connect(taken).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        gives_way("writable", async || client.writable().await).await;
        gives_way("flush", async || client.flush().await.unwrap()).await;
        assert_eq!(server.try_write(b"x").unwrap(), 1);
        gives_way("peek", async || assert_eq!(client.peek(&mut [0; 8]).await.unwrap(), 1)).await;
        gives_way("read of nothing", async || assert_eq!(client.read(&mut []).await.unwrap(), 0)).await;
        gives_way("readable", async || client.readable().await).await;
        gives_way("read and write", async || {
            (&server).write_all(b"x").await.unwrap();
            client.read_exact(&mut [0]).await.unwrap();
        })
        .await;
        client.read_exact(&mut [0]).await.unwrap();
        drop(server);
        gives_way("read at the end", async || assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0)).await;
        gives_way("close", async || client.close().await.unwrap()).await;
        let (mut reads, mut writes) = client.into_split();
        gives_way("read of a half", async || assert_eq!(reads.read(&mut [0; 8]).await.unwrap(), 0)).await;
        gives_way("close of a half", async || writes.close().await.unwrap()).await;
    });
}

#[test]
fn datagrams_give_way() {
    block_on(async {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        gives_way("UdpSocket::bind", async || drop(UdpSocket::bind(any).await.unwrap())).await;
        let socket = UdpSocket::bind(any).await.unwrap();
        let itself = socket.local_addr().unwrap();
        gives_way("send_to and recv_from", async || {
            socket.send_to(b"x", itself).await.unwrap();
            socket.recv_from(&mut [0; 8]).await.unwrap();
        })
        .await;
        gives_way("UdpSocket::connect", async || socket.connect(itself).await.unwrap()).await;
        gives_way("send and recv", async || {
            socket.send(b"x").await.unwrap();
            socket.recv(&mut [0; 8]).await.unwrap();
        })
        .await;
        socket.send(b"x").await.unwrap();
        gives_way("peek_from", async || assert_eq!(socket.peek_from(&mut [0; 8]).await.unwrap().0, 1)).await;
    });
}

#[cfg(unix)]
#[test]
fn what_only_unix_has_gives_way() {
    use cotask::net::{AsyncFd, UnixDatagram, UnixListener, UnixStream};
    use cotask::signal::unix::{SignalKind, signal};

    // It sends a signal to the whole process.
    alone("leaves::what_only_unix_has_gives_way", || {
        block_on(async {
            let path = std::env::temp_dir().join(format!("cotask-leaves-{}", std::process::id()));
            gives_way("UnixStream::connect, nowhere", async || {
                let error = UnixStream::connect(&path).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::NotFound);
            })
            .await;
            let listener = UnixListener::bind(&path).unwrap();
            gives_way("UnixStream::connect and accept", async || {
                let _client = UnixStream::connect(&path).await.unwrap();
                drop(listener.accept().await.unwrap());
            })
            .await;
            gives_way("accept", async || {
                let _client = std::os::unix::net::UnixStream::connect(&path).unwrap();
                drop(listener.accept().await.unwrap());
            })
            .await;
            gives_way("incoming", async || {
                let _client = std::os::unix::net::UnixStream::connect(&path).unwrap();
                drop(listener.incoming().next().await.unwrap().unwrap());
            })
            .await;
            std::fs::remove_file(path).unwrap();

            let (a, b) = UnixDatagram::pair().unwrap();
            gives_way("UnixDatagram", async || {
                a.send(b"x").await.unwrap();
                b.recv(&mut [0; 8]).await.unwrap();
                a.send(b"x").await.unwrap();
                b.recv_from(&mut [0; 8]).await.unwrap();
            })
            .await;

            let (reader, writer) = std::io::pipe().unwrap();
            drop(writer);
            let ended = AsyncFd::new(reader).unwrap();
            gives_way("AsyncFd", async || ended.readable().await).await;

            let mut heard = signal(SignalKind::user_defined2()).unwrap();
            gives_way("Signal", async || {
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::USR2)
                    .unwrap();
                heard.recv().await.unwrap();
            })
            .await;
        });
    });
}

/// In a simulation there are no signals, so that the error comes at once, each time.
#[test]
fn a_signal_that_cannot_be_listened_for_gives_way() {
    let program = async {
        let other = spawn(yield_now());
        for _ in 0..OPERATIONS {
            cotask::signal::ctrl_c().await.unwrap_err();
            if other.is_finished() {
                return;
            }
        }
        panic!("an error {OPERATIONS} times, and another task had no turn");
    };
    cotask::sim::Simulation::builder().fifo(true).build().run(program).result.unwrap();
}
