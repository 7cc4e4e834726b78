//! Several waiters for the same direction of one socket: an event wakes each of them, and none displaces another.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use cotask::net::{AsyncFd, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use cotask::time::timeout;
use cotask::{JoinHandle, spawn, yield_now};
use futures::future::{FutureExt, join, join_all};
use futures::io::{AsyncRead, AsyncWrite};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{AsyncReadExt, AsyncWriteExt};
use futures_test::task::new_count_waker;

use crate::echo::Folder;
use crate::support::{run, tcp_pair, turn};

/// Spawns `count` tasks and lets each run until it waits.
async fn waiting<T: 'static, F: Future<Output = T> + 'static>(
    count: usize,
    mut task: impl FnMut() -> F,
) -> Vec<JoinHandle<T>> {
    let tasks: Vec<_> = (0..count).map(|_| spawn(task())).collect();
    for _ in 0..=count {
        yield_now().await;
    }
    assert!(tasks.iter().all(|task| !task.is_finished()), "there is nothing to be had yet");
    tasks
}

/// The outputs of tasks that do not panic.
async fn outputs<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    join_all(tasks).await.into_iter().map(|output| output.expect("it does not panic")).collect()
}

/// Three tasks read one stream through `&stream`. Two get the two bytes, and the end reaches all that still read.
async fn shared_by_readers<S>(ours: S, mut theirs: impl AsyncWrite + Unpin) -> io::Result<()>
where
    S: 'static,
    for<'a> &'a S: AsyncRead,
{
    let ours = Rc::new(ours);
    let read = || {
        let ours = Rc::clone(&ours);
        async move { (&*ours).read(&mut [0; 1]).await }
    };
    let tasks = waiting(3, read).await;
    theirs.write_all(b"ab").await?;
    theirs.close().await?;
    let mut read = outputs(tasks).await.into_iter().collect::<io::Result<Vec<_>>>()?;
    read.sort();
    assert_eq!(read, [0, 1, 1]);
    Ok(())
}

#[test]
fn two_readers_of_one_tcp_stream_are_woken() -> io::Result<()> {
    run(async {
        let (ours, theirs) = tcp_pair().await?;
        shared_by_readers(ours, theirs).await
    })
}

#[test]
fn two_readers_of_one_unix_stream_are_woken() -> io::Result<()> {
    run(async {
        let (ours, theirs) = UnixStream::pair()?;
        shared_by_readers(ours, theirs).await
    })
}

#[test]
fn the_peers_end_wakes_all_readers() -> io::Result<()> {
    run(async {
        let (ours, theirs) = tcp_pair().await?;
        let ours = Rc::new(ours);
        let read = || {
            let ours = Rc::clone(&ours);
            async move { (&*ours).read(&mut [0; 1]).await }
        };
        let tasks = waiting(2, read).await;
        drop(theirs);
        for read in outputs(tasks).await {
            assert_eq!(read?, 0);
        }
        Ok(())
    })
}

/// And one of this very end.
#[test]
fn a_shutdown_wakes_all_readers() -> io::Result<()> {
    run(async {
        let (ours, _theirs) = tcp_pair().await?;
        let ours = Rc::new(ours);
        let read = || {
            let ours = Rc::clone(&ours);
            async move { (&*ours).read(&mut [0; 1]).await }
        };
        let tasks = waiting(2, read).await;
        ours.shutdown(std::net::Shutdown::Read)?;
        for read in outputs(tasks).await {
            assert_eq!(read?, 0);
        }
        Ok(())
    })
}

#[test]
fn two_writers_of_one_stream_are_woken_and_a_reader_beside_them() -> io::Result<()> {
    run(async {
        let (ours, mut theirs) = tcp_pair().await?;
        let mut room = 0;
        while let Ok(n) = ours.try_write(&[0; 65_536]) {
            room += n;
        }
        let ours = Rc::new(ours);
        let write = || {
            let ours = Rc::clone(&ours);
            async move { (&*ours).write_all(b"1").await }
        };
        let writers = waiting(2, write).await;
        let reader = waiting(1, || {
            let ours = Rc::clone(&ours);
            async move { (&*ours).read(&mut [0; 8]).await }
        });
        let reader = reader.await;
        let mut taken = vec![0; room + 2];
        theirs.read_exact(&mut taken).await?;
        assert_eq!(&taken[room..], b"11");
        for written in outputs(writers).await {
            written?;
        }
        theirs.write_all(b"answer").await?;
        for read in outputs(reader).await {
            assert_eq!(read?, 6);
        }
        Ok(())
    })
}

