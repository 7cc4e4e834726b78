//! Programs that are right, and that loom alone calls wrong or does not survive; and what this package says where it
//! cannot make up for loom.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use interleave::sync::atomic::{AtomicUsize, Ordering::*};
use interleave::sync::{Arc, Condvar, Mutex, RwLock};
use interleave::{Explored, Failure, Kind, Model, thread, unpoisoned};

fn explore(body: impl Fn() + Send + Sync + 'static) -> Result<Explored, Failure> {
    Model::new("limit").explore(body)
}

fn holds(body: impl Fn() + Send + Sync + 'static) -> usize {
    explore(body).unwrap_or_else(|failure| panic!("{}", failure.text())).executions
}

#[test]
fn an_unpark_of_a_thread_that_waits_for_a_lock_is_kept() {
    let executions = holds(|| {
        let lock = Arc::new(Mutex::new(0));
        let theirs = lock.clone();
        let parking = thread::spawn(move || {
            *theirs.lock().unwrap() += 1;
            thread::park();
        });
        let mut number = lock.lock().unwrap();
        parking.thread().unpark();
        *number += 1;
        drop(number);
        parking.join().unwrap();
    });
    assert!(executions > 1);
}

#[test]
fn an_unpark_of_a_thread_that_waits_on_a_condition_variable_is_kept() {
    let executions = holds(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let theirs = shared.clone();
        let parking = thread::spawn(move || {
            let mut ready = theirs.0.lock().unwrap();
            while !*ready {
                ready = theirs.1.wait(ready).unwrap();
            }
            drop(ready);
            thread::park();
        });
        parking.thread().unpark();
        *shared.0.lock().unwrap() = true;
        shared.1.notify_one();
        parking.join().unwrap();
    });
    assert!(executions > 1);
}

#[test]
fn an_unpark_of_a_thread_that_joins_is_kept() {
    holds(|| {
        let main = thread::current();
        let unparking = thread::spawn(move || main.unpark());
        unparking.join().unwrap();
        thread::park();
    });
}

#[test]
fn a_token_given_twice_is_one_token() {
    // Both before the first `park`: the second sleeps without end. That order must be among those explored.
    let failure = explore(|| {
        let parking = thread::spawn(|| {
            thread::park();
            thread::park();
        });
        parking.thread().unpark();
        parking.thread().unpark();
        parking.join().unwrap();
    });
    assert_eq!(failure.unwrap_err().kind, Kind::Deadlock);
}

#[test]
fn what_was_written_before_an_unpark_is_seen_after_the_park() {
    holds(|| {
        let data = Arc::new(AtomicUsize::new(0));
        let (theirs, main) = (data.clone(), thread::current());
        let writing = thread::spawn(move || {
            theirs.store(1, Relaxed);
            main.unpark();
        });
        thread::park();
        assert_eq!(data.load(Relaxed), 1);
        writing.join().unwrap();
    });
}

#[test]
fn an_unpark_orders_nothing_for_a_thread_that_does_not_park() {
    // Loom itself hands over what the unparking thread has seen at once, so that this passes there.
    let failure = explore(|| {
        let (data, flag) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (theirs, main) = ((data.clone(), flag.clone()), thread::current());
        let writing = thread::spawn(move || {
            theirs.0.store(1, Relaxed);
            main.unpark();
            theirs.1.store(1, Relaxed);
        });
        if flag.load(Relaxed) == 1 {
            assert_eq!(data.load(Relaxed), 1);
        }
        writing.join().unwrap();
    });
    assert_eq!(failure.unwrap_err().kind, Kind::Panic);
}

/// A lock whose holder panics, by a thread that catches it and by one that waits meanwhile.
#[test]
fn a_mutex_whose_holder_panicked_is_poisoned_and_free() {
    let executions = holds(|| {
        let number = Arc::new(Mutex::new(0));
        let theirs = number.clone();
        let other =
            thread::spawn(move || *theirs.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += 1);
        let result = catch_unwind(AssertUnwindSafe(|| {
            *number.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += 1;
            let _guard = number.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            panic!("under the lock");
        }));
        assert!(result.is_err());
        assert!(number.lock().is_err(), "poisoned");
        other.join().unwrap();
        assert_eq!(*number.lock().unwrap_err().into_inner(), 2);
    });
    assert!(executions > 1);
}

