//! Every future of `sync`, dropped at every point: before its first poll, after one or two, before and
//! after it was given what it waits for, with another waiter behind it. Whatever the point: nothing is
//! lost, no waker is left behind, and the next goes on.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use cotask::sync::{Mutex, Notify, Semaphore, mpsc, oneshot};
use tokio_test::task::{Spawn, spawn};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok};

// ANCHOR: schedule
/// Where a future is dropped.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    /// So many polls while there is nothing for it.
    polls_before: usize,
    /// Then it is given what it waits for, or not.
    given: bool,
    /// Then so many polls.
    polls_after: usize,
}
// ANCHOR_END: schedule

fn schedules() -> impl Iterator<Item = Schedule> {
    let never_given = (0..3).map(|polls_before| Schedule { polls_before, given: false, polls_after: 0 });
    let given = (0..3).flat_map(|polls_before| {
        (0..2).map(move |polls_after| Schedule { polls_before, given: true, polls_after })
    });
    never_given.chain(given)
}

struct Idle;

impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}

// ANCHOR: poll_and_drop
/// Polls `victim` as scheduled and drops it. What it was ready with, if it was.
fn poll_and_drop<V: Future>(
    schedule: Schedule,
    victim: V,
    before_giving: impl FnOnce(),
    give: impl FnOnce(),
) -> Option<V::Output> {
    let counted = Arc::new(Idle);
    let waker = Waker::from(counted.clone());
    let mut cx = Context::from_waker(&waker);
    let output = {
        let mut victim = Box::pin(victim);
        for _ in 0..schedule.polls_before {
            assert!(victim.as_mut().poll(&mut cx).is_pending(), "{schedule:?}: nothing was given yet");
        }
        before_giving();
        if schedule.given {
            give();
        }
        let mut output = None;
        for _ in 0..schedule.polls_after {
            if let Poll::Ready(value) = victim.as_mut().poll(&mut cx) {
                output = Some(value);
            }
        }
        output
    };
    assert_eq!(Arc::strong_count(&counted), 2, "{schedule:?}: a waker was left behind");
    output
}
// ANCHOR_END: poll_and_drop

type Behind<'a, T> = Spawn<Pin<Box<dyn Future<Output = T> + 'a>>>;

/// The same with another future queued behind the victim, which is handed back.
fn cancel<'a, V: Future, B: Future + 'a>(
    schedule: Schedule,
    victim: V,
    behind: B,
    give: impl FnOnce(),
) -> (Option<V::Output>, Behind<'a, B::Output>) {
    let mut behind: Behind<'a, B::Output> = spawn(Box::pin(behind));
    let output = poll_and_drop(schedule, victim, || assert!(behind.poll().is_pending()), give);
    (output, behind)
}

#[test]
fn semaphore_acquire() {
    for schedule in schedules() {
        let semaphore = Semaphore::new(0);
        let (permit, mut behind) =
            cancel(schedule, semaphore.acquire(), semaphore.acquire(), || semaphore.add_permits(1));
        drop(permit);
        if !schedule.given {
            semaphore.add_permits(1);
        }
        assert!(behind.is_woken(), "{schedule:?}");
        drop(assert_ready_ok!(behind.poll()));
        assert_eq!(semaphore.available_permits(), 1, "{schedule:?}");
    }
}

#[test]
fn semaphore_acquire_many() {
    for schedule in schedules() {
        let semaphore = Semaphore::new(1);
        let (permits, mut behind) =
            cancel(schedule, semaphore.acquire_many(3), semaphore.acquire_many(2), || {
                semaphore.add_permits(2)
            });
        drop(permits);
        if !schedule.given {
            semaphore.add_permits(2);
        }
        assert!(behind.is_woken(), "{schedule:?}");
        drop(assert_ready_ok!(behind.poll()));
        assert_eq!(semaphore.available_permits(), 3, "{schedule:?}");
    }
}

#[test]
fn semaphore_acquire_owned() {
    for schedule in schedules() {
        let semaphore = Arc::new(Semaphore::new(0));
        let (first, second) = (semaphore.clone().acquire_owned(), semaphore.clone().acquire_owned());
        let (permit, mut behind) = cancel(schedule, first, second, || semaphore.add_permits(1));
        drop(permit);
        if !schedule.given {
            semaphore.add_permits(1);
        }
        assert!(behind.is_woken(), "{schedule:?}");
        drop(assert_ready_ok!(behind.poll()));
        assert_eq!(semaphore.available_permits(), 1, "{schedule:?}");
    }
}

#[test]
fn mutex_lock() {
    for schedule in schedules() {
        let mutex = Mutex::new(7);
        let mut held = mutex.try_lock().ok();
        assert!(held.is_some());
        let (guard, mut behind) = cancel(schedule, mutex.lock(), mutex.lock(), || drop(held.take()));
        drop(guard);
        drop(held);
        assert!(behind.is_woken(), "{schedule:?}");
        assert_eq!(*assert_ready!(behind.poll()), 7, "{schedule:?}");
        assert!(mutex.try_lock().is_ok());
    }
}

#[test]
fn notify_notified() {
    for schedule in schedules() {
        let notify = Notify::new();
        let (told, mut behind) =
            cancel(schedule, notify.notified(), notify.notified(), || notify.notify_one());
        if told.is_some() || !schedule.given {
            assert!(!behind.is_woken(), "{schedule:?}: it was not for this one");
            notify.notify_one();
        }
        assert!(behind.is_woken(), "{schedule:?}");
        assert_ready!(behind.poll());
        assert_pending!(spawn(notify.notified()).poll(), "{schedule:?}: one notification became two");
    }
}

