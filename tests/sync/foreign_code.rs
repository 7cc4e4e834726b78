//! Wakers and values run code of their users: in `wake` and in `drop`. Nothing in `sync` may hold a lock
//! meanwhile, nor lose a wake to one that panics. A waker or a value here uses the primitive it was called
//! from; held under the lock, these tests hang.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex as StdMutex};
use std::task::{Context, Poll, Wake, Waker};

use cotask::sync::{Mutex, Notify, Semaphore, mpsc, oneshot};
use futures_test::task::new_count_waker;

/// Runs a closure once: when it is woken, or when the last clone is dropped.
struct Reenter {
    on: On,
    action: StdMutex<Option<Box<dyn FnOnce() + Send>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum On {
    Wake,
    Drop,
}

impl Reenter {
    fn waker(on: On, action: impl FnOnce() + Send + 'static) -> Waker {
        Waker::from(Arc::new(Reenter { on, action: StdMutex::new(Some(Box::new(action))) }))
    }

    fn run(&self) {
        let action = self.action.lock().unwrap().take();
        action.expect("each waker is called once")();
    }
}

impl Wake for Reenter {
    fn wake(self: Arc<Self>) {
        if self.on == On::Wake {
            self.run();
        }
    }
}

impl Drop for Reenter {
    fn drop(&mut self) {
        if self.on == On::Drop {
            self.run();
        }
    }
}

fn is_pending(future: impl Future, waker: &Waker) -> bool {
    pin!(future).poll(&mut Context::from_waker(waker)).is_pending()
}

const BOTH: [On; 2] = [On::Wake, On::Drop];

#[test]
fn oneshot() {
    for on in BOTH {
        let (sender, receiver) = oneshot::channel();
        let receiver = Arc::new(StdMutex::new(receiver));
        let again = receiver.clone();
        let waker = Reenter::waker(on, move || again.lock().unwrap().close());
        assert!(is_pending(&mut *receiver.lock().unwrap(), &waker));
        drop(waker);
        sender.send(1).unwrap();
        assert_eq!(receiver.lock().unwrap().try_recv(), Ok(1));
    }
}

#[test]
fn mpsc_receiver_waker_that_sends() {
    for on in BOTH {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let again = sender.clone();
        let waker = Reenter::waker(on, move || again.send(2).unwrap());
        assert!(is_pending(receiver.recv(), &waker));
        assert!(receiver.poll_recv(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        sender.send(1).unwrap();
        assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Ok(2)));
    }
}

#[test]
fn mpsc_replaced_waker_that_sends_when_it_is_dropped() {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let again = sender.clone();
    let old = Reenter::waker(On::Drop, move || again.send(1).unwrap());
    assert!(receiver.poll_recv(&mut Context::from_waker(&old)).is_pending());
    drop(old);
    // Storing the new waker drops the old one, whose drop sends: the wake must not be lost.
    let (new, count) = new_count_waker();
    assert!(receiver.poll_recv(&mut Context::from_waker(&new)).is_pending());
    assert_eq!(count.get(), 1);
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn mpsc_values_that_send_when_they_are_dropped() {
    struct Value(mpsc::Sender<Value>, Arc<StdMutex<u32>>);
    impl Drop for Value {
        fn drop(&mut self) {
            *self.1.lock().unwrap() += u32::from(self.0.is_closed());
        }
    }
    let count = Arc::new(StdMutex::new(0));
    let (sender, receiver) = mpsc::channel(4);
    for _ in 0..3 {
        sender.try_send(Value(sender.clone(), count.clone())).unwrap();
    }
    drop(receiver);
    assert_eq!(*count.lock().unwrap(), 3);
}

#[test]
fn semaphore_waker_that_takes_and_gives() {
    for on in BOTH {
        let semaphore = Arc::new(Semaphore::new(0));
        let again = semaphore.clone();
        let waker = Reenter::waker(on, move || {
            assert!(again.try_acquire().is_err());
            again.add_permits(1);
        });
        {
            let mut acquire = pin!(semaphore.acquire());
            assert!(is_pending(acquire.as_mut(), &waker));
            drop(waker);
            semaphore.add_permits(1);
            assert!(!is_pending(acquire, Waker::noop()));
        }
        assert_eq!(semaphore.available_permits(), 2);
    }
}

#[test]
fn mutex_waker_that_tries_to_lock() {
    for on in BOTH {
        let mutex = Arc::new(Mutex::new(1));
        let again = mutex.clone();
        let waker = Reenter::waker(on, move || assert!(again.try_lock().is_err()));
        let guard = mutex.try_lock().unwrap();
        let mut lock = pin!(mutex.lock());
        assert!(is_pending(lock.as_mut(), &waker));
        drop(waker);
        drop(guard);
        assert!(!is_pending(lock, Waker::noop()));
    }
}

#[test]
fn notify_waker_that_notifies() {
    for on in BOTH {
        let notify = Arc::new(Notify::new());
        let again = notify.clone();
        let waker = Reenter::waker(on, move || again.notify_one());
        let mut notified = pin!(notify.notified());
        assert!(is_pending(notified.as_mut(), &waker));
        drop(waker);
        notify.notify_waiters();
        assert!(!is_pending(notified, Waker::noop()));
        assert!(!is_pending(notify.notified(), Waker::noop()), "the permit that the waker left");
    }
}

#[test]
fn a_waker_that_panics_costs_the_others_nothing() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker that panics");
        }
    }
    let notify = Notify::new();
    let (waker, count) = new_count_waker();
    let mut waiters: Vec<_> = (0..4).map(|_| Box::pin(notify.notified())).collect();
    for (waiter, waker) in
        waiters.iter_mut().zip([&Panics.into_waker(), &waker, &Panics.into_waker(), &waker])
    {
        assert!(waiter.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| notify.notify_waiters())).is_err());
    assert_eq!(count.get(), 2);
    for waiter in &mut waiters {
        assert_eq!(waiter.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()));
    }
}