#[test]
fn two_tasks_accept_at_one_tcp_listener() -> io::Result<()> {
    run(async {
        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").await?);
        let address = listener.local_addr()?;
        let accept = || {
            let listener = Rc::clone(&listener);
            async move { listener.accept().await.map(drop) }
        };
        let tasks = waiting(2, accept).await;
        let _clients = (TcpStream::connect(address).await?, TcpStream::connect(address).await?);
        for accepted in outputs(tasks).await {
            accepted?;
        }
        Ok(())
    })
}

/// Two streams of connections are as two tasks that accept.
#[test]
fn two_streams_of_connections_at_one_unix_listener() -> io::Result<()> {
    run(async {
        let folder = Folder::new("waiters")?;
        let path = folder.0.join("socket");
        let listener = Rc::new(UnixListener::bind(&path)?);
        let next = || {
            let listener = Rc::clone(&listener);
            async move { listener.incoming().next().await.expect("it never ends").map(drop) }
        };
        let tasks = waiting(2, next).await;
        let _clients = (UnixStream::connect(&path).await?, UnixStream::connect(&path).await?);
        for accepted in outputs(tasks).await {
            accepted?;
        }
        Ok(())
    })
}

#[test]
fn two_tasks_receive_from_one_udp_socket() -> io::Result<()> {
    run(async {
        let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").await?);
        let receive = || {
            let socket = Rc::clone(&socket);
            async move { socket.recv_from(&mut [0; 8]).await }
        };
        let tasks = waiting(2, receive).await;
        for _ in 0..2 {
            socket.send_to(b"one", socket.local_addr()?).await?;
        }
        for received in outputs(tasks).await {
            assert_eq!(received?.0, 3);
        }
        Ok(())
    })
}

#[test]
fn two_tasks_receive_from_one_unix_datagram_socket() -> io::Result<()> {
    run(async {
        let (ours, theirs) = UnixDatagram::pair()?;
        let ours = Rc::new(ours);
        let receive = || {
            let ours = Rc::clone(&ours);
            async move { ours.recv(&mut [0; 8]).await }
        };
        let tasks = waiting(2, receive).await;
        theirs.send(b"one").await?;
        theirs.send(b"one").await?;
        for received in outputs(tasks).await {
            assert_eq!(received?, 3);
        }
        Ok(())
    })
}

#[test]
fn two_tasks_wait_for_one_async_fd() -> io::Result<()> {
    run(async {
        let (reader, mut writer) = io::pipe()?;
        rustix::io::ioctl_fionbio(&reader, true)?;
        let reader = Rc::new(AsyncFd::new(reader)?);
        let direction = cotask::net::Direction::Read;
        let nothing = reader.try_io(direction, || Ok(rustix::io::read(reader.get_ref(), &mut [0; 1])?));
        assert_eq!(nothing.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let ready = || {
            let reader = Rc::clone(&reader);
            async move { reader.readable().await }
        };
        let tasks = waiting(2, ready).await;
        writer.write_all(b"x")?;
        outputs(tasks).await;
        Ok(())
    })
}

/// A short attempt of one task takes nothing away from another task, which waits for the same.
#[test]
fn an_attempt_that_is_given_up_displaces_no_other_waiter() -> io::Result<()> {
    run(async {
        let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").await?);
        let receive = || {
            let socket = Rc::clone(&socket);
            async move { socket.recv_from(&mut [0; 8]).await }
        };
        let tasks = waiting(1, receive).await;
        timeout(Duration::from_millis(1), socket.recv_from(&mut [0; 8])).await.expect_err("there is nothing");
        socket.send_to(b"one", socket.local_addr()?).await?;
        for received in outputs(tasks).await {
            assert_eq!(received?.0, 3);
        }
        Ok(())
    })
}

/// The two futures have the same waker: that of their task. One gives up, and the other still waits.
#[test]
fn of_two_futures_in_one_task_one_is_dropped() -> io::Result<()> {
    run(async {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let (mut first, mut other) = ([0; 8], [0; 8]);
        for drop_first in [true, false] {
            let mut futures =
                [Some(Box::pin(socket.recv_from(&mut first))), Some(Box::pin(socket.recv_from(&mut other)))];
            for future in futures.iter_mut().flatten() {
                assert!(future.as_mut().now_or_never_in_this_task().await.is_pending());
            }
            futures[usize::from(!drop_first)] = None;
            socket.send_to(b"one", socket.local_addr()?).await?;
            let stays = futures.into_iter().flatten().next().expect("one is left");
            assert_eq!(stays.await?.0, 3);
        }
        Ok(())
    })
}

trait Once: Future {
    /// Polls once, with the waker of the task.
    async fn now_or_never_in_this_task(self: Pin<&mut Self>) -> Poll<Self::Output>;
}

impl<F: Future> Once for F {
    async fn now_or_never_in_this_task(mut self: Pin<&mut Self>) -> Poll<Self::Output> {
        std::future::poll_fn(|cx| Poll::Ready(self.as_mut().poll(cx))).await
    }
}

/// The children of one task have wakers of their own, and each has to be woken by its own.
#[test]
fn the_children_of_one_task_are_all_woken() -> io::Result<()> {
    const CHILDREN: usize = 20;
    run(async {
        let (ours, mut theirs) = tcp_pair().await?;
        let children: FuturesUnordered<_> = (0..CHILDREN)
            .map(|_| async {
                let mut stream = &ours;
                stream.read(&mut [0; 1]).await
            })
            .collect();
        let (read, written) =
            join(children.collect::<Vec<_>>(), async { theirs.write_all(&[7; CHILDREN]).await }).await;
        written?;
        for read in read {
            assert_eq!(read?, 1);
        }
        Ok(())
    })
}

/// Invariant 5, for a future that keeps its place however often its waker changes.
#[test]
fn the_last_waker_given_to_a_future_is_woken_and_no_other() -> io::Result<()> {
    run(async {
        let (ours, mut theirs) = tcp_pair().await?;
        assert_eq!(ours.try_read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let (mut first, mut second) = (pin!(ours.readable()), pin!(ours.readable()));
        let wakers: Vec<_> = (0..4).map(|_| new_count_waker()).collect();
        for (number, (waker, _)) in wakers.iter().enumerate() {
            let future = if number % 2 == 0 { first.as_mut() } else { second.as_mut() };
            assert!(future.poll(&mut Context::from_waker(waker)).is_pending());
        }
        theirs.write_all(b"x").await?;
        while wakers.iter().all(|(_, woken)| woken.get() == 0) {
            turn().await;
        }
        assert_eq!(wakers.iter().map(|(_, woken)| woken.get()).collect::<Vec<_>>(), [0, 0, 1, 1]);
        Ok(())
    })
}

/// Counts how many of its kind are alive, and its wakes.
struct Counted {
    woken: Arc<AtomicUsize>,
    alive: Arc<()>,
}

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::Relaxed);
        assert!(Arc::strong_count(&self.alive) > 1);
    }
}