#[test]
fn notify_notified_by_notify_waiters() {
    for schedule in schedules() {
        let notify = Notify::new();
        let (_, mut behind) =
            cancel(schedule, notify.notified(), notify.notified(), || notify.notify_waiters());
        if !schedule.given {
            notify.notify_one();
        }
        assert_ready!(behind.poll());
        assert_pending!(spawn(notify.notified()).poll(), "{schedule:?}: a permit came from nowhere");
    }
}

#[test]
fn notify_enabled() {
    for schedule in schedules() {
        let notify = Notify::new();
        let mut enabled = Box::pin(notify.notified());
        assert!(!enabled.as_mut().enable());
        let (told, mut behind) = cancel(schedule, enabled, notify.notified(), || notify.notify_one());
        if told.is_some() || !schedule.given {
            notify.notify_one();
        }
        assert!(behind.is_woken(), "{schedule:?}");
        assert_ready!(behind.poll());
    }
}

#[test]
fn mpsc_send() {
    for schedule in schedules() {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.try_send(0).unwrap();
        let mut received = Vec::new();
        let (sent, mut behind) =
            cancel(schedule, sender.send(1), sender.send(2), || received.extend(receiver.try_recv()));
        received.extend(receiver.try_recv());
        assert!(behind.is_woken(), "{schedule:?}");
        assert_ready_ok!(behind.poll());
        received.extend(receiver.try_recv());
        let expected: &[i32] = if sent.is_some() { &[0, 1, 2] } else { &[0, 2] };
        assert_eq!(received, expected, "{schedule:?}");
        assert_eq!(sender.capacity(), 1, "{schedule:?}");
    }
}

#[test]
fn mpsc_reserve() {
    for schedule in schedules() {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.try_send(0).unwrap();
        let mut received = Vec::new();
        let (permit, mut behind) =
            cancel(schedule, sender.reserve(), sender.send(2), || received.extend(receiver.try_recv()));
        drop(permit);
        received.extend(receiver.try_recv());
        assert!(behind.is_woken(), "{schedule:?}");
        assert_ready_ok!(behind.poll());
        received.extend(receiver.try_recv());
        assert_eq!(received, [0, 2], "{schedule:?}");
        assert_eq!(sender.capacity(), 1, "{schedule:?}");
    }
}

#[test]
fn mpsc_recv() {
    for schedule in schedules() {
        let (sender, mut receiver) = mpsc::channel(1);
        let got = poll_and_drop(schedule, receiver.recv(), || {}, || sender.try_send(1).unwrap());
        if !schedule.given {
            sender.try_send(1).unwrap();
        }
        match got {
            Some(value) => assert_eq!(value, Some(1)),
            None => assert_eq!(assert_ready!(spawn(receiver.recv()).poll()), Some(1), "{schedule:?}"),
        }
        assert_eq!(sender.capacity(), 1);
    }
}

#[test]
fn mpsc_recv_of_an_unbounded_channel_at_its_end() {
    for schedule in schedules() {
        let (sender, mut receiver) = mpsc::unbounded_channel::<u8>();
        let mut sender = Some(sender);
        let got = poll_and_drop(schedule, receiver.recv(), || {}, || drop(sender.take()));
        assert!(got.is_none_or(|end| end.is_none()));
        drop(sender);
        assert_eq!(assert_ready!(spawn(receiver.recv()).poll()), None, "{schedule:?}");
    }
}

#[test]
fn mpsc_closed_of_both_kinds() {
    for schedule in schedules() {
        let (sender, mut receiver) = mpsc::channel::<u8>(1);
        let (_, mut behind) = cancel(schedule, sender.closed(), sender.closed(), || receiver.close());
        receiver.close();
        assert!(behind.is_woken(), "{schedule:?}");
        assert_ready!(behind.poll());

        let (sender, mut receiver) = mpsc::unbounded_channel::<u8>();
        let (_, mut behind) = cancel(schedule, sender.closed(), sender.closed(), || receiver.close());
        receiver.close();
        assert!(behind.is_woken(), "{schedule:?}");
        assert_ready!(behind.poll());
    }
}

#[test]
fn oneshot_receiver_by_reference() {
    for schedule in schedules() {
        let (sender, mut receiver) = oneshot::channel();
        let mut sender = Some(sender);
        let mut send = || sender.take().into_iter().for_each(|sender| sender.send(1).unwrap());
        let got = poll_by_reference(schedule, &mut receiver, &mut send);
        send();
        match got {
            Some(value) => assert_eq!(value, Ok(1)),
            None => assert_eq!(assert_ready!(spawn(receiver).poll()), Ok(1), "{schedule:?}"),
        }
    }
}

#[test]
fn oneshot_closed() {
    for schedule in schedules() {
        let (mut sender, mut receiver) = oneshot::channel::<u8>();
        poll_by_reference(schedule, Box::pin(sender.closed()), || receiver.close());
        receiver.close();
        assert_ready!(spawn(sender.closed()).poll());
    }
}

/// For a future whose waker stays with the channel it belongs to, until that is used or dropped.
fn poll_by_reference<V: Future + Unpin>(
    schedule: Schedule,
    mut victim: V,
    give: impl FnOnce(),
) -> Option<V::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..schedule.polls_before {
        assert!(Pin::new(&mut victim).poll(&mut cx).is_pending());
    }
    if schedule.given {
        give();
    }
    let polls = (0..schedule.polls_after).map(|_| Pin::new(&mut victim).poll(&mut cx));
    polls.fold(None, |output, poll| match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => output,
    })
}
