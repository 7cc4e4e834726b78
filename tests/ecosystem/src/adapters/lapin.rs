//! What lapin asks of a runtime: all of it, and from another thread.
//!
//! lapin asks through the crate `async-rs`, which gathers what runtimes have in common: tasks, time-outs, connections. Its
//! tasks run here. But for the socket it starts a thread of its own, blocks it, and reads and writes there. So its
//! stream must really be `Send`. A promise to stay here ([`Here`]) would be broken at the first read.
//!
//! Our sockets stay on their thread. Yet a connection is only a descriptor, which any thread may use; only to know
//! *when* takes our reactor. So lapin's thread tries its reads and writes itself. When one would block, it sends its
//! waker to a task at home. That task waits with our reactor and wakes lapin's thread. The bytes never pass through
//! home.
//!
//! The trap: when a waker comes home, the task may just have cleared, for an earlier waker, the very readiness that
//! this one waits for. So lapin's thread tries again after it has sent a waker: look, leave the waker, look again.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, SocketAddr};
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use async_rs::traits::{Executor, Reactor, RuntimeKit};
use async_rs::util::{Task, TaskImpl};
use cotask::net::{AsyncFd, Direction, TcpStream};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::channel::oneshot;
use futures::future::{join, select};
use futures::io::{AsyncRead, AsyncWrite};
use futures::{Stream, StreamExt, stream};

use super::here::Here;

/// A handle by which any thread may use the runtime of one thread, called home.
#[derive(Clone, Debug)]
pub struct Kit {
    home: UnboundedSender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Kit {
    /// Returns a handle to the runtime of this thread.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn here() -> Kit {
        let (home, jobs) = unbounded::<Job>();
        // Ends with the last clone of the kit.
        cotask::spawn(jobs.for_each(async |job| job()));
        Kit { home }
    }

    // ANCHOR: home
    /// Makes a future at home and runs it there, in a task.
    fn at_home<F>(&self, make: impl FnOnce() -> F + Send + 'static) -> Outcome<F::Output>
    where
        F: Future<Output: Send> + 'static,
    {
        let (told, outcome) = oneshot::channel();
        let job = || {
            let task = make();
            // The receiver may have been dropped.
            drop(cotask::spawn(async move { drop(told.send(task.await)) }));
        };
        // If the runtime has ended, the job and its sender are dropped: the outcome finds the channel closed.
        drop(self.home.unbounded_send(Box::new(job)));
        Outcome(outcome)
    }
    // ANCHOR_END: home
}

impl RuntimeKit for Kit {}

impl Executor for Kit {
    type Task<T: Send + 'static> = Outcome<T>;

    /// lapin calls this on a thread of its own, where a second runtime runs until the future finishes.
    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        cotask::block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        future: F,
    ) -> Task<Outcome<T>> {
        self.at_home(|| future).into()
    }

    /// Runs lookups of host names, during which the system blocks the thread.
    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        job: F,
    ) -> Task<Outcome<T>> {
        self.at_home(async || cotask::spawn_blocking(job).await.expect("the job has not panicked")).into()
    }
}

/// The future output of a task. lapin never cancels a task, and the trait does not require it.
#[derive(Debug)]
pub struct Outcome<T>(oneshot::Receiver<T>);

impl<T> Future for Outcome<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0)
            .poll(cx)
            .map(|told| told.expect("the task has panicked, or its runtime has ended"))
    }
}

impl<T: Send + 'static> TaskImpl for Outcome<T> {}

impl Reactor for Kit {
    type TcpStream = Lent<net::TcpStream>;
    type Sleep = Here<cotask::time::Sleep>;

    fn register<S: Read + Write + AsFd + Send + 'static>(
        &self,
        socket: S,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Lent::new(self, socket)
    }

    /// Sleeps on the caller's runtime: in a task at home, or in what `block_on` runs.
    fn sleep(&self, time: Duration) -> Here<cotask::time::Sleep> {
        Here::new(cotask::time::sleep(time))
    }

    fn interval(&self, period: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        stream::unfold(Duration::ZERO, move |wait| async move {
            Here::new(cotask::time::sleep(wait)).await;
            Some((Instant::now(), period))
        })
    }

    /// Connects at home, and hands the connection over as a second descriptor.
    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Lent<net::TcpStream>>> + Send + 'static {
        let kit = self.clone();
        async move {
            let connected = kit.at_home(async move || {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                stream.as_fd().try_clone_to_owned()
            });
            Lent::new(&kit, connected.await?.into())
        }
    }
}

/// A socket that any thread may read and write; home wakes the thread when it can. Dropping it closes it.
#[derive(Debug)]
pub struct Lent<S> {
    socket: S,
    reads: UnboundedSender<Waker>,
    writes: UnboundedSender<Waker>,
    /// Dropped with the rest, which ends the task at home.
    _lent: oneshot::Sender<()>,
}

impl<S: AsFd> Lent<S> {
    fn new(kit: &Kit, socket: S) -> io::Result<Lent<S>> {
        let watched = socket.as_fd().try_clone_to_owned()?;
        let (reads, reading) = unbounded();
        let (writes, writing) = unbounded();
        let (lent, given_back) = oneshot::channel();
        kit.at_home(async move || {
            // If the socket cannot be watched, the channels close, and a read or write that would block fails.
            let Ok(watched) = AsyncFd::new(watched) else { return };
            let both =
                join(watch(&watched, Direction::Read, reading), watch(&watched, Direction::Write, writing));
            select(pin!(both), given_back).await;
        });
        Ok(Lent { socket, reads, writes, _lent: lent })
    }
}

// ANCHOR: watch
async fn watch(socket: &AsyncFd<impl AsFd>, direction: Direction, mut wakers: UnboundedReceiver<Waker>) {
    while let Some(waker) = wakers.next().await {
        match direction {
            Direction::Read => socket.readable().await,
            Direction::Write => socket.writable().await,
        }
        // Clears the readiness, because lapin's thread now uses it up. The reactor notes what comes later.
        let _ = socket.try_io(direction, || io::Result::<()>::Err(ErrorKind::WouldBlock.into()));
        waker.wake();
    }
}

/// Tries, leaves the waker, and tries again.
fn attempt<T>(
    cx: &mut Context<'_>,
    wakers: &UnboundedSender<Waker>,
    mut operation: impl FnMut() -> io::Result<T>,
) -> Poll<io::Result<T>> {
    for asked in [false, true] {
        match operation() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            result => return Poll::Ready(result),
        }
        if !asked && wakers.unbounded_send(cx.waker().clone()).is_err() {
            return Poll::Ready(Err(io::Error::other("no task watches this socket: its runtime has ended")));
        }
    }
    Poll::Pending
}

// ANCHOR_END: watch

// Never pinned in place: the socket is used by reference.
impl<S> Unpin for Lent<S> {}

impl<S: Read> AsyncRead for Lent<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Lent { socket, reads, .. } = &mut *self;
        attempt(cx, reads, || socket.read(buffer))
    }
}

impl<S: Write> AsyncWrite for Lent<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Lent { socket, writes, .. } = &mut *self;
        attempt(cx, writes, || socket.write(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Lent { socket, writes, .. } = &mut *self;
        attempt(cx, writes, || socket.flush())
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
