//! What is left when a runtime ends: nothing.

use std::cell::Cell;
use std::rc::Rc;

use cotask::Runtime;
use cotask::net::{TcpListener, UdpSocket, UnixStream};
use futures::AsyncReadExt;
use futures::future::join4;

use crate::alone::alone;
use crate::open::descriptors;
use crate::support::tcp_pair;

/// Tasks that wait on sockets of every kind, in both directions, when the runtime is dropped under them.
#[test]
fn the_end_closes_every_descriptor() {
    alone("ends::the_end_closes_every_descriptor", || {
        let before = descriptors();
        let dropped = Rc::new(Cell::new(0));
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            for _ in 0..20 {
                let (mut a, b) = tcp_pair().await.unwrap();
                let (mut c, d) = UnixStream::pair().unwrap();
                let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let count = CountDrop(Rc::clone(&dropped));
                cotask::spawn(async move {
                    let (mut p, mut q, mut r) = ([0; 1], [0; 1], [0; 1]);
                    let waits = (a.read(&mut p), c.read(&mut q), udp.recv_from(&mut r), listener.accept());
                    let _ = join4(waits.0, waits.1, waits.2, waits.3).await;
                    drop((b, d, count));
                });
            }
            cotask::spawn_blocking(|| ()).await.unwrap();
            cotask::yield_now().await;
            assert!(descriptors() >= before + 20 * 6);
        });
        assert_eq!(runtime.tasks(), 20);
        // What another thread may keep does not keep a descriptor.
        let handle = runtime.handle();
        drop(runtime);
        assert_eq!(dropped.get(), 20);
        assert_eq!(descriptors(), before);
        assert!(handle.is_closed());
    });
}

/// A socket that is held elsewhere keeps what it needs to be closed in order, until it is.
#[test]
fn the_last_socket_closes_the_rest() {
    alone("ends::the_last_socket_closes_the_rest", || {
        let before = descriptors();
        let runtime = Runtime::new().unwrap();
        let (a, b) = runtime.block_on(tcp_pair()).unwrap();
        let (reader, writer) = a.into_split();
        drop(runtime);
        drop((b, writer));
        assert!(descriptors() > before);
        drop(reader);
        assert_eq!(descriptors(), before);
    });
}

struct CountDrop(Rc<Cell<u32>>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// The C library opens such files when it likes, on any thread: a test that counts them fails once in a hundred runs.
#[test]
fn what_the_c_library_reads_for_itself_does_not_count() {
    alone("ends::what_the_c_library_reads_for_itself_does_not_count", || {
        let before = descriptors();
        let own = std::fs::File::open("/proc/sys/vm/overcommit_memory").unwrap();
        assert_eq!(descriptors(), before);
        let other = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(descriptors(), before + 1);
        drop((own, other));
        assert_eq!(descriptors(), before);
    });
}