#[derive(Default)]
struct Counts {
    woken: Arc<AtomicUsize>,
    alive: Arc<()>,
}

impl Counts {
    fn waker(&self) -> Waker {
        Waker::from(Arc::new(Counted { woken: Arc::clone(&self.woken), alive: Arc::clone(&self.alive) }))
    }

    fn alive(&self) -> usize {
        Arc::strong_count(&self.alive) - 1
    }

    fn woken(&self) -> usize {
        self.woken.load(Ordering::Relaxed)
    }
}

/// Invariant 9: a future that is dropped frees its place, whichever of those that wait it is, and is not woken.
#[test]
fn a_future_that_is_dropped_leaves_no_waker_behind() -> io::Result<()> {
    run(async {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let counts = Counts::default();
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut buffers = [[0; 8]; 3];
            let mut futures: Vec<_> =
                buffers.iter_mut().map(|buffer| Some(Box::pin(socket.recv_from(buffer)))).collect();
            for future in futures.iter_mut().flatten() {
                assert!(future.as_mut().poll(&mut Context::from_waker(&counts.waker())).is_pending());
            }
            assert_eq!(counts.alive(), 3);
            for (dropped, &which) in order.iter().enumerate() {
                futures[which] = None;
                assert_eq!(counts.alive(), 2 - dropped);
            }
        }
        // An event that comes now finds no waker.
        socket.send_to(b"x", socket.local_addr()?).await?;
        turn().await;
        assert_eq!(counts.woken(), 0);
        Ok(())
    })
}