#[test]
fn a_wake_that_panics_and_a_drop_that_panics_are_one_panic() {
    let (mut sender, mut receiver) = oneshot::channel();
    let replaced = Reenter::waker(On::Drop, || panic!("the sender's waker, dropped"));
    let woken = Reenter::waker(On::Wake, || panic!("the receiver's waker, woken"));
    assert!(sender.poll_closed(&mut Context::from_waker(&replaced)).is_pending());
    assert!(is_pending(&mut receiver, &woken));
    drop((replaced, woken));
    // Both are let go: a second panic while the first unwinds would end the process.
    let payload = catch_unwind(AssertUnwindSafe(|| sender.send(1))).unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "the receiver's waker, woken");
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn a_wake_that_panics_while_another_panic_unwinds_is_contained() {
    let panics = || Reenter::waker(On::Wake, || panic!("a waker that panics"));
    let (mutex, semaphore, notify) = (Mutex::new(()), Semaphore::new(1), Notify::new());
    let (sender, mut receiver) = mpsc::unbounded_channel::<()>();
    let guards = (mutex.try_lock().unwrap(), semaphore.try_acquire().unwrap(), sender);
    let mut waiters = (pin!(mutex.lock()), pin!(semaphore.acquire()), pin!(receiver.recv()));
    assert!(is_pending(waiters.0.as_mut(), &panics()));
    assert!(is_pending(waiters.1.as_mut(), &panics()));
    assert!(is_pending(waiters.2.as_mut(), &panics()));
    let mut told = Box::pin(notify.notified());
    let mut next = pin!(notify.notified());
    assert!(is_pending(told.as_mut(), Waker::noop()) && is_pending(next.as_mut(), &panics()));
    notify.notify_one();
    let payload = catch_unwind(AssertUnwindSafe(move || {
        let _released_while_it_unwinds = (guards, told);
        panic!("the first");
    }));
    assert_eq!(*payload.unwrap_err().downcast::<&str>().unwrap(), "the first");
    // All was released, though each wake panicked.
    let noop = Waker::noop();
    assert!(!is_pending(waiters.0, noop) && !is_pending(waiters.1, noop) && !is_pending(waiters.2, noop));
    assert!(!is_pending(next, noop));
}

/// The panics of several wakes are one, and the others' payloads are dropped: foreign code again.
#[test]
fn payloads_that_panic_when_they_are_dropped_cost_nobody_the_wake() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a payload that panics");
        }
    }
    let notify = Notify::new();
    let (waker, count) = new_count_waker();
    let bombs = || Reenter::waker(On::Wake, || std::panic::panic_any(Bomb));
    let mut waiters: Vec<_> = (0..4).map(|_| Box::pin(notify.notified())).collect();
    for (waiter, waker) in waiters.iter_mut().zip([bombs(), bombs(), bombs(), waker]) {
        assert!(is_pending(waiter.as_mut(), &waker));
    }
    let payload = catch_unwind(AssertUnwindSafe(|| notify.notify_waiters())).unwrap_err();
    std::mem::forget(payload.downcast::<Bomb>().unwrap());
    assert_eq!(count.get(), 1);
}

#[test]
fn values_that_panic_when_they_are_dropped_cost_the_senders_nothing() {
    struct Panics(bool);
    impl Drop for Panics {
        fn drop(&mut self) {
            assert!(!self.0, "a value that panics");
        }
    }
    let (sender, receiver) = mpsc::channel(1);
    sender.try_send(Panics(true)).ok().unwrap();
    let (waker, count) = new_count_waker();
    let mut waiting = pin!(sender.send(Panics(false)));
    assert!(is_pending(waiting.as_mut(), &waker));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(receiver))).is_err());
    assert_eq!(count.get(), 1);
    match waiting.poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(Err(error)) => assert!(!error.0.0),
        _ => panic!("the sender must have its value back"),
    }
    assert!(sender.is_closed());
}

trait IntoWaker {
    fn into_waker(self) -> Waker;
}

impl<W: Wake + Send + Sync + 'static> IntoWaker for W {
    fn into_waker(self) -> Waker {
        Waker::from(Arc::new(self))
    }
}
