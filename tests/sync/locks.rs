//! `sync::Semaphore` and `sync::Mutex`, polled by hand.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cotask::sync::{
    AcquireError, Mutex, MutexGuard, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError,
};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok};

#[test]
fn locks_and_what_they_hand_out_cross_threads() {
    fn crosses_threads<T: Send + Sync>() {}
    fn moves<T: Send>(_: T) {}
    crosses_threads::<Semaphore>();
    crosses_threads::<SemaphorePermit<'static>>();
    crosses_threads::<OwnedSemaphorePermit>();
    crosses_threads::<Mutex<std::cell::Cell<u8>>>();
    crosses_threads::<MutexGuard<'static, u8>>();
    let mutex = Mutex::new(std::cell::Cell::new(0));
    moves(mutex.lock());
}

#[test]
fn permits_are_counted() {
    let semaphore = Semaphore::new(3);
    let one = assert_ready_ok!(spawn(semaphore.acquire()).poll());
    let two = assert_ready_ok!(spawn(semaphore.acquire_many(2)).poll());
    assert_eq!((one.num_permits(), two.num_permits(), semaphore.available_permits()), (1, 2, 0));
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    drop(two);
    assert_eq!(semaphore.available_permits(), 2);
    one.forget();
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn waiters_are_served_in_the_order_in_which_they_came() {
    let semaphore = Semaphore::new(0);
    let mut waiters: Vec<_> = (0..4).map(|_| spawn(semaphore.acquire())).collect();
    for waiter in &mut waiters {
        assert_pending!(waiter.poll());
    }
    for i in 0..4 {
        semaphore.add_permits(1);
        let woken: Vec<bool> = waiters.iter().map(|waiter| waiter.is_woken()).collect();
        assert_eq!(woken, (0..4).map(|waiter| waiter == i).collect::<Vec<_>>());
        assert_ready_ok!(waiters[i].poll()).forget();
    }
}

#[test]
fn who_wants_many_is_not_overtaken_by_those_who_want_few() {
    let semaphore = Semaphore::new(2);
    let mut many = spawn(semaphore.acquire_many(3));
    assert_pending!(many.poll());
    let mut few = spawn(semaphore.acquire());
    assert_pending!(few.poll());
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    semaphore.add_permits(1);
    assert!(many.is_woken() && !few.is_woken());
    drop(assert_ready_ok!(many.poll()));
    assert!(few.is_woken());
    drop(assert_ready_ok!(few.poll()));
}

#[test]
fn a_queued_waiter_that_is_dropped_lets_those_behind_it_go_on() {
    let semaphore = Semaphore::new(2);
    let (mut many, mut few) = (spawn(semaphore.acquire_many(3)), spawn(semaphore.acquire()));
    assert_pending!(many.poll());
    assert_pending!(few.poll());
    drop(many);
    assert!(few.is_woken());
    drop(assert_ready_ok!(few.poll()));
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn a_granted_waiter_that_is_dropped_passes_its_permits_on() {
    let semaphore = Semaphore::new(0);
    let (mut first, mut second) = (spawn(semaphore.acquire_many(2)), spawn(semaphore.acquire()));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    semaphore.add_permits(2);
    assert!(first.is_woken() && !second.is_woken());
    drop(first);
    assert!(second.is_woken());
    assert_ready_ok!(second.poll()).forget();
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn permits_added_at_once_wake_everybody_they_suffice_for() {
    let semaphore = Semaphore::new(0);
    let mut waiters: Vec<_> = (0..5).map(|_| spawn(semaphore.acquire())).collect();
    for waiter in &mut waiters {
        assert_pending!(waiter.poll());
    }
    semaphore.add_permits(4);
    assert_eq!(
        waiters.iter().map(|waiter| waiter.is_woken()).collect::<Vec<_>>(),
        [true, true, true, true, false]
    );
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn close_turns_away_who_waits_and_who_comes_but_not_who_was_granted() {
    let semaphore = Semaphore::new(1);
    let held = semaphore.try_acquire().unwrap();
    let (mut granted, mut queued) = (spawn(semaphore.acquire()), spawn(semaphore.acquire()));
    assert_pending!(granted.poll());
    assert_pending!(queued.poll());
    drop(held);
    semaphore.close();
    assert!(queued.is_woken());
    drop(assert_ready_ok!(granted.poll()));
    assert_eq!(assert_ready_err!(queued.poll()), AcquireError);
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    assert_ready_err!(spawn(semaphore.acquire()).poll());
}

#[test]
fn an_owned_permit_comes_back_too() {
    let semaphore = Arc::new(Semaphore::new(1));
    let permit = semaphore.clone().try_acquire_owned().unwrap();
    let mut next = spawn(semaphore.clone().acquire_owned());
    assert_pending!(next.poll());
    drop(permit);
    assert_ready_ok!(next.poll()).forget();
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn too_many_permits_panic_and_change_nothing() {
    let semaphore = Semaphore::new(1);
    let panic = catch_unwind(AssertUnwindSafe(|| semaphore.add_permits(Semaphore::MAX_PERMITS))).unwrap_err();
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("add_permits"), "{message}");
    assert_eq!(semaphore.available_permits(), 1);
    assert!(semaphore.try_acquire().is_ok());
}

#[test]
fn the_lock_is_handed_over_in_order_with_the_value() {
    let mutex = Mutex::new(vec![0]);
    let guard = mutex.try_lock().unwrap();
    let (mut first, mut second) = (spawn(mutex.lock()), spawn(mutex.lock()));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(guard);
    assert!(first.is_woken() && !second.is_woken());
    assert!(mutex.try_lock().is_err(), "granted to the first, which has not run yet");
    assert_ready!(first.poll()).push(1);
    assert!(second.is_woken());
    assert_ready!(second.poll()).push(2);
    drop((first, second));
    assert_eq!(mutex.into_inner(), [0, 1, 2]);
}

#[test]
fn a_granted_lock_that_is_dropped_goes_to_the_next() {
    let mutex = Mutex::new(7);
    let guard = mutex.try_lock().unwrap();
    let (mut first, mut second) = (spawn(mutex.lock()), spawn(mutex.lock()));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(guard);
    drop(first);
    assert!(second.is_woken());
    assert_eq!(*assert_ready!(second.poll()), 7);
}

#[test]
fn a_panic_under_the_lock_leaves_value_and_lock_behind() {
    let mutex = Mutex::new(1);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = mutex.try_lock().unwrap();
        *guard = 2;
        panic!("under the lock");
    }));
    assert!(result.is_err());
    assert_eq!(*mutex.try_lock().unwrap(), 2);
}

#[test]
fn debug_shows_the_value_or_that_it_is_locked() {
    let mut mutex = Mutex::new(7);
    *mutex.get_mut() += 1;
    assert_eq!(format!("{mutex:?}"), "Mutex { value: 8 }");
    let guard = mutex.try_lock().unwrap();
    assert_eq!(format!("{guard:?} {mutex:?}"), "8 Mutex { value: <locked> }");
}
