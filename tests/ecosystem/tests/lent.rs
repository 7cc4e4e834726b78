//! A socket that lapin's thread reads while home waits: no readiness is lost between the two.

mod support;

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use async_rs::traits::{Executor, Reactor};
use ecosystem::adapters::lapin::Kit;
use futures::AsyncRead;
use support::{PATIENCE, alone, leaves_nothing};

/// Sends a message when it is woken.
struct Bell(SyncSender<()>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let _ = self.0.try_send(());
    }
}

fn bell() -> (Waker, Receiver<()>) {
    let (rung, heard) = sync_channel(1);
    (Arc::new(Bell(rung)).into(), heard)
}

type Meanwhile = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// A socket where something happens after a read that would block, before the read returns.
#[derive(Clone)]
struct Slow {
    socket: Arc<UnixStream>,
    meanwhile: Meanwhile,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&*self.socket).read(buffer);
        if read.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
            let meanwhile = self.meanwhile.lock().unwrap().take();
            meanwhile.into_iter().for_each(|meanwhile| meanwhile());
        }
        read
    }
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.socket).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.socket).flush()
    }
}

impl AsRawFd for Slow {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl AsFd for Slow {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

type Lent = dyn AsyncRead + Unpin;

fn read(lent: &mut Lent, waker: &Waker) -> Poll<usize> {
    Pin::new(lent).poll_read(&mut Context::from_waker(waker), &mut [0; 8]).map(Result::unwrap)
}

/// Runs `work` on another thread, with a lent socket, a place for what happens meanwhile, the other end, and the kit.
fn elsewhere(work: fn(&mut Lent, Meanwhile, UnixStream, Kit)) {
    let _alone = alone();
    leaves_nothing(async || {
        let kit = Kit::here();
        let job = move || {
            let (ours, theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            let meanwhile = Meanwhile::default();
            let slow = Slow { socket: Arc::new(ours), meanwhile: meanwhile.clone() };
            work(&mut kit.register(slow).unwrap(), meanwhile, theirs, kit);
        };
        cotask::spawn_blocking(job).await.unwrap();
    });
}

#[test]
fn another_thread_is_woken_for_what_comes() {
    elsewhere(|lent, _, mut theirs, _| {
        let (waker, rung) = bell();
        let next = |lent: &mut Lent| loop {
            // The bell may also ring for bytes that were read before.
            rung.recv_timeout(PATIENCE).expect("woken");
            if let Poll::Ready(length) = read(lent, &waker) {
                return length;
            }
        };
        for length in 1..=3 {
            assert_eq!(read(lent, &waker), Poll::Pending);
            theirs.write_all(&[7; 3][..length]).unwrap();
            assert_eq!(next(lent), length);
        }
        assert_eq!(read(lent, &waker), Poll::Pending);
        drop(theirs);
        assert_eq!(next(lent), 0);
    });
}

#[test]
fn nobody_is_woken_again_for_what_is_used_up() {
    elsewhere(|lent, _, mut theirs, kit| {
        let (waker, rung) = bell();
        assert_eq!(read(lent, &waker), Poll::Pending);
        // A new socket counts as ready until an operation has been tried.
        rung.recv_timeout(PATIENCE).expect("woken");
        assert_eq!(read(lent, &waker), Poll::Pending);
        // When this task has finished, home has seen the waker.
        cotask::block_on(kit.spawn(async {}));
        assert!(rung.try_recv().is_err(), "woken for nothing");
        theirs.write_all(&[7]).unwrap();
        rung.recv_timeout(PATIENCE).expect("woken");
        assert_eq!(read(lent, &waker), Poll::Ready(1));
    });
}

/// A byte comes after the second read and before its waker is home. There the byte counts for the first read's waker.
#[test]
fn a_waker_that_comes_home_too_late_loses_nothing() {
    elsewhere(|lent, meanwhile, mut theirs, _| {
        let (first, rung) = bell();
        assert_eq!(read(lent, &first), Poll::Pending);
        // A new socket counts as ready until an operation has been tried.
        rung.recv_timeout(PATIENCE).expect("woken");
        assert_eq!(read(lent, &first), Poll::Pending);
        *meanwhile.lock().unwrap() = Some(Box::new(move || {
            theirs.write_all(&[7]).unwrap();
            rung.recv_timeout(PATIENCE).expect("woken");
        }));
        let (second, _) = bell();
        assert_eq!(read(lent, &second), Poll::Ready(1));
    });
}
