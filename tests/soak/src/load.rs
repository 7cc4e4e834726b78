//! The load of one cycle, and the checks of its results.

use std::cell::Cell;
use std::fmt;
use std::future::pending;
use std::ops::AddAssign;
use std::panic;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cotask::net::{TcpListener, TcpStream, UdpSocket, UnixStream};
use cotask::sync::{Mutex, Notify, Semaphore, mpsc, oneshot};
use cotask::time::{Instant, sleep, timeout};
use cotask::{Handle, JoinSet, Runtime, spawn, spawn_blocking, yield_now};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, try_join};

/// A cycle that takes longer than this hangs. The machine may be busy, so the limit is generous.
const LIMIT: Duration = Duration::from_secs(300);

/// The payload of a panic that is part of the load.
const PLANNED: &str = "planned";

/// Keeps the panics of the load out of the output, and prints all others.
pub fn silence_planned_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>() != Some(&PLANNED) {
            usual(info);
        }
    }));
}

/// How much has been done.
#[derive(Clone, Copy, Default)]
pub struct Done {
    tasks: u64,
    timers: u64,
    messages: u64,
    connections: u64,
    panics: u64,
    remote: u64,
    runtimes: u64,
}

impl AddAssign for Done {
    fn add_assign(&mut self, other: Done) {
        self.tasks += other.tasks;
        self.timers += other.timers;
        self.messages += other.messages;
        self.connections += other.connections;
        self.panics += other.panics;
        self.remote += other.remote;
        self.runtimes += other.runtimes;
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Done { tasks, timers, messages, connections, panics, remote, runtimes } = self;
        write!(
            f,
            "{tasks} tasks, {timers} timers, {messages} messages, {connections} connections, {panics} panics, \
             {remote} from threads, {runtimes} runtimes"
        )
    }
}

/// Runs one cycle, and returns when all its load has ended.
///
/// # Errors
/// At the first wrong result, and when the cycle hangs.
pub fn cycle(runtime: &Runtime) -> Result<Done> {
    let handle = runtime.handle();
    runtime.block_on(async {
        let all = async {
            let (tasks, timers, messages, sockets, panics, remote, runtimes) = try_join!(
                named("tasks", tasks()),
                named("timers", timers()),
                named("channels", channels()),
                named("sockets", sockets()),
                named("panics", panics()),
                named("threads", threads(handle)),
                named("runtimes", other_runtime()),
            )?;
            Ok(Done { tasks, timers, messages, connections: sockets, panics, remote, runtimes })
        };
        timeout(LIMIT, all).await.context("the cycle hangs")?
    })
}

/// Each load is a task of its own: a future that shares its task is also polled when a neighbour is woken, and then a
/// `yield_now` returns before the others have had their turn.
async fn named(name: &'static str, load: impl Future<Output = Result<u64>> + 'static) -> Result<u64> {
    spawn(load).await?.context(name)
}

/// Counts itself down when it is dropped.
struct Counted(Rc<Cell<usize>>);

