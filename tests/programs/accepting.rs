//! The servers of the workloads where the process has no descriptor left: in every style they go on as soon as there is one.
//! For the coroutines, `tests/net/limits.rs` tests the listener itself.

use std::net::{TcpListener, TcpStream};
use std::pin::pin;

use futures::future::poll_immediate;

use crate::alone::alone;
use crate::common::{accept_on_tokio, accept_ready};
use crate::exhaust::take_every_descriptor;

/// A listener at which so many clients wait.
fn awaited_by(clients: usize) -> (TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let clients = (0..clients).map(|_| TcpStream::connect(address).unwrap()).collect();
    (listener, clients)
}

#[cfg(target_os = "linux")]
#[test]
fn a_blocking_server_outlasts_the_lack_of_descriptors() {
    use std::os::unix::fs::FileExt;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::channel;

    use crate::common::accept_blocking;

    static ACCEPTS: AtomicBool = AtomicBool::new(false);
    alone("accepting::a_blocking_server_outlasts_the_lack_of_descriptors", || {
        let (listener, clients) = awaited_by(1);
        let (tell, told) = channel();
        let (begin, begun) = channel();
        let server = std::thread::spawn(move || {
            tell.send(std::fs::File::open("/proc/thread-self/stat").unwrap()).unwrap();
            begun.recv().unwrap();
            ACCEPTS.store(true, Ordering::Release);
            accept_blocking(&listener)
        });
        let state = told.recv().unwrap();
        let taken = take_every_descriptor();
        begin.send(()).unwrap();
        // A client waits, so the thread does not sleep in `accept` but after it has failed.
        let is_asleep = || {
            let mut text = [0; 256];
            let read = state.read_at(&mut text, 0).unwrap();
            String::from_utf8_lossy(&text[..read]).contains(") S ")
        };
        while !(ACCEPTS.load(Ordering::Acquire) && is_asleep()) {
            std::thread::yield_now();
        }
        drop(taken);
        let (_, address) = server.join().unwrap();
        assert_eq!(address, clients[0].local_addr().unwrap());
    });
}

#[test]
fn a_server_of_callbacks_is_told_to_ask_again_where_there_was_no_descriptor() {
    alone("accepting::a_server_of_callbacks_is_told_to_ask_again_where_there_was_no_descriptor", || {
        let (listener, clients) = awaited_by(1);
        listener.set_nonblocking(true).unwrap();
        let listener = mio::net::TcpListener::from_std(listener);
        let mut again = None;
        let taken = take_every_descriptor();
        assert!(accept_ready(&listener, &mut again).is_none());
        assert!(again.is_some(), "no event will report the client that waits");
        drop(taken);
        let stream = accept_ready(&listener, &mut again).expect("the client still waits");
        assert_eq!(stream.peer_addr().unwrap(), clients[0].local_addr().unwrap());
        assert!(
            accept_ready(&listener, &mut again).is_none() && again.is_none(),
            "an event will report the next"
        );
    });
}

#[test]
fn a_server_on_tokio_outlasts_the_lack_of_descriptors() {
    alone("accepting::a_server_on_tokio_outlasts_the_lack_of_descriptors", || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (listener, clients) = awaited_by(2);
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            // From the first one on tokio knows that the listener is ready, and asks the system at once.
            accept_on_tokio(&listener).await;
            let taken = take_every_descriptor();
            let mut second = pin!(accept_on_tokio(&listener));
            assert!(poll_immediate(&mut second).await.is_none(), "a connection without a descriptor");
            drop(taken);
            assert_eq!(second.await.peer_addr().unwrap(), clients[1].local_addr().unwrap());
        });
    });
}
