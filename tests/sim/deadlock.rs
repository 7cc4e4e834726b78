//! What a simulation says of a program that waits for nothing that can come, and of what it leaves behind.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use cotask::net::{TcpListener, TcpStream, UdpSocket};
use cotask::sim::{self, Failure, Simulation, Waiter};
use cotask::sync::{Mutex, Notify, Semaphore, mpsc, oneshot};
use futures::{AsyncReadExt, FutureExt, future::LocalBoxFuture};

/// What each task waits for when nothing can run any more, by the task's name.
fn deadlock(main: LocalBoxFuture<'static, ()>) -> Vec<Waiter> {
    let report = Simulation::builder().seed(1).build().run(main);
    match report.result {
        Err(Failure::Deadlock { waiting }) => waiting,
        other => panic!("no deadlock: {other:?}"),
    }
}

fn waits_for(waiting: &[Waiter], task: &str) -> Vec<String> {
    let of = waiting.iter().find(|waiter| waiter.task == task);
    of.unwrap_or_else(|| panic!("no {task} in {waiting:#?}")).waits_for.clone()
}

#[test]
fn two_locks_in_two_orders() {
    let waiting = deadlock(
        async {
            let (a, b) = (Rc::new(Mutex::new(())), Rc::new(Mutex::new(())));
            let take = |first: Rc<Mutex<()>>, second: Rc<Mutex<()>>| async move {
                let _first = first.lock().await;
                cotask::time::sleep(Duration::from_millis(1)).await;
                let _second = second.lock().await;
            };
            let one = cotask::spawn_named("one", take(Rc::clone(&a), Rc::clone(&b)));
            let other = cotask::spawn_named("other", take(b, a));
            one.await.unwrap();
            other.await.unwrap();
        }
        .boxed_local(),
    );
    assert_eq!(waits_for(&waiting, "main: one"), ["a mutex"]);
    assert_eq!(waits_for(&waiting, "main: other"), ["a mutex"]);
    let main = waits_for(&waiting, "main");
    assert!(
        main.len() == 1 && main[0].starts_with(concat!("the end of task main: one (", file!(), ":")),
        "{main:?}"
    );
    let text = Failure::Deadlock { waiting }.to_string();
    assert!(text.starts_with("deadlock: nothing can run"), "{text}");
    assert!(text.contains(concat!("\n  main: one (spawned at ", file!(), ":")), "{text}");
}

#[test]
fn each_kind_of_wait_is_named() {
    let waiting = deadlock(
        async {
            let (values, mut empty) = mpsc::channel::<u8>(1);
            let (full, _kept) = mpsc::channel::<u8>(1);
            full.try_send(0).unwrap();
            let (_sender, receiver) = oneshot::channel::<u8>();
            let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
            let udp = UdpSocket::bind("0.0.0.0:53").await.unwrap();
            let mut stream = TcpStream::connect("localhost:80").await.unwrap();
            let (_peer, _) = listener.accept().await.unwrap();
            cotask::spawn_named("value", async move { empty.recv().await });
            cotask::spawn_named("room", async move { full.send(1).await.is_ok() });
            cotask::spawn_named("oneshot", async move { receiver.await.is_ok() });
            cotask::spawn_named("notified", async { Notify::new().notified().await });
            cotask::spawn_named("permit", async { Semaphore::new(0).acquire().await.is_ok() });
            cotask::spawn_named("accept", async move { listener.accept().await.is_ok() });
            cotask::spawn_named("datagram", async move { udp.recv(&mut [0]).await.is_ok() });
            cotask::spawn_named("bytes", async move { stream.read(&mut [0]).await.is_ok() });
            cotask::spawn_named("never", std::future::pending::<()>());
            let silent = sim::host("silent", std::future::pending::<()>);
            silent.done().await;
            drop(values);
        }
        .boxed_local(),
    );
    let of = |task: &str| waits_for(&waiting, &format!("main: {task}")).join(", or ");
    assert!(of("value").starts_with("a value in channel "), "{}", of("value"));
    assert!(of("room").contains("room in channel ") || of("room").contains("permit"), "{}", of("room"));
    assert_eq!(of("oneshot"), "the value of a oneshot channel");
    assert_eq!(of("notified"), "a notification");
    assert_eq!(of("permit"), "a permit of a semaphore");
    assert_eq!(of("accept"), "the TCP listener at 0.0.0.0:80");
    assert_eq!(of("datagram"), "the UDP socket at 0.0.0.0:53");
    assert!(of("bytes").starts_with("the TCP connection 127.0.0.1:"), "{}", of("bytes"));
    assert_eq!(of("never"), "");
    assert_eq!(waits_for(&waiting, "main"), ["the end of host silent"]);
    assert_eq!(waits_for(&waiting, "silent"), [""; 0]);
    assert!(waiting.iter().any(|waiter| waiter.to_string().contains("no room of the runtime knows")));
}

/// A wait for a peer that crashed in silence never ends: it is TCP without a time-out of the program's own.
#[test]
fn a_silent_peer_is_a_deadlock_and_a_lost_one_is_none() {
    let ends = |seed| {
        let report = Simulation::builder().seed(seed).build().run(async {
            let server = sim::host("server", || async {
                let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
                let _kept = listener.accept().await.unwrap();
                std::future::pending::<()>().await
            });
            let mut stream = TcpStream::connect("server:80").await.unwrap();
            server.crash();
            stream.read(&mut [0]).await.unwrap_err().kind()
        });
        report.result
    };
    let (mut deadlocks, mut resets) = (0, 0);
    for seed in 0..20 {
        match ends(seed) {
            Err(Failure::Deadlock { waiting }) => {
                assert!(waits_for(&waiting, "main")[0].contains("the TCP connection"), "{waiting:?}");
                deadlocks += 1;
            }
            Ok(std::io::ErrorKind::ConnectionReset) => resets += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(deadlocks > 0 && resets > 0, "{deadlocks} {resets}");
}

#[test]
fn what_a_host_leaves_behind_is_told() {
    let report = Simulation::builder().build().run(async {
        let host = sim::host("hasty", || async {
            cotask::spawn_named("unfinished", std::future::pending::<()>());
            let socket = UdpSocket::bind("0.0.0.0:1").await.unwrap();
            // A cycle: the socket is never dropped.
            let cycle = Rc::new(RefCell::new(None::<Box<dyn Any>>));
            *cycle.borrow_mut() = Some(Box::new((Rc::clone(&cycle), socket)));
        });
        host.done().await;
        cotask::time::sleep(Duration::from_millis(1)).await;
        cotask::spawn_named("mine", std::future::pending::<()>());
    });
    report.result.unwrap();
    let [task, socket, mine] = &report.leaks[..] else { panic!("{:#?}", report.leaks) };
    assert!(task.starts_with("host hasty ended before its task: hasty: unfinished (spawned at "), "{task}");
    assert_eq!(socket, "host hasty ended, and 1 of its sockets were never dropped");
    assert!(mine.starts_with("host main ended before its task: main: mine"), "{mine}");
}

#[test]
fn a_tidy_program_leaks_nothing() {
    let report = Simulation::builder().build().run(async {
        let server = sim::host("server", || async {
            let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            cotask::spawn(async move { futures::io::copy(&stream, &mut &stream).await })
                .await
                .unwrap()
                .unwrap()
        });
        drop(TcpStream::connect("server:80").await.unwrap());
        server.done().await
    });
    assert_eq!((report.result, report.leaks), (Ok(0), Vec::new()));
}
