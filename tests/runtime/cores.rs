//! A thread per core: started, served by all, stopped.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream as Client};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use cotask::cores::{Cores, serve};
use cotask::net::TcpStream;

fn count(cores: usize) -> NonZeroUsize {
    NonZeroUsize::new(cores).unwrap()
}

async fn echo(stream: TcpStream) {
    let _ = futures::io::copy(&stream, &mut &stream).await;
}

fn ask(address: std::net::SocketAddr, word: &str) -> String {
    let mut client = Client::connect(address).unwrap();
    client.write_all(word.as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn each_core_is_a_thread_of_its_own_and_next_goes_round() {
    let cores = Cores::start(count(3)).unwrap();
    let thread =
        |handle: &cotask::Handle| handle.spawn(|| async { std::thread::current().id() }).join().unwrap();
    let in_order: Vec<ThreadId> = cores.handles().map(thread).collect();
    assert_eq!(in_order.iter().collect::<HashSet<_>>().len(), 3);
    let round: Vec<ThreadId> = (0..6).map(|_| thread(cores.next())).collect();
    assert_eq!(round, [in_order.clone(), in_order].concat());
    cores.stop().unwrap();
}

#[test]
fn connections_are_dealt_out_evenly() {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&threads);
    let server = serve("127.0.0.1:0", count(2), async move |stream: TcpStream| {
        seen.lock().unwrap().push(std::thread::current().id());
        echo(stream).await;
    })
    .unwrap();
    for number in 0..10 {
        let word = format!("word {number}");
        assert_eq!(ask(server.local_addr(), &word), word);
    }
    assert!(server.take_error().is_none());
    server.stop().unwrap();
    let threads = threads.lock().unwrap();
    let first = threads.iter().filter(|&&thread| thread == threads[0]).count();
    assert_eq!((threads.len(), first), (10, 5));
}

/// What `on_a_core` tells from a task of one of three cores, which owns them all, once their threads have ended.
fn owned_by_its_own_core(on_a_core: fn(Cores) -> std::io::Result<()>) {
    struct Told(mpsc::Sender<ThreadId>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send(std::thread::current().id());
        }
    }
    let cores = Cores::start(count(3)).unwrap();
    let (sender, dropped_on) = mpsc::channel();
    let tasks: Vec<_> = cores
        .handles()
        .map(|handle| {
            let told = Told(sender.clone());
            handle.spawn(|| async move {
                let _told = told;
                std::future::pending::<()>().await;
            })
        })
        .collect();
    drop(sender);
    let first = cores.next().clone();
    let (reports, report) = mpsc::channel();
    drop(first.spawn(move || async move { reports.send(on_a_core(cores)).unwrap() }));
    let patience = std::time::Duration::from_secs(30);
    report.recv_timeout(patience).expect("its own core panicked, or waits").unwrap();
    // Its own core has received the order to stop as well, and stops when its task gives way.
    for task in tasks {
        assert!(task.join().unwrap_err().is_cancelled());
    }
    let mut threads = HashSet::new();
    while let Ok(thread) = dropped_on.recv_timeout(patience) {
        threads.insert(thread);
    }
    assert_eq!(threads.len(), 3);
}

#[test]
fn cores_may_be_dropped_on_one_of_their_own() {
    owned_by_its_own_core(|cores| {
        drop(cores);
        Ok(())
    });
}

#[test]
fn cores_may_be_stopped_on_one_of_their_own() {
    owned_by_its_own_core(Cores::stop);
}

