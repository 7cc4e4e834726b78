//! What belongs to one runtime, awaited where another executor has the thread: it works, or it panics and says what to
//! do. It never waits for what cannot come.

use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use cotask::net::{TcpListener, UdpSocket};
use cotask::time::{interval, sleep, timeout};
use cotask::{JoinSet, Runtime};

type Awaited = Pin<Box<dyn Future<Output = ()>>>;
type Executor = (&'static str, fn(Awaited));

const EXECUTORS: [Executor; 3] = [
    ("another runtime", |future| cotask::block_on(future)),
    ("futures", |future| futures::executor::block_on(future)),
    ("tokio", |future| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
    }),
];

/// Has each executor await what `make` makes, on a thread of its own, with the runtime that it belongs to alive: what
/// each panicked with, or nothing.
fn awaited(
    make: impl Fn(&Runtime) -> Awaited + Copy + Send + 'static,
) -> Vec<(&'static str, Option<String>)> {
    let told = EXECUTORS.map(|(name, execute)| {
        let (sender, receiver) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = Runtime::new().unwrap();
            let future = make(&runtime);
            let panicked = catch_unwind(AssertUnwindSafe(|| execute(future))).err();
            let message = panicked.map(|payload| match payload.downcast::<String>() {
                Ok(message) => *message,
                Err(payload) => payload.downcast::<&str>().unwrap().to_string(),
            });
            sender.send(message).unwrap();
        });
        let message = receiver.recv_timeout(Duration::from_secs(30));
        (name, message.unwrap_or_else(|_| panic!("under {name} it waits without an end")))
    });
    told.into()
}

#[track_caller]
fn panics(what: &str, make: impl Fn(&Runtime) -> Awaited + Copy + Send + 'static) {
    for (executor, message) in awaited(make) {
        let message = message.unwrap_or_else(|| panic!("under {executor} there was no panic"));
        assert!(message.starts_with(what), "{executor}: {message}");
        assert!(message.contains("was awaited outside of the runtime that it was"), "{executor}: {message}");
        assert!(message.contains("inside that runtime's `block_on`"), "{executor}: {message}");
    }
}

#[track_caller]
fn works(make: impl Fn(&Runtime) -> Awaited + Copy + Send + 'static) {
    for (executor, message) in awaited(make) {
        assert_eq!(message, None, "{executor}");
    }
}

/// What `make` makes where the runtime is the current one.
fn made_in<T>(runtime: &Runtime, make: impl Fn() -> T) -> T {
    runtime.block_on(poll_fn(|_| Poll::Ready(make())))
}

#[test]
fn a_join_handle_panics_and_names_the_runtime_that_alone_runs_its_task() {
    panics("a task", |runtime| {
        let task = runtime.spawn(async {});
        Box::pin(async { task.await.unwrap() })
    });
}

#[test]
fn a_join_handle_of_a_task_that_waits_panics_too() {
    panics("a task", |runtime| {
        let task = runtime.spawn(pending::<()>());
        runtime.block_on(cotask::yield_now());
        Box::pin(async { task.await.unwrap() })
    });
}

#[test]
fn a_join_set_panics_as_a_join_handle_does() {
    panics("a task", |runtime| {
        let mut set = runtime.block_on(async {
            let mut set = JoinSet::new();
            set.spawn(pending::<()>());
            set
        });
        Box::pin(async move { set.join_next().await.unwrap().unwrap() })
    });
}

#[test]
fn timers_panic() {
    panics("a sleep", |runtime| Box::pin(made_in(runtime, || sleep(Duration::from_secs(3_600)))));
    panics("a sleep", |runtime| {
        let late = made_in(runtime, || timeout(Duration::from_secs(3_600), pending::<()>()));
        Box::pin(async { late.await.unwrap() })
    });
    panics("a sleep", |runtime| {
        let mut ticks = made_in(runtime, || interval(Duration::from_secs(3_600)));
        Box::pin(async move {
            // The first comes at once.
            ticks.tick().await;
            ticks.tick().await;
        })
    });
}

#[test]
fn sockets_panic() {
    panics("a socket", |runtime| {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        Box::pin(async move { drop(listener.accept().await.unwrap()) })
    });
    panics("a socket", |runtime| {
        let socket = runtime.block_on(UdpSocket::bind("127.0.0.1:0")).unwrap();
        Box::pin(async move { assert_eq!(socket.recv(&mut [0; 8]).await.unwrap(), 0) })
    });
}

#[cfg(unix)]
#[test]
fn what_only_unix_has_panics() {
    use cotask::net::{AsyncFd, UnixDatagram};
    use cotask::signal::unix::{SignalKind, signal};

    panics("a socket", |runtime| {
        let (a, b) = runtime.block_on(async { UnixDatagram::pair() }).unwrap();
        Box::pin(async move {
            let _kept = a;
            assert_eq!(b.recv(&mut [0; 8]).await.unwrap(), 0);
        })
    });
    panics("a socket", |runtime| {
        let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
        reader.set_nonblocking(true).unwrap();
        let watched = runtime.block_on(async { AsyncFd::new(reader) }).unwrap();
        Box::pin(async move {
            let _kept = writer;
            let read = || std::io::Read::read(&mut watched.get_ref(), &mut [0; 8]);
            // A socket that is new counts as ready, until a try says otherwise.
            watched.try_io(cotask::net::Direction::Read, read).unwrap_err();
            watched.readable().await;
        })
    });
    panics("a socket", |runtime| {
        let mut heard = runtime.block_on(async { signal(SignalKind::user_defined1()) }).unwrap();
        Box::pin(async move { heard.recv().await.unwrap() })
    });
}

#[test]
fn what_needs_no_runtime_works() {
    works(|_| Box::pin(cotask::yield_now()));
    works(|runtime| {
        let job = made_in(runtime, || cotask::spawn_blocking(|| ()));
        Box::pin(async { job.await.unwrap() })
    });
    works(|_| {
        let (sender, receiver) = cotask::sync::oneshot::channel();
        thread::spawn(move || sender.send(()));
        Box::pin(async { receiver.await.unwrap() })
    });
    works(|_| {
        let cores = cotask::cores::Cores::start(1.try_into().unwrap()).unwrap();
        let remote = cores.next().spawn(|| async {});
        Box::pin(async move {
            remote.await.unwrap();
            drop(cores);
        })
    });
}

#[test]
fn the_handle_of_a_task_that_has_finished_works_anywhere() {
    works(|runtime| {
        let task = runtime.spawn(async {});
        runtime.block_on(cotask::yield_now());
        Box::pin(async { task.await.unwrap() })
    });
    works(|_| {
        let task = Runtime::new().unwrap().spawn(pending::<()>());
        Box::pin(async { assert!(task.await.unwrap_err().is_cancelled()) })
    });
}
