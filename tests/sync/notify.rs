//! `sync::Notify`, polled by hand.

use std::future::Future;
use std::pin::Pin;

use cotask::sync::{Notified, Notify};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

#[test]
fn crosses_threads() {
    fn crosses_threads<T: Send + Sync>() {}
    crosses_threads::<Notify>();
    crosses_threads::<Notified<'static>>();
}

#[test]
fn one_permit_at_most_is_stored() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    assert_ready!(spawn(notify.notified()).poll());
    assert_pending!(spawn(notify.notified()).poll());
}

#[test]
fn notify_one_wakes_one_in_the_order_of_waiting() {
    let notify = Notify::new();
    let (mut first, mut second) = (spawn(notify.notified()), spawn(notify.notified()));
    // Made in one order, waiting in the other: waiting counts.
    assert_pending!(second.poll());
    assert_pending!(first.poll());
    notify.notify_one();
    assert!(second.is_woken() && !first.is_woken());
    assert_ready!(second.poll());
    assert_pending!(first.poll());
}

#[test]
fn notify_waiters_wakes_all_who_are_there_and_stores_nothing() {
    let notify = Notify::new();
    let (mut polled, mut made) = (spawn(notify.notified()), spawn(notify.notified()));
    assert_pending!(polled.poll());
    notify.notify_waiters();
    assert!(polled.is_woken());
    assert_ready!(polled.poll());
    assert_ready!(made.poll());
    assert_pending!(spawn(notify.notified()).poll());
}

#[test]
fn notify_waiters_neither_eats_nor_overwrites_the_stored_permit() {
    let notify = Notify::new();
    notify.notify_one();
    let mut made = spawn(notify.notified());
    notify.notify_waiters();
    assert_ready!(made.poll());
    // `made` went on for notify_waiters; the permit is still there for the next.
    assert_ready!(spawn(notify.notified()).poll());
    assert_pending!(spawn(notify.notified()).poll());
}

#[test]
fn a_waiter_that_joins_after_notify_waiters_is_not_woken_by_it() {
    let notify = Notify::new();
    let mut before = spawn(notify.notified());
    assert_pending!(before.poll());
    notify.notify_waiters();
    let mut after = spawn(notify.notified());
    assert_pending!(after.poll());
    assert!(!after.is_woken());
    // And the notification of `before` is not passed on: it was for the waiters that were there.
    drop(before);
    assert!(!after.is_woken());
    assert_pending!(after.poll());
}

#[test]
fn a_notified_waiter_that_is_dropped_passes_it_to_the_next() {
    let notify = Notify::new();
    let (mut first, mut second) = (spawn(notify.notified()), spawn(notify.notified()));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    notify.notify_one();
    drop(first);
    assert!(second.is_woken());
    assert_ready!(second.poll());
}

#[test]
fn a_notified_waiter_that_is_dropped_with_nobody_behind_it_leaves_the_permit() {
    let notify = Notify::new();
    let mut only = spawn(notify.notified());
    assert_pending!(only.poll());
    notify.notify_one();
    drop(only);
    assert_ready!(spawn(notify.notified()).poll());
}

#[test]
fn two_dropped_waiters_pass_on_both_notifications() {
    let notify = Notify::new();
    let mut waiters: Vec<_> = (0..4).map(|_| spawn(notify.notified())).collect();
    for waiter in &mut waiters {
        assert_pending!(waiter.poll());
    }
    notify.notify_one();
    notify.notify_one();
    waiters.drain(..2);
    assert!(waiters[0].is_woken() && waiters[1].is_woken());
    for waiter in &mut waiters {
        assert_ready!(waiter.poll());
    }
}

#[test]
fn enable_joins_the_queue_between_check_and_wait() {
    let notify = Notify::new();
    let mut notified = Box::pin(notify.notified());
    assert!(!notified.as_mut().enable());
    let mut later = spawn(notify.notified());
    assert_pending!(later.poll());
    notify.notify_one();
    assert!(!later.is_woken(), "the enabled one was first");
    assert!(notified.as_mut().enable());
    assert_ready!(spawn(notified).poll());
}

#[test]
fn a_future_that_was_ready_stays_ready_and_takes_nothing_more() {
    let notify = Notify::new();
    notify.notify_one();
    let mut notified = notify.notified();
    assert!(Pin::new(&mut notified).enable());
    notify.notify_one();
    assert_ready!(spawn(&mut notified).poll());
    drop(notified);
    assert_ready!(spawn(notify.notified()).poll());
}

#[test]
fn a_waiter_that_is_dropped_leaves_no_waker_behind() {
    let notify = Notify::new();
    let mut task = spawn(());
    task.enter(|cx, _| {
        let mut notified = Box::pin(notify.notified());
        assert!(notified.as_mut().poll(cx).is_pending());
    });
    assert_eq!(task.waker_ref_count(), 1);
}