/// The waker of a future that was woken and is not polled has left its place. What waits there later is another's.
#[test]
fn a_future_that_was_woken_and_is_dropped_takes_no_other_waiter_along() -> io::Result<()> {
    run(async {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let (mut first, mut second, mut late) = ([0; 8], [0; 8], [0; 8]);
        let counts = Counts::default();
        let waker = counts.waker();
        let mut woken = [Box::pin(socket.recv_from(&mut first)), Box::pin(socket.recv_from(&mut second))];
        for future in &mut woken {
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        socket.send_to(b"x", socket.local_addr()?).await?;
        while counts.woken() < 2 {
            turn().await;
        }
        let mut buffer = [0; 8];
        assert_eq!(socket.recv_from(&mut buffer).await?.0, 1);
        let mut late = Box::pin(socket.recv_from(&mut late));
        assert!(late.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(woken);
        socket.send_to(b"y", socket.local_addr()?).await?;
        while counts.woken() < 3 {
            turn().await;
        }
        assert!(late.now_or_never().expect("it was woken").is_ok());
        Ok(())
    })
}

/// A caller that polls by hand has no place that could be freed. With a new waker at each poll it leaves one behind
/// each time. There is a bound: beyond it all of them are woken, and what still waits comes again.
#[test]
fn wakers_that_are_new_at_each_poll_do_not_pile_up() -> io::Result<()> {
    const BOUND: usize = 2_000;
    run(async {
        let (ours, mut theirs) = tcp_pair().await?;
        assert_eq!(ours.try_read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let (other, other_woken) = new_count_waker();
        assert!(ours.poll_read_ready(&mut Context::from_waker(&other)).is_pending());
        let counts = Counts::default();
        for _ in 0..10 * BOUND {
            assert!(ours.poll_read_ready(&mut Context::from_waker(&counts.waker())).is_pending());
            assert!(counts.alive() <= BOUND, "{} wakers are kept", counts.alive());
        }
        // The last one waits, as does the first, which has never come again: unless it was woken.
        let woken = counts.woken();
        theirs.write_all(b"x").await?;
        while counts.woken() == woken {
            turn().await;
        }
        assert!(other_woken.get() > 0);
        Ok(())
    })
}

/// A hundred tasks that wait by hand wait: none is woken before its event.
#[test]
fn a_crowd_that_polls_by_hand_sleeps_until_the_event() -> io::Result<()> {
    const TASKS: usize = 100;
    run(async {
        let (ours, theirs) = tcp_pair().await?;
        let ours = Rc::new(ours);
        let polls = Rc::new(RefCell::new(0));
        let read = || {
            let (ours, polls) = (Rc::clone(&ours), Rc::clone(&polls));
            std::future::poll_fn(move |cx| {
                *polls.borrow_mut() += 1;
                Pin::new(&mut &*ours)
                    .poll_read(cx, &mut [0; 1])
                    .map(|read| read.expect("the end is no error"))
            })
        };
        let tasks = waiting(TASKS, read).await;
        for _ in 0..10 {
            turn().await;
        }
        assert_eq!(*polls.borrow(), TASKS);
        drop(theirs);
        assert_eq!(outputs(tasks).await, [0; TASKS]);
        assert_eq!(*polls.borrow(), 2 * TASKS);
        Ok(())
    })
}

thread_local! {
    /// What a waker of [`Meddling`] does whenever it is cloned, dropped or woken. Sockets never leave this thread.
    static MEDDLE: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
}

fn meddle() {
    let action = MEDDLE.with_borrow_mut(Option::take);
    if let Some(action) = action {
        action();
        MEDDLE.set(Some(action));
    }
}

struct Meddling(Waker);

impl Wake for Meddling {
    fn wake(self: Arc<Self>) {
        meddle();
        self.0.wake_by_ref();
    }
}

impl Drop for Meddling {
    fn drop(&mut self) {
        meddle();
    }
}

/// The wake and the drop of a waker use the very socket that it waits for, and nothing is borrowed.
#[test]
fn a_waker_may_use_the_socket_that_it_waits_for() -> io::Result<()> {
    run(async {
        let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").await?);
        let meddling = Rc::clone(&socket);
        let meddled = Rc::new(RefCell::new(0));
        let count = Rc::clone(&meddled);
        MEDDLE.set(Some(Rc::new(move || {
            *count.borrow_mut() += 1;
            for waker in [Waker::noop().clone(), new_count_waker().0] {
                let _ = pin!(meddling.readable()).poll(&mut Context::from_waker(&waker));
                let _ = meddling.poll_read_ready(&mut Context::from_waker(&waker));
            }
        })));
        let receive = || {
            let socket = Rc::clone(&socket);
            let mut receiving = Box::pin(async move { socket.recv_from(&mut [0; 8]).await });
            std::future::poll_fn(move |cx| {
                let waker = Waker::from(Arc::new(Meddling(cx.waker().clone())));
                receiving.as_mut().poll(&mut Context::from_waker(&waker))
            })
        };
        let tasks = waiting(3, receive).await;
        for _ in 0..3 {
            socket.send_to(b"one", socket.local_addr()?).await?;
        }
        for received in outputs(tasks).await {
            assert_eq!(received?.0, 3);
        }
        MEDDLE.take();
        assert!(*meddled.borrow() >= 6, "each was woken and dropped");
        Ok(())
    })
}
