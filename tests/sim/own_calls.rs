//! A call on one's own simulated socket makes it ready: in time for the task that waits, and never once the socket is gone.

use std::future::Future;
use std::io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, WouldBlock};
use std::net::Shutdown;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use cotask::net::{TcpListener, TcpStream, UdpSocket};
use cotask::sim::{self, Kind, Simulation};
use cotask::time::sleep;
use futures::{AsyncReadExt, AsyncWriteExt};

const SEEDS: Range<u64> = 0..200;
const MS: Duration = Duration::from_millis(1);
const HOWS: [Shutdown; 3] = [Shutdown::Read, Shutdown::Write, Shutdown::Both];

/// Every seed ends well: without a deadlock, and with nothing that the oracle objects to.
#[track_caller]
fn every_seed<F: Future<Output = ()>>(main: impl Fn() -> F) {
    for seed in SEEDS {
        let report = Simulation::builder().seed(seed).build().run(main());
        if let Err(failure) = report.result {
            panic!("seed {seed}: {failure}");
        }
    }
}

/// Both ends of a connection of the host that calls.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

/// Fills what the connection holds on its way, so that the next write has to wait.
async fn fill(stream: &TcpStream) {
    loop {
        match stream.try_write(&[7; 65_536]) {
            Ok(_) => {}
            Err(error) if error.kind() == WouldBlock => return,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_socket_that_is_shut_down_and_dropped_is_never_ready_again() {
    for how in HOWS {
        every_seed(|| async move {
            let (client, _server) = pair().await;
            client.shutdown(how).unwrap();
            drop(client);
            sleep(MS).await;
        });
    }
}

#[test]
fn a_read_that_waits_ends_when_another_task_shuts_its_side_down() {
    for how in [Shutdown::Read, Shutdown::Both] {
        every_seed(|| async move {
            let (client, _server) = pair().await;
            let client = Rc::new(client);
            let reader = Rc::clone(&client);
            let read = cotask::spawn(async move { (&*reader).read(&mut [0; 8]).await });
            sleep(MS).await;
            client.shutdown(how).unwrap();
            assert_eq!(read.await.unwrap().unwrap(), 0);
        });
    }
}

#[test]
fn a_write_that_waits_fails_when_another_task_shuts_its_side_down() {
    for how in [Shutdown::Write, Shutdown::Both] {
        every_seed(|| async move {
            let (client, _server) = pair().await;
            fill(&client).await;
            let client = Rc::new(client);
            let writer = Rc::clone(&client);
            let write = cotask::spawn(async move { (&*writer).write(&[0; 8]).await });
            sleep(MS).await;
            client.shutdown(how).unwrap();
            assert_eq!(write.await.unwrap().unwrap_err().kind(), BrokenPipe);
        });
    }
}

#[test]
fn a_reset_by_hand_reaches_the_task_that_waits() {
    every_seed(|| async {
        let (client, server) = pair().await;
        let reads =
            [client, server].map(|mut stream| cotask::spawn(async move { stream.read(&mut [0; 8]).await }));
        sleep(MS).await;
        sim::reset("main", "main");
        for read in reads {
            assert_eq!(read.await.unwrap().unwrap_err().kind(), ConnectionReset);
        }
    });
}

#[test]
fn a_socket_that_is_reset_by_hand_and_dropped_is_never_ready_again() {
    every_seed(|| async {
        let (gone, mut stays) = (pair().await, pair().await);
        sim::reset("main", "main");
        drop(gone);
        assert_eq!(stays.0.read(&mut [0]).await.unwrap_err().kind(), ConnectionReset);
    });
}

/// The foreign waker of one socket drops another one of which there is news, too.
#[test]
fn a_socket_that_a_wake_drops_is_never_ready_again() {
    use std::cell::RefCell;
    use std::task::{Context, Poll, Wake, Waker};

    thread_local!(static VICTIM: RefCell<Option<TcpStream>> = const { RefCell::new(None) });

    struct Drops;

    impl Wake for Drops {
        fn wake(self: std::sync::Arc<Self>) {
            drop(VICTIM.take());
        }
    }

    every_seed(|| async {
        let (client, server) = pair().await;
        let waker = Waker::from(std::sync::Arc::new(Drops));
        let mut cx = Context::from_waker(&waker);
        assert_eq!(client.try_read(&mut [0]).unwrap_err().kind(), WouldBlock);
        assert_eq!(client.poll_read_ready(&mut cx), Poll::Pending);
        VICTIM.set(Some(server));
        sim::reset("main", "main");
        sleep(MS).await;
        assert!(VICTIM.take().is_none(), "the waker was not called");
    });
}

#[test]
fn a_datagram_to_a_port_that_nobody_has_comes_back_as_refused_to_a_connected_socket() {
    every_seed(|| async {
        sim::host("silent", std::future::pending::<()>);
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        socket.connect("silent:9").await.unwrap();
        socket.send(b"anybody?").await.unwrap();
        assert_eq!(socket.recv(&mut [0; 8]).await.unwrap_err().kind(), ConnectionRefused);
        // Told once; then it waits for an answer as before.
        socket.send(b"and now?").await.unwrap();
        sleep(10 * MS).await;
        assert_eq!(socket.send(b"hello?").await.unwrap_err().kind(), ConnectionRefused);
        socket.send(b"hello?").await.unwrap();
    });
}

#[test]
fn a_refused_datagram_is_not_told_where_no_real_one_is() {
    let report = Simulation::builder().seed(1).build().run(async {
        let silent = sim::host("silent", std::future::pending::<()>);
        let hears_nothing = async |socket: &UdpSocket| {
            let heard = cotask::time::timeout(100 * MS, socket.recv(&mut [0; 8])).await;
            assert!(heard.is_err(), "{heard:?}");
        };
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        // Not to a socket without a peer,
        socket.send_to(b"anybody?", "silent:9").await.unwrap();
        hears_nothing(&socket).await;
        // nor about another address than that of the peer,
        socket.connect("silent:9").await.unwrap();
        socket.send_to(b"anybody?", "silent:10").await.unwrap();
        hears_nothing(&socket).await;
        // nor where no answer gets through,
        sim::partition_one_way("silent", "main");
        socket.send(b"anybody?").await.unwrap();
        hears_nothing(&socket).await;
        sim::heal("silent", "main");
        // nor when the host itself is gone.
        silent.crash();
        cotask::yield_now().await;
        socket.send(b"anybody?").await.unwrap();
        hears_nothing(&socket).await;
    });
    assert_eq!(report.result, Ok(()));
    assert_eq!(report.faults.get(&Kind::PartitionOneWay), Some(&1));
}
