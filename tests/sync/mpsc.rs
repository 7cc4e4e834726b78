//! `sync::mpsc`, polled by hand.

use std::sync::Arc;
use std::thread;

use cotask::sync::mpsc::error::{SendError, TryRecvError, TrySendError};
use cotask::sync::mpsc::{self, Receiver, Sender};
use futures::StreamExt;
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready, assert_ready_eq, assert_ready_ok};

#[test]
fn ends_are_send_and_sync_for_any_value_that_is_send() {
    fn crosses_threads<T: Send + Sync>() {}
    crosses_threads::<Sender<std::cell::Cell<u8>>>();
    crosses_threads::<Receiver<std::cell::Cell<u8>>>();
    crosses_threads::<mpsc::UnboundedSender<std::cell::Cell<u8>>>();
    crosses_threads::<mpsc::UnboundedReceiver<std::cell::Cell<u8>>>();
}

#[test]
#[should_panic(expected = "mpsc::channel(0)")]
fn no_room_at_all_is_refused() {
    drop(mpsc::channel::<u8>(0));
}

#[test]
fn values_arrive_in_the_order_they_were_sent() {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    for i in 0..1000 {
        sender.send(i).unwrap();
    }
    drop(sender);
    for i in 0..1000 {
        assert_ready_eq!(spawn(receiver.recv()).poll(), Some(i));
    }
    assert_ready_eq!(spawn(receiver.recv()).poll(), None);
}

