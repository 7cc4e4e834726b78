use std::collections::HashSet;
use std::io::Write;

use crate::base::os::UnixStream;

use super::*;

#[test]
fn a_slot_is_used_again_and_a_token_is_not() {
    let reactor = Reactor::new().unwrap();
    let (mut socket, _peer) = UnixStream::pair().unwrap();
    let mut tokens = HashSet::new();
    for _ in 0..1000 {
        let readiness = reactor.register(&mut socket).unwrap();
        assert_eq!(reactor.len(), 1);
        assert_eq!(slot_of(readiness.token), 0);
        assert!(tokens.insert(readiness.token));
        reactor.deregister(&mut socket, &readiness);
        assert_eq!(reactor.len(), 0);
    }
}

/// The system forgets a descriptor that is closed, but not one that another process still holds.
#[test]
fn what_is_not_watched_any_more_makes_no_events() {
    let reactor = Reactor::new().unwrap();
    let (socket, mut peer) = std::os::unix::net::UnixStream::pair().unwrap();
    let held_elsewhere = socket.try_clone().unwrap();
    let mut socket = UnixStream::from_std(socket);
    let readiness = reactor.register(&mut socket).unwrap();
    reactor.wait(Some(Duration::ZERO)).unwrap();
    reactor.dispatch(|_, _| ());
    assert!(!reactor.events.borrow().is_empty(), "a new socket has room for writing");

    reactor.deregister(&mut socket, &readiness);
    drop(socket);
    peer.write_all(b"x").unwrap();
    reactor.wait(Some(Duration::ZERO)).unwrap();
    reactor.dispatch(|_, _| ());
    assert!(reactor.events.borrow().is_empty());
    drop(held_elsewhere);
}

#[test]
fn generations_come_round_without_ever_making_the_token_of_the_waker() {
    assert_ne!(token(u32::MAX, u32::MAX), UNPARK);
    assert_eq!(token(7, 1 << 31), token(7, 0));
    assert_ne!(token(7, u32::MAX), token(7, 0));
}

/// With the two counts of its `Rc`, 72 bytes are the most that fit into an allocation of 80, which is what glibc has next.
#[cfg(target_pointer_width = "64")]
#[test]
fn what_each_connection_has_is_small() {
    assert!(size_of::<Readiness>() <= 56, "{} bytes", size_of::<Readiness>());
}