impl Counted {
    fn new(alive: &Rc<Cell<usize>>) -> Counted {
        alive.set(alive.get() + 1);
        Counted(Rc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Tasks that finish, yield or wait; every second of those that wait is aborted, the others are woken.
async fn tasks() -> Result<u64> {
    let count = fastrand::usize(100..600);
    let (alive, gate) = (Rc::new(Cell::new(0)), Rc::new(Notify::new()));
    let handles: Vec<_> = (0..count)
        .map(|number| {
            let (counted, gate) = (Counted::new(&alive), Rc::clone(&gate));
            spawn(async move {
                match number % 4 {
                    0 => {}
                    1 => yield_now().await,
                    2 => gate.notified().await,
                    _ => pending().await,
                }
                drop(counted);
                number
            })
        })
        .collect();
    yield_now().await;
    for handle in handles.iter().skip(3).step_by(4) {
        handle.abort();
    }
    yield_now().await;
    gate.notify_waiters();
    for (number, handle) in handles.into_iter().enumerate() {
        match handle.await {
            Ok(result) => ensure!(result == number && number % 4 != 3, "task {number} returned {result}"),
            Err(error) => {
                ensure!(number % 4 == 3 && error.is_cancelled(), "task {number}: {error}");
            }
        }
    }
    ensure!(alive.get() == 0, "{} futures of finished tasks are not dropped", alive.get());
    Ok(count as u64)
}

/// Sleeps of up to 5 ms, and timeouts of which most are dropped.
async fn timers() -> Result<u64> {
    let count = fastrand::u64(100..500);
    let mut sleeps = JoinSet::new();
    for _ in 0..count {
        let wait = Duration::from_micros(fastrand::u64(0..5_000));
        sleeps.spawn(async move {
            let deadline = Instant::now() + wait;
            sleep(wait).await;
            let now = Instant::now();
            ensure!(now >= deadline, "a sleep of {wait:?} ended early");
            ensure!(
                timeout(Duration::from_secs(3_600), async { 7 }).await == Ok(7),
                "a timeout lost its value"
            );
            ensure!(timeout(wait, pending::<()>()).await.is_err(), "a timeout of {wait:?} did not end");
            Ok(())
        });
    }
    while let Some(ended) = sleeps.join_next().await {
        ended??;
    }
    Ok(3 * count)
}

/// Producers and one consumer, through a bounded and an unbounded channel, with a lock and permits on the way.
async fn channels() -> Result<u64> {
    let (producers, each) = (fastrand::u64(2..6), fastrand::u64(100..800));
    let (sender, mut receiver) = mpsc::channel(fastrand::usize(1..40));
    let (answers, mut answered) = mpsc::unbounded_channel();
    let permits = Arc::new(Semaphore::new(2));
    let total = Rc::new(Mutex::new(0));
    for producer in 0..producers {
        let (sender, permits, total) = (sender.clone(), Arc::clone(&permits), Rc::clone(&total));
        spawn(async move {
            for number in 0..each {
                let _permit = permits.acquire().await?;
                // An attempt that is dropped must leave no trace.
                let _dropped = timeout(Duration::ZERO, sender.reserve()).await.is_ok();
                sender.send((producer, number)).await?;
                *total.lock().await += 1;
            }
            anyhow::Ok(())
        });
    }
    drop(sender);
    spawn(async move {
        let mut next = vec![0; producers as usize];
        while let Some((producer, number)) = receiver.recv().await {
            let expected = &mut next[producer as usize];
            let in_order = *expected == number;
            *expected += 1;
            if answers.send(in_order).is_err() {
                return;
            }
        }
    });
    let mut received = 0;
    while let Some(in_order) = answered.recv().await {
        ensure!(in_order, "a message is lost, doubled or out of order");
        received += 1;
    }
    ensure!(received == producers * each, "{received} of {} messages arrived", producers * each);
    ensure!(*total.lock().await == received, "the counter under the lock is wrong");
    ensure!(permits.available_permits() == 2, "a permit is lost");
    let (sender, receiver) = oneshot::channel();
    spawn(async move { sender.send(received) });
    ensure!(receiver.await == Ok(received), "the oneshot channel lost its value");
    Ok(2 * received)
}

/// Echoes what comes until the peer closes its direction or vanishes.
async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let (reader, mut writer) = stream.split();
    // A client may vanish in the middle, and then the copy fails.
    if futures::io::copy(reader, &mut writer).await.is_ok() {
        drop(writer.close().await);
    }
}

/// A client that sends, closes its direction and checks the answer; every third vanishes instead.
async fn client(mut stream: impl AsyncRead + AsyncWrite + Unpin, vanish: bool) -> Result<()> {
    let sent: Vec<u8> =
        std::iter::repeat_with(|| fastrand::u8(..)).take(fastrand::usize(1..20_000)).collect();
    if vanish {
        // Less than any socket buffer holds: the write does not wait for a reader.
        stream.write_all(&sent[..sent.len().min(512)]).await?;
        return Ok(());
    }
    let (mut reader, mut writer) = stream.split();
    let send = async {
        writer.write_all(&sent).await?;
        writer.close().await
    };
    let mut received = Vec::new();
    let receive = reader.read_to_end(&mut received);
    try_join!(send, receive).context("an echo")?;
    ensure!(received == sent, "{} bytes were sent and {} came back, or others", sent.len(), received.len());
    Ok(())
}

/// TCP and Unix connections that come and go, and datagrams.
async fn sockets() -> Result<u64> {
    let count = fastrand::usize(5..25);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = spawn(async move {
        loop {
            let (stream, _) = listener.accept().await?;
            spawn(echo(stream));
        }
        #[allow(unreachable_code)]
        anyhow::Ok(())
    });
    let mut clients = JoinSet::new();
    for number in 0..count {
        clients.spawn(async move { client(TcpStream::connect(address).await?, number % 3 == 2).await });
        let (ours, theirs) = UnixStream::pair()?;
        spawn(echo(theirs));
        clients.spawn(client(ours, number % 3 == 1));
    }
    let (one, other) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    let (from, to) = (one.local_addr()?, other.local_addr()?);
    for number in 0..count as u32 {
        one.send_to(&number.to_le_bytes(), to).await?;
        let mut datagram = [0; 8];
        let received = other.recv_from(&mut datagram).await?;
        ensure!(received == (4, from) && datagram[..4] == number.to_le_bytes(), "a datagram is another one");
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    server.abort();
    ensure!(server.await.is_err_and(|error| error.is_cancelled()), "the accept loop ended by itself");
    Ok(2 * count as u64)
}

/// Panics when it is dropped, but not during another panic.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic::panic_any(PLANNED);
        }
    }
}

