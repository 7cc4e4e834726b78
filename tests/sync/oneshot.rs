//! `sync::oneshot`, polled by hand.

use std::sync::Arc;
use std::thread;

use cotask::sync::oneshot::error::{RecvError, TryRecvError};
use cotask::sync::oneshot::{self, Receiver, Sender};
use futures_test::task::new_count_waker;
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready, assert_ready_eq};

#[test]
fn ends_are_send_and_sync_for_any_value_that_is_send() {
    fn crosses_threads<T: Send + Sync>() {}
    crosses_threads::<Sender<std::cell::Cell<u8>>>();
    crosses_threads::<Receiver<std::cell::Cell<u8>>>();
}

// ANCHOR: wakes
#[test]
fn send_wakes_the_receiver_once_with_the_value() {
    let (sender, receiver) = oneshot::channel();
    let mut receiver = spawn(receiver);
    assert_pending!(receiver.poll());
    assert!(!receiver.is_woken());
    sender.send(7).unwrap();
    assert!(receiver.is_woken());
    assert_ready_eq!(receiver.poll(), Ok(7));
}
// ANCHOR_END: wakes

#[test]
fn a_value_sent_before_the_first_poll_is_ready_at_once() {
    let (sender, receiver) = oneshot::channel();
    sender.send(7).unwrap();
    assert_ready_eq!(spawn(receiver).poll(), Ok(7));
}

#[test]
fn dropping_the_sender_wakes_the_receiver_with_an_error() {
    let (sender, receiver) = oneshot::channel::<()>();
    let mut receiver = spawn(receiver);
    assert_pending!(receiver.poll());
    drop(sender);
    assert!(receiver.is_woken());
    assert_ready_eq!(receiver.poll(), Err(RecvError));
}

// ANCHOR: after
#[test]
fn polling_after_the_value_gives_an_error_not_a_panic() {
    let (sender, receiver) = oneshot::channel();
    sender.send(7).unwrap();
    let mut receiver = spawn(receiver);
    assert_ready_eq!(receiver.poll(), Ok(7));
    assert_ready_eq!(receiver.poll(), Err(RecvError));
}
// ANCHOR_END: after

#[test]
fn a_value_sent_before_close_is_still_received() {
    let (sender, mut receiver) = oneshot::channel();
    sender.send(7).unwrap();
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(7));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn after_close_send_gives_the_value_back() {
    let (sender, mut receiver) = oneshot::channel();
    receiver.close();
    assert!(sender.is_closed());
    assert_eq!(sender.send(7), Err(7));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn awaiting_a_closed_receiver_that_got_nothing_ends() {
    let (_sender, mut receiver) = oneshot::channel::<u8>();
    receiver.close();
    assert_ready_eq!(spawn(receiver).poll(), Err(RecvError));
}

#[test]
fn close_and_drop_of_the_receiver_wake_who_waits_for_it() {
    for drop_it in [false, true] {
        let (mut sender, mut receiver) = oneshot::channel::<u8>();
        let mut closed = spawn(sender.closed());
        assert_pending!(closed.poll());
        if drop_it {
            drop(receiver);
        } else {
            receiver.close();
        }
        assert!(closed.is_woken());
        assert_ready!(closed.poll());
    }
}

#[test]
fn the_last_waker_given_is_the_one_that_is_woken() {
    let (sender, mut receiver) = oneshot::channel();
    let (old, old_count) = new_count_waker();
    let (new, new_count) = new_count_waker();
    for waker in [&old, &new] {
        let mut cx = std::task::Context::from_waker(waker);
        assert!(std::future::Future::poll(std::pin::Pin::new(&mut receiver), &mut cx).is_pending());
    }
    sender.send(7).unwrap();
    assert_eq!((old_count.get(), new_count.get()), (0, 1));
}

#[test]
fn no_waker_is_kept_once_the_other_end_is_gone() {
    let (sender, receiver) = oneshot::channel::<u8>();
    let mut receiver = spawn(receiver);
    assert_pending!(receiver.poll());
    assert_eq!(receiver.waker_ref_count(), 2);
    drop(sender);
    assert_eq!(receiver.waker_ref_count(), 1);
}

#[test]
fn a_value_nobody_received_is_dropped_with_the_receiver() {
    let value = Arc::new(());
    let (sender, receiver) = oneshot::channel();
    sender.send(value.clone()).unwrap();
    assert_eq!(Arc::strong_count(&value), 2);
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn a_plain_thread_may_wait_though_its_park_token_is_used_by_others() {
    let (sender, receiver) = oneshot::channel();
    let (started, starting) = oneshot::channel();
    let waiting = thread::spawn(move || {
        // A token left over by other code must not end the wait early.
        thread::current().unpark();
        started.send(()).unwrap();
        receiver.blocking_recv()
    });
    starting.blocking_recv().unwrap();
    waiting.thread().unpark();
    sender.send(7).unwrap();
    assert_eq!(waiting.join().unwrap(), Ok(7));
}
