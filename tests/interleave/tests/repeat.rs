//! A model must do the same each time: loom comes back to a choice by running it again. What outlives an execution breaks
//! that, and is found before loom meets it.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize as StdUsize;

use interleave::sync::atomic::{AtomicUsize, Ordering::*};
use interleave::sync::{Arc, Mutex};
use interleave::{Explored, Failure, Kind, Model, thread};

fn explore(body: impl Fn() + Send + Sync + 'static) -> Result<Explored, Failure> {
    Model::new("repeated").explore(body)
}

const FIRST_WORDS: &str = "the model took a different path the second time: some state outlives an execution";

fn outlives(body: impl Fn() + Send + Sync + 'static) -> Failure {
    let failure = explore(body).expect_err("something outlives an execution");
    assert_eq!(failure.kind, Kind::Outlives, "{}", failure.text());
    assert!(failure.message.starts_with(FIRST_WORDS), "{failure}");
    failure
}

/// Two threads at one atomic: more than one execution.
fn two_threads() {
    let number = Arc::new(AtomicUsize::new(0));
    let theirs = number.clone();
    let other = thread::spawn(move || theirs.fetch_add(1, AcqRel));
    number.fetch_add(1, AcqRel);
    other.join().unwrap();
}

#[test]
fn a_static_that_is_made_once() {
    let made: OnceLock<()> = OnceLock::new();
    let failure = outlives(move || {
        made.get_or_init(|| drop(Mutex::new(0).lock()));
        two_threads();
    });
    assert_eq!(failure.execution, 2);
    assert!(failure.message.contains("lock"), "it says what was begun the first time: {failure}");
}

#[test]
fn a_counter_outside_of_the_model() {
    let counter = StdUsize::new(0);
    outlives(move || {
        if counter.fetch_add(1, Relaxed) == 2 {
            AtomicUsize::new(0).load(Relaxed);
        }
        two_threads();
    });
}

#[test]
fn the_order_of_a_hash_map() {
    outlives(|| {
        let numbers: Vec<AtomicUsize> = (0..20).map(AtomicUsize::new).collect();
        for number in (0..20).collect::<HashSet<usize>>() {
            numbers[number].load(Relaxed);
        }
        two_threads();
    });
}

#[test]
fn a_model_that_does_less_the_second_time() {
    let counter = StdUsize::new(0);
    outlives(move || {
        two_threads();
        if counter.fetch_add(1, Relaxed) == 0 {
            AtomicUsize::new(0).load(Relaxed);
        }
    });
}

#[test]
fn a_model_of_one_execution_that_does_more_the_second_time() {
    let counter = StdUsize::new(0);
    outlives(move || {
        if counter.fetch_add(1, Relaxed) > 0 {
            two_threads();
        }
    });
}

#[test]
fn an_assertion_of_what_outlives_an_execution() {
    let counter = StdUsize::new(0);
    let failure = outlives(move || {
        assert_eq!(counter.fetch_add(1, Relaxed), 0, "run twice");
        two_threads();
    });
    assert!(failure.message.contains("run twice"), "{failure}");
    let counter = StdUsize::new(0);
    let failure = outlives(move || assert_eq!(counter.fetch_add(1, Relaxed), 0, "run twice"));
    assert!(failure.message.contains("run twice"), "{failure}");
}

#[test]
fn a_lock_that_outlives_an_execution() {
    for record in [true, false] {
        let lock: OnceLock<Mutex<usize>> = OnceLock::new();
        let body = move || {
            *lock.get_or_init(|| Mutex::new(0)).lock().unwrap() += 1;
            two_threads();
        };
        let failure = Model::new("repeated").recording(record).explore(body).unwrap_err();
        assert_eq!(failure.kind, Kind::Outlives);
        assert!(failure.message.contains("made in an earlier execution"), "{failure}");
    }
}

#[test]
fn a_thread_and_an_arc_that_outlive_an_execution() {
    let main: OnceLock<thread::Thread> = OnceLock::new();
    let failure = outlives(move || {
        main.get_or_init(thread::current).unpark();
        two_threads();
    });
    assert!(failure.message.contains("unpark"), "{failure}");
    // Loom ends an execution after which an `Arc` is left, which is an earlier end.
    let value: OnceLock<Arc<usize>> = OnceLock::new();
    let failure = explore(move || {
        let value = value.get_or_init(|| Arc::new(7));
        assert_eq!(*value.clone(), 7);
    });
    assert_eq!(failure.unwrap_err().kind, Kind::Leak);
}

#[test]
fn a_model_whose_values_differ_and_whose_path_does_not_is_explored() {
    let counter = StdUsize::new(0);
    let explored = explore(move || {
        // An address or a number drawn anew each time is no other path.
        AtomicUsize::new(0).store(counter.fetch_add(1, Relaxed), Relaxed);
        two_threads();
    });
    assert!(explored.unwrap().executions > 1);
}

#[test]
fn a_bug_that_some_executions_have_is_no_state_that_outlives_one() {
    let failure = explore(|| {
        let (sender, receiver) = interleave::sync::mpsc::channel();
        let other = sender.clone();
        let sending = thread::spawn(move || other.send(1).unwrap());
        sender.send(2).unwrap();
        let first = receiver.recv().unwrap();
        if first == 2 {
            AtomicUsize::new(0).load(Relaxed);
        }
        assert_ne!(first, 1, "the other one was faster");
        sending.join().unwrap();
    });
    let failure = failure.unwrap_err();
    assert_eq!(
        (failure.kind, failure.message.contains("was faster")),
        (Kind::Panic, true),
        "{}",
        failure.text()
    );
}