/// Tasks that panic in a poll, or in a drop when they are aborted.
async fn panics() -> Result<u64> {
    let count = fastrand::u64(2..20);
    for number in 0..count {
        let in_poll = number % 2 == 0;
        let task = spawn(async move {
            yield_now().await;
            if in_poll {
                panic::panic_any(PLANNED);
            }
            let _held = PanicsInDrop;
            pending::<()>().await
        });
        yield_now().await;
        yield_now().await;
        task.abort();
        let error = task.await.err().context("a task that panics returned")?;
        ensure!(error.is_panic(), "a panic was reported as: {error}");
    }
    Ok(count)
}

/// Threads that spawn, wake and abort here, and blocking jobs.
async fn threads(handle: Handle) -> Result<u64> {
    let count = fastrand::u64(20..200);
    let (sender, mut receiver) = mpsc::channel(8);
    let remote = std::thread::spawn(move || {
        let answers: Vec<_> = (0..count).map(|number| handle.spawn(move || async move { number })).collect();
        let aborted = handle.spawn(pending::<()>);
        aborted.abort();
        for number in 0..count {
            if sender.blocking_send(number).is_err() {
                return None;
            }
        }
        let sum = answers.into_iter().map(|answer| answer.join().ok()).sum::<Option<u64>>()?;
        aborted.join().is_err_and(|error| error.is_cancelled()).then_some(sum)
    });
    let (mut sum, expected) = (0, (0..count).sum::<u64>());
    while let Some(number) = receiver.recv().await {
        sum += number;
    }
    ensure!(sum == expected, "{sum} arrived from a thread instead of {expected}");
    // Joined on the pool, because the thread waits for tasks of this runtime.
    let answered = spawn_blocking(move || remote.join()).await?;
    let answered = answered.ok().flatten().context("a thread lost an answer")?;
    ensure!(answered == expected, "tasks spawned from a thread returned {answered} instead of {expected}");
    Ok(2 * count + 1)
}

/// A runtime on another thread that ends while its tasks wait for timers, sockets and messages.
async fn other_runtime() -> Result<u64> {
    let dropped = Arc::new(AtomicUsize::new(0));
    struct Tell(Arc<AtomicUsize>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let told = Arc::clone(&dropped);
    let tasks = fastrand::usize(1..30);
    let ended = spawn_blocking(move || -> Result<()> {
        let runtime = Runtime::new()?;
        runtime.block_on(async {
            let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").await?);
            let (_sender, receiver) = mpsc::channel::<()>(1);
            let receiver = Rc::new(Mutex::new(receiver));
            for number in 0..tasks {
                let (tell, socket, receiver) =
                    (Tell(Arc::clone(&told)), Rc::clone(&socket), Rc::clone(&receiver));
                spawn(async move {
                    let _tell = tell;
                    match number % 3 {
                        0 => sleep(Duration::from_secs(3_600)).await,
                        1 => drop(socket.recv_from(&mut [0]).await),
                        _ => drop(receiver.lock().await.recv().await),
                    }
                });
            }
            yield_now().await;
            anyhow::Ok(())
        })
    });
    ended.await??;
    let dropped = dropped.load(Ordering::Relaxed);
    ensure!(dropped == tasks, "{dropped} of {tasks} futures were dropped with their runtime");
    Ok(1)
}