#[test]
fn a_server_may_be_stopped_by_one_of_its_connections() {
    let place = Arc::new(Mutex::new(None::<cotask::cores::Server>));
    let (reports, report) = mpsc::channel();
    let stopper = Arc::clone(&place);
    let server = serve("127.0.0.1:0", count(2), async move |stream: TcpStream| {
        let mut order = [0];
        stream.peek(&mut order).await.unwrap();
        let server = stopper.lock().unwrap().take();
        reports.send(server.map(cotask::cores::Server::stop)).unwrap();
    })
    .unwrap();
    let address = server.local_addr();
    *place.lock().unwrap() = Some(server);
    let mut client = Client::connect(address).unwrap();
    client.write_all(b"!").unwrap();
    let stopped = report.recv_timeout(std::time::Duration::from_secs(30)).expect("it panicked, or waits");
    stopped.expect("it was there").unwrap();
}

#[test]
fn next_passes_over_a_core_that_has_ended() {
    let cores = Cores::start(count(3)).unwrap();
    let second = cores.handles().nth(1).unwrap();
    second.shutdown();
    while !second.is_closed() {
        std::thread::yield_now();
    }
    let served = (0..6).map(|_| cores.next().spawn(|| async { std::thread::current().id() }).join().unwrap());
    assert_eq!(served.collect::<HashSet<_>>().len(), 2);
    cores.handles().for_each(cotask::Handle::shutdown);
    while !cores.handles().all(cotask::Handle::is_closed) {
        std::thread::yield_now();
    }
    assert!(cores.next().spawn(|| async {}).join().unwrap_err().is_cancelled(), "none is left");
}

#[test]
fn an_address_in_use_is_named_and_no_thread_is_left() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = serve(address, count(2), echo).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn a_core_whose_runtime_cannot_be_made_is_an_error_of_the_start() {
    let no_threads = cotask::blocking::Config { max_threads: 0, ..Default::default() };
    let error = Cores::start_with(count(2), cotask::Builder::new().blocking(no_threads)).unwrap_err();
    assert_eq!(error.to_string(), "the thread cotask-core-0 panicked");
}

#[test]
fn stopping_drops_the_tasks_on_their_own_threads_and_closes_the_connections() {
    struct Told(mpsc::Sender<ThreadId>, Arc<AtomicUsize>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.1.fetch_add(1, SeqCst);
            self.0.send(std::thread::current().id()).unwrap();
        }
    }
    let (sender, dropped_on) = mpsc::channel();
    let (serving, drops) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (started, counted) = (Arc::clone(&serving), Arc::clone(&drops));
    let server = serve("127.0.0.1:0", count(2), async move |stream: TcpStream| {
        let _told = Told(sender.clone(), Arc::clone(&counted));
        started.fetch_add(1, SeqCst);
        echo(stream).await;
    })
    .unwrap();
    let mut clients: Vec<Client> = (0..4).map(|_| Client::connect(server.local_addr()).unwrap()).collect();
    for client in &mut clients {
        client.write_all(b"x").unwrap();
        client.read_exact(&mut [0]).unwrap();
    }
    assert_eq!((serving.load(SeqCst), drops.load(SeqCst)), (4, 0));
    server.stop().unwrap();
    assert_eq!(drops.load(SeqCst), 4);
    let threads: HashSet<ThreadId> = dropped_on.try_iter().collect();
    assert!(threads.len() == 2 && !threads.contains(&std::thread::current().id()));
    for client in &mut clients {
        assert_eq!(client.read(&mut [0]).unwrap_or(0), 0, "the connection is closed");
    }
}

#[test]
fn a_panic_in_one_connection_costs_no_other() {
    let server = serve("127.0.0.1:0", count(1), async |stream: TcpStream| {
        let mut first = [0];
        assert_ne!(stream.peek(&mut first).await.unwrap_or(0), 0);
        assert_ne!(first[0], b'!', "a handler that panics, on purpose");
        echo(stream).await;
    })
    .unwrap();
    let mut doomed = Client::connect(server.local_addr()).unwrap();
    doomed.write_all(b"!").unwrap();
    // The connection is closed, or reset for what was never read.
    assert_eq!(doomed.read(&mut [0]).unwrap_or(0), 0);
    assert_eq!(ask(server.local_addr(), "still here"), "still here");
    server.stop().unwrap();
}