#[test]
fn a_lock_without_poisoning_goes_on_after_a_panic() {
    let executions = holds(|| {
        let number = Arc::new((unpoisoned::Mutex::new(0), unpoisoned::RwLock::new(0)));
        let theirs = number.clone();
        let other = thread::spawn(move || {
            *theirs.0.lock() += 1;
            *theirs.1.write() += 1;
        });
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _first = number.0.lock();
            let _second = number.1.write();
            panic!("under both");
        }));
        assert!(caught.is_err());
        *number.0.lock() += 1;
        assert!(*number.1.read() <= 1);
        other.join().unwrap();
        assert_eq!((*number.0.lock(), *number.1.read()), (2, 1));
    });
    assert!(executions > 1);
}

#[test]
fn a_destructor_may_lock_what_its_own_panic_unlocked() {
    struct Adds(Arc<unpoisoned::Mutex<usize>>);
    impl Drop for Adds {
        fn drop(&mut self) {
            *self.0.lock() += 1;
            *self.0.lock() += 1;
        }
    }
    holds(|| {
        let number = Arc::new(unpoisoned::Mutex::new(0));
        let adds = Adds(number.clone());
        let caught = catch_unwind(AssertUnwindSafe(move || {
            let adds = adds;
            let _guard = adds.0.lock();
            panic!("under the lock");
        }));
        assert!(caught.is_err());
        assert_eq!(*number.lock(), 2);
    });
}

#[test]
fn a_second_read_guard_in_one_thread_is_a_limit_that_is_named() {
    for second in
        [|lock: &RwLock<usize>| *lock.read().unwrap(), |lock: &RwLock<usize>| *lock.try_read().unwrap()]
    {
        let failure = explore(move || {
            let lock = RwLock::new(7);
            let first = lock.read().unwrap();
            assert_eq!(*first, second(&lock));
        });
        let failure = failure.unwrap_err();
        assert_eq!(failure.kind, Kind::Limit);
        assert!(failure.message.contains("a thread that holds a read guard of a lock"), "{failure}");
    }
    let executions = holds(|| {
        let lock = Arc::new(RwLock::new(7));
        let theirs = lock.clone();
        let other = thread::spawn(move || *theirs.read().unwrap());
        let first = *lock.read().unwrap();
        let second = *lock.read().unwrap();
        assert_eq!((first, second, other.join().unwrap()), (7, 7, 7));
    });
    assert!(executions >= 1, "one after the other is no limit, nor are two threads");
}

#[test]
fn a_sixth_thread_is_a_limit_that_is_named() {
    let failure = explore(|| {
        let threads = [0; 5].map(|_| thread::spawn(|| {}));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    let failure = failure.unwrap_err();
    assert_eq!(failure.kind, Kind::Limit);
    assert!(failure.message.contains("five threads"), "{failure}");
}

#[test]
fn a_limit_that_the_model_catches_is_one_all_the_same() {
    let failure = explore(|| {
        let lock = RwLock::new(7);
        let _first = lock.read().unwrap();
        let _ = catch_unwind(AssertUnwindSafe(|| lock.read().map(drop)));
    });
    assert_eq!(failure.unwrap_err().kind, Kind::Limit);
}

/// The counts that are seen in all executions while another thread clones a handle and drops both.
fn counts(before: fn()) -> Vec<usize> {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let counts = seen.clone();
    holds(move || {
        let value = Arc::new(());
        let theirs = value.clone();
        let dropping = thread::spawn(move || {
            let third = theirs.clone();
            drop(theirs);
            drop(third);
        });
        before();
        counts.lock().unwrap().insert(Arc::strong_count(&value));
        dropping.join().unwrap();
        assert_eq!(Arc::strong_count(&value), 1);
    });
    seen.lock().unwrap().iter().copied().collect()
}

#[test]
fn a_count_of_handles_is_seen_before_and_after_another_threads_clones_and_drops() {
    for before in [|| {}, thread::yield_now as fn()] {
        assert_eq!(counts(before), [1, 2, 3]);
    }
}

#[test]
fn words_of_the_models_own_are_no_failure_of_looms() {
    let all = [
        "deadlock detector: cycle a -> b -> a",
        "Causality violation: b before a",
        "Arc leaked. So says the model",
        "exceeded maximum number of branches of the tree",
        "loom itself gave up",
    ];
    for words in all {
        let failure = explore(move || panic!("{words}")).unwrap_err();
        assert_eq!((failure.kind, failure.message.as_str()), (Kind::Panic, words));
        assert!(failure.text().contains(words.split(':').next().unwrap()), "{}", failure.text());
    }
}

#[test]
fn a_panic_that_was_caught_is_not_the_one_that_is_told() {
    for record in [true, false] {
        let failure = Model::new("caught").recording(record).explore(|| {
            assert!(catch_unwind(|| panic!("the first")).is_err());
            thread::yield_now();
            panic!("the second");
        });
        assert_eq!(failure.unwrap_err().message, "the second");
    }
}