#[test]
fn a_full_channel_holds_the_sender_back_until_a_value_is_received() {
    let (sender, mut receiver) = mpsc::channel(1);
    assert_ready_ok!(spawn(sender.send(1)).poll());
    let mut second = spawn(sender.send(2));
    assert_pending!(second.poll());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(second.is_woken());
    assert_ready_ok!(second.poll());
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn a_send_wakes_the_receiver() {
    let (sender, mut receiver) = mpsc::channel(1);
    let mut recv = spawn(receiver.recv());
    assert_pending!(recv.poll());
    sender.try_send(1).unwrap();
    assert!(recv.is_woken());
    assert_ready_eq!(recv.poll(), Some(1));
}

#[test]
fn senders_are_served_in_the_order_in_which_they_came() {
    let (sender, mut receiver) = mpsc::channel(1);
    sender.try_send(0).unwrap();
    let mut waiting: Vec<_> = (1..=5).map(|i| spawn(sender.send(i))).collect();
    for send in &mut waiting {
        assert_pending!(send.poll());
    }
    for (i, send) in waiting.iter_mut().enumerate() {
        assert_eq!(receiver.try_recv(), Ok(i));
        assert_ready_ok!(send.poll());
    }
}

#[test]
fn a_late_sender_does_not_overtake_one_that_was_granted_a_slot() {
    let (sender, mut receiver) = mpsc::channel(1);
    sender.try_send(0).unwrap();
    let mut first = spawn(sender.send(1));
    assert_pending!(first.poll());
    assert_eq!(receiver.try_recv(), Ok(0));
    // `first` is woken and has not run yet.
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    let mut late = spawn(sender.send(3));
    assert_pending!(late.poll());
    assert_ready_ok!(first.poll());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_ready_ok!(late.poll());
}

#[test]
fn a_granted_send_that_is_dropped_passes_its_slot_on() {
    let (sender, mut receiver) = mpsc::channel(1);
    sender.try_send(0).unwrap();
    let (mut first, mut second) = (spawn(sender.send(1)), spawn(sender.send(2)));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    assert_eq!(receiver.try_recv(), Ok(0));
    assert!(first.is_woken() && !second.is_woken());
    drop(first);
    assert!(second.is_woken());
    assert_ready_ok!(second.poll());
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn a_recv_that_is_dropped_after_it_was_woken_loses_no_value() {
    let (sender, mut receiver) = mpsc::channel(1);
    let mut recv = spawn(receiver.recv());
    assert_pending!(recv.poll());
    sender.try_send(1).unwrap();
    assert!(recv.is_woken());
    drop(recv);
    assert_ready_eq!(spawn(receiver.recv()).poll(), Some(1));
}

#[test]
fn a_recv_that_is_dropped_leaves_no_waker_behind() {
    let (_sender, mut receiver) = mpsc::channel::<u8>(1);
    let mut task = spawn(());
    task.enter(|cx, _| {
        let mut recv = Box::pin(receiver.recv());
        assert!(recv.as_mut().poll(cx).is_pending());
        drop(recv);
    });
    assert_eq!(task.waker_ref_count(), 1);
}

#[test]
fn reserve_keeps_the_value_out_of_the_future_that_may_be_dropped() {
    let (sender, mut receiver) = mpsc::channel(1);
    sender.try_send(0).unwrap();
    let precious = 1;
    let mut reserve = spawn(sender.reserve());
    assert_pending!(reserve.poll());
    drop(reserve);
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_ready_ok!(spawn(sender.reserve()).poll()).send(precious);
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn a_permit_that_is_dropped_wakes_the_next_sender() {
    let (sender, _receiver) = mpsc::channel(1);
    let permit = assert_ready_ok!(spawn(sender.reserve()).poll());
    let mut send = spawn(sender.send(1));
    assert_pending!(send.poll());
    assert_eq!(sender.capacity(), 0);
    drop(permit);
    assert!(send.is_woken());
    assert_ready_ok!(send.poll());
}

#[test]
fn the_receiver_ends_only_when_the_last_sender_is_gone_and_the_queue_is_empty() {
    let (sender, mut receiver) = mpsc::channel(2);
    let other = sender.clone();
    sender.try_send(1).unwrap();
    drop(sender);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let mut recv = spawn(receiver.recv());
    assert_pending!(recv.poll());
    drop(other);
    assert!(recv.is_woken());
    assert_ready_eq!(recv.poll(), None);
}

#[test]
fn a_dropped_receiver_gives_each_waiting_sender_its_value_back() {
    let (sender, mut receiver) = mpsc::channel(1);
    sender.try_send(0).unwrap();
    let (mut granted, mut queued) = (spawn(sender.send(1)), spawn(sender.send(2)));
    assert_pending!(granted.poll());
    assert_pending!(queued.poll());
    assert_eq!(receiver.try_recv(), Ok(0));
    drop(receiver);
    assert!(granted.is_woken() && queued.is_woken());
    assert_ready_eq!(granted.poll(), Err(SendError(1)));
    assert_ready_eq!(queued.poll(), Err(SendError(2)));
    assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
    assert!(sender.is_closed());
}

#[test]
fn after_close_what_was_sent_or_granted_still_arrives() {
    let (sender, mut receiver) = mpsc::channel(2);
    sender.try_send(1).unwrap();
    let permit = sender.try_reserve().unwrap();
    let mut queued = spawn(sender.send(9));
    assert_pending!(queued.poll());
    receiver.close();
    assert_ready_eq!(queued.poll(), Err(SendError(9)));
    assert_ready_eq!(spawn(receiver.recv()).poll(), Some(1));
    let mut recv = spawn(receiver.recv());
    assert_pending!(recv.poll());
    permit.send(2);
    assert!(recv.is_woken());
    assert_ready_eq!(recv.poll(), Some(2));
    drop(recv);
    assert_ready_eq!(spawn(receiver.recv()).poll(), None);
}

#[test]
fn after_close_the_last_permit_dropped_unused_ends_the_channel() {
    let (sender, mut receiver) = mpsc::channel::<u8>(2);
    let permits = [sender.try_reserve().unwrap(), sender.try_reserve().unwrap()];
    receiver.close();
    let mut recv = spawn(receiver.recv());
    assert_pending!(recv.poll());
    let [first, last] = permits;
    drop(first);
    assert!(!recv.is_woken());
    drop(last);
    assert!(recv.is_woken());
    assert_ready_eq!(recv.poll(), None);
}

#[test]
fn a_permit_outlives_the_receiver_without_harm() {
    let (sender, receiver) = mpsc::channel(1);
    let permit = sender.try_reserve().unwrap();
    drop(receiver);
    let value = Arc::new(());
    permit.send(value.clone());
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn values_left_are_dropped_with_the_receiver_though_senders_remain() {
    let value = Arc::new(());
    let (sender, receiver) = mpsc::channel(4);
    for _ in 0..3 {
        sender.try_send(value.clone()).unwrap();
    }
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn everybody_who_waits_for_the_end_is_told() {
    let (sender, mut receiver) = mpsc::channel::<u8>(1);
    let other = sender.clone();
    let (mut first, mut second) = (spawn(sender.closed()), spawn(other.closed()));
    let mut gone = spawn(sender.closed());
    assert_pending!(gone.poll());
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(gone);
    receiver.close();
    assert!(first.is_woken() && second.is_woken());
    assert_ready!(first.poll());
    assert_ready!(second.poll());
}

#[test]
fn is_a_stream() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut collect = spawn(receiver.collect::<Vec<_>>());
    assert_pending!(collect.poll());
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    assert_pending!(collect.poll());
    drop(sender);
    assert_ready_eq!(collect.poll(), vec![1, 2]);
}

#[test]
fn plain_threads_send_and_receive_across_a_full_channel() {
    let (sender, mut receiver) = mpsc::channel(2);
    let senders: Vec<_> = (0..3)
        .map(|name| {
            let sender = sender.clone();
            thread::spawn(move || (0..200).for_each(|i| sender.blocking_send((name, i)).unwrap()))
        })
        .collect();
    drop(sender);
    let mut next = [0; 3];
    while let Some((name, i)) = receiver.blocking_recv() {
        assert_eq!(i, next[name], "sender {name}: in order, nothing lost");
        next[name] += 1;
    }
    assert_eq!(next, [200; 3]);
    for sender in senders {
        sender.join().unwrap();
    }
}

#[test]
fn two_runtimes_on_two_threads_play_ping_pong() {
    let (ping, mut pings) = mpsc::channel(1);
    let (pong, mut pongs) = mpsc::channel(1);
    let other = thread::spawn(move || {
        cotask::block_on(async {
            while let Some(number) = pings.recv().await {
                pong.send(number + 1).await.unwrap();
            }
        });
    });
    cotask::block_on(async {
        for number in 0..2000_u32 {
            ping.send(number).await.unwrap();
            assert_eq!(pongs.recv().await, Some(number + 1));
        }
        drop(ping);
    });
    other.join().unwrap();
}

#[test]
fn thousands_of_tasks_wait_for_one_channel_and_each_sends_in_its_turn() {
    cotask::block_on(async {
        let (sender, mut receiver) = mpsc::channel(3);
        for i in 0..5000_u32 {
            let sender = sender.clone();
            drop(cotask::spawn(async move { sender.send(i).await.unwrap() }));
        }
        drop(sender);
        for i in 0..5000 {
            assert_eq!(receiver.recv().await, Some(i));
        }
        assert_eq!(receiver.recv().await, None);
    });
}
