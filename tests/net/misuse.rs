//! Sockets outside of their runtime.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cotask::Runtime;
use cotask::net::{AsyncFd, TcpListener, TcpStream, UdpSocket};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::support::tcp_pair;

fn message_of_panic(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast_ref::<&str>().expect("a panic's message is text").to_string(),
    }
}

#[test]
fn a_socket_is_not_made_outside_of_a_runtime() {
    let attempts: [fn(); 5] = [
        || drop(futures::executor::block_on(TcpListener::bind("127.0.0.1:0"))),
        || drop(futures::executor::block_on(TcpStream::connect("127.0.0.1:9"))),
        || drop(futures::executor::block_on(UdpSocket::bind("127.0.0.1:0"))),
        || drop(cotask::net::UnixStream::pair()),
        || drop(AsyncFd::new(std::io::pipe().unwrap().0)),
    ];
    for attempt in attempts {
        let message = message_of_panic(attempt);
        assert!(message.contains("a socket needs a cotask runtime on this thread"), "{message}");
        assert!(message.contains("cotask::block_on"), "{message}");
    }
}

/// No executor turns the reactor there: without the panic this would hang.
#[test]
fn a_socket_does_not_wait_outside_of_its_runtime() {
    let runtime = Runtime::new().unwrap();
    let (mut a, _b) = runtime.block_on(tcp_pair()).unwrap();
    let other = Runtime::new().unwrap();

    let outside = message_of_panic(|| drop(futures::executor::block_on(a.read(&mut [0; 1]))));
    assert!(outside.contains("runtime that it was made in"), "{outside}");
    let readiness = message_of_panic(|| futures::executor::block_on(a.readable()));
    assert!(readiness.contains("runtime that it was made in"), "{readiness}");
    let elsewhere = message_of_panic(|| drop(other.block_on(a.read(&mut [0; 1]))));
    assert!(elsewhere.contains("runtime that it was made in"), "{elsewhere}");
}

/// What need not wait works anywhere; and after its runtime's end a socket still closes in order.
#[test]
fn a_socket_that_outlives_its_runtime_does_no_harm() {
    let runtime = Runtime::new().unwrap();
    let (mut a, mut b) = runtime.block_on(tcp_pair()).unwrap();
    drop(runtime);

    let message = message_of_panic(|| drop(futures::executor::block_on(a.read(&mut [0; 1]))));
    assert!(message.contains("runtime that it was made in"), "{message}");
    futures::executor::block_on(async {
        b.write_all(b"after the end").await.unwrap();
        drop(b);
        let mut heard = [0; 13];
        while a.try_read(&mut heard).is_err() {
            std::thread::yield_now();
        }
        assert_eq!(&heard, b"after the end");
    });
}
