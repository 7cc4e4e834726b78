//! A token names a registration, not a slot: what is meant for a socket that is gone reaches no other.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use cotask::net::UnixStream;

use crate::support::{run, turn};

type Action = Box<dyn FnOnce(Who)>;

thread_local! {
    /// What the next wake does. Wakers must be `Send`, sockets are not; they never leave this thread.
    static ON_WAKE: RefCell<Option<Action>> = const { RefCell::new(None) };
    static SOCKETS: RefCell<Vec<Option<UnixStream>>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone, Copy)]
struct Who(usize);

impl Wake for Who {
    fn wake(self: Arc<Self>) {
        let action = ON_WAKE.take();
        if let Some(action) = action {
            action(*self);
        }
    }
}

/// A socket for which nothing was sent yet, and known to be so.
fn idle() -> io::Result<(UnixStream, std::os::unix::net::UnixStream)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    let ours = UnixStream::from_std(ours)?;
    assert_eq!(ours.try_read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    Ok((ours, theirs))
}

fn poll_readable(socket: &UnixStream, waker: &Waker) -> Poll<()> {
    socket.poll_read_ready(&mut Context::from_waker(waker))
}

/// Two sockets get ready in one batch. The wake of the first removes the second, and makes a new one, which
/// gets the slot (and the descriptor) of the second. The second's event comes later in the same batch.
#[test]
fn an_event_of_the_same_batch_does_not_reach_the_successor() -> io::Result<()> {
    run(async {
        let (first, mut peer_of_first) = idle()?;
        let (second, mut peer_of_second) = idle()?;
        for (i, socket) in [&first, &second].into_iter().enumerate() {
            assert!(poll_readable(socket, &Waker::from(Arc::new(Who(i)))).is_pending());
        }
        SOCKETS.set(vec![Some(first), Some(second)]);
        let successor = std::rc::Rc::new(RefCell::new(None));
        let place = std::rc::Rc::clone(&successor);
        ON_WAKE.set(Some(Box::new(move |Who(woken)| {
            let removed = SOCKETS.with_borrow_mut(|sockets| sockets[1 - woken].take());
            drop(removed);
            place.replace(Some(idle()));
        })));
        peer_of_first.write_all(b"1")?;
        peer_of_second.write_all(b"2")?;
        turn().await;

        let (socket, mut peer) = successor.take().expect("a socket got ready and woke its waker")?;
        assert!(
            poll_readable(&socket, Waker::noop()).is_pending(),
            "the successor got an event of its predecessor"
        );
        peer.write_all(b"3")?;
        socket.readable().await;
        assert_eq!(socket.try_read(&mut [0; 1])?, 1);
        SOCKETS.take();
        Ok(())
    })
}

/// A wake that removes its own socket, in the middle of that socket's event.
#[test]
fn a_wake_may_remove_its_own_socket() -> io::Result<()> {
    run(async {
        let (socket, peer) = idle()?;
        assert!(poll_readable(&socket, &Waker::from(Arc::new(Who(0)))).is_pending());
        SOCKETS.set(vec![Some(socket)]);
        ON_WAKE.set(Some(Box::new(|_| drop(SOCKETS.take()))));
        // Both directions of the socket are concerned.
        drop(peer);
        turn().await;
        assert!(SOCKETS.with_borrow(Vec::is_empty));
        let (socket, mut peer) = idle()?;
        peer.write_all(b"x")?;
        socket.readable().await;
        Ok(())
    })
}
