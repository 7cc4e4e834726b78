//! What the swim lanes of a failing execution say, kind by kind.

use std::future::poll_fn;
use std::panic::catch_unwind;
use std::task::{Poll, Waker};

use interleave::cell::{Cell, UnsafeCell};
use interleave::future::block_on;
use interleave::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use interleave::sync::{Arc, Condvar, Mutex};
use interleave::{Failure, Kind, Model, thread};

fn failure(body: impl Fn() + Send + Sync + 'static) -> Failure {
    Model::new("broken").explore(body).expect_err("this model must fail")
}

/// The lanes without the title, and without the place of each step: lines shift.
fn lanes(failure: &Failure) -> Vec<String> {
    let text = failure.text();
    let without_place = |line: &str| match line.rfind("   ") {
        Some(end) if line.contains(".rs:") => line[..end].trim_end().to_owned(),
        _ => line.trim_end().to_owned(),
    };
    text.lines().skip(2).map(without_place).collect()
}

#[test]
fn a_lost_update_step_by_step() {
    let failure = Model::new("lost update").preemption_bound(1).explore(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let theirs = count.clone();
        let adding = thread::spawn(move || theirs.store(theirs.load(Relaxed) + 1, Relaxed));
        count.store(count.load(Relaxed) + 1, Relaxed);
        adding.join().unwrap();
        assert!(count.load(Relaxed) == 2, "one is lost");
    });
    let failure = failure.unwrap_err();
    assert_eq!(failure.kind, Kind::Panic);
    assert_eq!(failure.summary(), "lost update FAILED (execution 1): panic: one is lost");
    let expected = "       main                                          | adding
     ------------------------------------------------+------------------------------------------------
    1  spawn adding                                  |
    2  count.load(Relaxed) -> 0                      |
         as it was made                              |
    3  count.store(1, Relaxed)                       |
    4                                                | count.load(Relaxed) -> 0
                                                     |   as it was made (stale: 1 is there, by main,
                                                     |   step 3)
>   5                                                | count.store(1, Relaxed)
>   6                                                | ends
>   7  join adding                                   |
>   8  count.load(Relaxed) -> 1                      |
         by adding, step 5                           |
!   9  panics                                        |
         one is lost                                 |";
    assert_eq!(lanes(&failure), expected.lines().collect::<Vec<_>>());
    assert!(
        failure.text().contains("interleave/tests/lanes.rs:") || failure.text().contains("tests/lanes.rs:")
    );
}

#[test]
fn a_deadlock_tells_who_holds_what() {
    let failure = failure(|| {
        let (first, second) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let theirs = (first.clone(), second.clone());
        let other = thread::spawn(move || {
            let _first = theirs.0.lock().unwrap();
            let _second = theirs.1.lock().unwrap();
        });
        {
            let _second = second.lock().unwrap();
            let _first = first.lock().unwrap();
        }
        other.join().unwrap();
    });
    assert_eq!(failure.kind, Kind::Deadlock);
    let expected = [
        "!   4  first.lock(): never returns  |",
        "         held by other, step 3      |",
        "!   5                               | second.lock(): never returns",
        "                                    |   held by main, step 2",
    ];
    assert_eq!(lanes(&failure)[5..], expected);
}

#[test]
fn a_notification_that_comes_too_early_is_missed() {
    let failure = failure(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let theirs = shared.clone();
        let telling = thread::spawn(move || {
            theirs.1.notify_one();
            *theirs.0.lock().unwrap() = true;
        });
        let (ready, changed) = &*shared;
        drop(changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap());
        telling.join().unwrap();
    });
    assert_eq!(failure.kind, Kind::Deadlock);
    let text = failure.text();
    assert!(text.contains("shared.1.wait(): never returns"), "{text}");
    assert!(text.contains("no thread will notify it"), "{text}");
}

#[test]
fn a_wait_is_recorded_where_loom_performs_it() {
    // The notification falls between the look at the token and the wait.
    let failure = failure(|| {
        let (token, lock) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(())));
        let changed = Arc::new(Condvar::new());
        let theirs = (token.clone(), changed.clone());
        let unparking = thread::spawn(move || {
            theirs.0.swap(true, AcqRel);
            theirs.1.notify_one();
        });
        let mut guard = lock.lock().unwrap();
        while !token.swap(false, AcqRel) {
            guard = changed.wait(guard).unwrap();
        }
        drop(guard);
        unparking.join().unwrap();
    });
    assert_eq!(failure.kind, Kind::Deadlock);
    let lanes = lanes(&failure);
    let row = |text: &str| lanes.iter().position(|line| line.contains(text)).expect(text);
    assert!(row("changed.notify_one()") < row("changed.wait()"), "{lanes:#?}");
    assert_eq!(row("no thread is waiting"), row("changed.notify_one()") + 1, "{lanes:#?}");
}

#[test]
fn a_notification_names_the_thread_that_it_wakes() {
    let failure = failure(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let theirs = shared.clone();
        let waiting = thread::spawn(move || {
            let mut number = theirs.0.lock().unwrap();
            while *number == 0 {
                number = theirs.1.wait(number).unwrap();
            }
            panic!("woken");
        });
        thread::yield_now();
        *shared.0.lock().unwrap() = 1;
        shared.1.notify_all();
        waiting.join().unwrap();
    });
    let text = failure.text();
    assert!(text.contains("shared.1.notify_all()") && text.contains("wakes waiting"), "{text}");
}

#[test]
fn a_yield_stands_before_what_it_lets_through() {
    let failure = failure(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let theirs = flag.clone();
        let setting = thread::spawn(move || theirs.store(true, Release));
        thread::yield_now();
        assert!(!flag.load(Acquire));
        setting.join().unwrap();
    });
    let lanes = lanes(&failure);
    let row = |text: &str| lanes.iter().position(|line| line.contains(text)).expect(text);
    assert!(row("yield_now()") < row("flag.store(true, Release)"), "{lanes:#?}");
}

#[test]
fn a_permit_that_is_there_already_is_no_sleep() {
    let failure = failure(|| {
        thread::current().unpark();
        thread::park();
        thread::park();
    });
    let lanes = lanes(&failure);
    let rows = |text: &str| lanes.iter().filter(|line| line.contains(text)).count();
    assert_eq!(
        (rows("park() returns"), rows("park() sleeps"), rows("park: never returns")),
        (1, 1, 1),
        "{lanes:#?}"
    );
}

#[test]
fn a_lost_wake_up_ends_with_a_sleep() {
    let failure = failure(|| {
        let shared = Arc::new((AtomicBool::new(false), Mutex::new(None::<Waker>)));
        let theirs = shared.clone();
        let waking = thread::spawn(move || {
            theirs.0.store(true, SeqCst);
            if let Some(waker) = theirs.1.lock().unwrap().take() {
                waker.wake();
            }
        });
        block_on(poll_fn(|cx| {
            if shared.0.load(SeqCst) {
                return Poll::Ready(());
            }
            // After the check: a thread that stored the flag in between has found no waker.
            *shared.1.lock().unwrap() = Some(cx.waker().clone());
            Poll::Pending
        }));
        waking.join().unwrap();
    });
    assert_eq!(failure.kind, Kind::Deadlock);
    let lanes = lanes(&failure);
    let last: Vec<&str> = lanes.iter().rev().take(2).map(|line| line.trim()).collect();
    assert!(last[1].contains("sleep until woken: never returns"), "{lanes:#?}");
    assert!(last[0].contains("no thread will call its waker"), "{lanes:#?}");
}

#[test]
fn a_data_race_names_both_sides() {
    let failure = failure(|| {
        let data = Arc::new(Cell::new(1));
        let theirs = data.clone();
        let writing = thread::spawn(move || theirs.set(2));
        data.get();
        writing.join().unwrap();
    });
    assert_eq!(failure.kind, Kind::Race);
    let expected =
        ["!   3                                               | data.set()", "data race with step 2 of main"];
    let lanes = lanes(&failure);
    assert!(lanes[4].starts_with("!   3") && lanes[4].ends_with("| data.set()"), "{expected:?}: {lanes:#?}");
    assert!(lanes[5].contains(expected[1]), "{lanes:#?}");
}

#[test]
fn a_data_race_through_a_raw_pointer_names_both_sides() {
    let failure = failure(|| {
        let value = Arc::new(UnsafeCell::new(0));
        let theirs = value.clone();
        let writing = thread::spawn(move || theirs.with_mut(|value| assert!(!value.is_null())));
        value.with(|value| assert!(!value.is_null()));
        writing.join().unwrap();
    });
    assert_eq!(failure.kind, Kind::Race);
    let text = words(&failure.text());
    assert!(text.contains("value.with()") && text.contains("value.with_mut()"), "{text}");
    assert!(text.contains("data race with step 2 of main"), "{text}");
}

#[test]
fn readers_of_a_raw_pointer_are_no_data_race() {
    let passes = Model::new("read").explore(|| {
        let value = Arc::new(UnsafeCell::new(7));
        let theirs = value.clone();
        let reading = thread::spawn(move || theirs.with(|value| assert!(!value.is_null())));
        value.with(|value| assert!(!value.is_null()));
        reading.join().unwrap();
        assert_eq!(Arc::try_unwrap(value).unwrap().into_inner(), 7);
    });
    assert!(passes.is_ok(), "{}", passes.unwrap_err());
}

#[test]
fn a_leak_names_the_handle_that_is_left() {
    struct Task {
        itself: Mutex<Option<Arc<Task>>>,
    }
    let failure = failure(|| {
        let task = Arc::new(Task { itself: Mutex::new(None) });
        let dropped = task.clone();
        *task.itself.lock().unwrap() = Some(task.clone());
        drop(dropped);
    });
    assert_eq!(failure.kind, Kind::Leak);
    let failed: Vec<String> = lanes(&failure).into_iter().filter(|line| line.starts_with('!')).collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].contains("never dropped: a handle of task, cloned here"), "{failed:?}");
}

#[test]
fn a_waker_that_is_kept_for_ever_is_a_leak() {
    let failure = failure(|| {
        block_on(poll_fn(|cx| {
            std::mem::forget(cx.waker().clone());
            Poll::Ready(())
        }))
    });
    assert_eq!(failure.kind, Kind::Leak);
}

/// The failure of a thread that waits in a loop for a flag.
fn spinning(wait: fn()) -> Failure {
    let model = Model::new("spins").max_branches(200);
    let failure = model.explore(move || {
        let flag = Arc::new(AtomicBool::new(false));
        let theirs = flag.clone();
        let setting = thread::spawn(move || theirs.store(true, Release));
        while !flag.load(Acquire) {
            wait();
            assert!(!flag.swap(false, Relaxed), "the flag was lost");
        }
        setting.join().unwrap();
    });
    failure.unwrap_err()
}

/// A text as one line, without the strokes between its columns.
fn words(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "|").collect::<Vec<_>>().join(" ")
}

#[test]
fn a_loop_that_need_not_end_is_shown_once_and_told_to_yield() {
    let failure = spinning(|| {});
    assert_eq!(failure.kind, Kind::Endless);
    let text = failure.text();
    assert!(text.lines().count() < 25, "{text}");
    assert!(words(&text).contains("these 2 steps again, 47 times steps 6 to 99"), "{text}");
    assert!(words(&text).contains("goes round in circles"), "{text}");
    assert!(words(&text).contains("must call thread::yield_now"), "{text}");
    for picture in [failure.html(), failure.svg()] {
        assert!(picture.contains("these 2 steps again, 47 times"), "{picture}");
        assert_eq!(picture.matches("flag.load(Acquire) -&gt; false").count(), 3, "{picture}");
    }
}

#[test]
fn a_loop_that_yields_is_not_told_to() {
    let failure = Model::new("waits in vain").max_branches(200).explore(|| {
        let flag = Arc::new(AtomicBool::new(false));
        while !flag.load(Acquire) {
            thread::yield_now();
        }
    });
    let text = words(&failure.unwrap_err().text());
    assert!(text.contains("these 2 steps again, ") && text.contains("it does yield"), "{text}");
    assert!(!text.contains("must call"), "{text}");
}

#[test]
fn what_differs_is_not_folded() {
    let failure = failure(|| {
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..5 {
            count.fetch_add(1, Relaxed);
        }
        (0..2).for_each(|_| _ = count.load(Relaxed));
        (0..2).for_each(|_| _ = count.load(Acquire));
        panic!("at the end");
    });
    let text = failure.text();
    assert!(!text.contains("again"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains(".rs:")).count(), 10, "{text}");
}

#[test]
fn a_step_that_was_folded_can_still_be_named() {
    let failure = failure(|| {
        let (turn, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let theirs = (turn.clone(), seen.clone());
        let writing = thread::spawn(move || {
            (0..5).for_each(|_| theirs.0.store(7, Relaxed));
            theirs.1.store(true, Release);
        });
        if seen.load(Acquire) {
            assert_ne!(turn.load(Relaxed), 7);
        }
        writing.join().unwrap();
    });
    let text = words(&failure.text());
    assert!(text.contains("this step again, 4 times steps 3 to 6"), "{text}");
    assert!(text.contains("by writing, step 6"), "{text}");
    let html = failure.html();
    assert!(html.contains("<a href=\"#s3\">step 6</a>") && html.contains("<tr id=\"s3\""), "{html}");
}

#[test]
fn a_value_that_was_written_twice_is_one_of_the_two() {
    let failure = failure(|| {
        let (value, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let theirs = (value.clone(), done.clone());
        let writing = thread::spawn(move || {
            theirs.0.store(1, Relaxed);
            theirs.0.store(1, Relaxed);
            theirs.1.store(true, Relaxed);
        });
        // The flag orders nothing, so that both writes can be the one that is read.
        assert!(!done.load(Relaxed) || value.load(Relaxed) != 1);
        writing.join().unwrap();
    });
    let text = failure.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("one of: by writing, step 2; by writing,"), "{text}");
}

#[test]
fn what_must_have_been_seen_is_no_candidate() {
    // Twice the same value; the second write is ordered before the read by the flag, so the first cannot be read.
    let failure = failure(|| {
        let (data, flag) = (Arc::new(AtomicUsize::new(5)), Arc::new(AtomicBool::new(false)));
        let theirs = (data.clone(), flag.clone());
        let writing = thread::spawn(move || {
            theirs.0.store(6, Relaxed);
            theirs.0.store(5, Relaxed);
            theirs.1.store(true, Release);
        });
        if flag.load(Acquire) {
            assert_ne!(data.load(Relaxed), 5);
        }
        writing.join().unwrap();
    });
    let text = failure.text();
    assert!(text.contains("data.load(Relaxed) -> 5"), "{text}");
    assert!(!text.contains("one of"), "{text}");
    assert!(text.contains("by writing, step 3"), "{text}");
}

#[test]
fn a_panic_that_the_model_catches_is_a_step() {
    let passes = Model::new("catches").explore(|| {
        assert!(catch_unwind(|| panic!("on purpose")).is_err());
        interleave::note("and goes on");
    });
    assert_eq!(passes.unwrap().executions, 1);
    let failure = failure(|| {
        assert!(catch_unwind(|| panic!("on purpose")).is_err());
        interleave::note("and goes on");
        panic!("for good");
    });
    let text = failure.text();
    assert!(text.contains("a panic was caught") && text.contains("on purpose"), "{text}");
    assert!(text.contains("and goes on") && failure.message == "for good", "{text}");
}

#[test]
fn page_and_drawing_show_every_step_and_stand_alone() {
    let failure = failure(|| {
        let ready = Arc::new(AtomicBool::new(false));
        let theirs = ready.clone();
        let setting = thread::spawn(move || theirs.store(true, Relaxed));
        assert!(!ready.load(Relaxed), "<seen & shown>");
        setting.join().unwrap();
    });
    let (html, svg) = (failure.html(), failure.svg());
    for picture in [&html, &svg] {
        assert!(picture.contains("ready.load(Relaxed) -&gt; true"), "{picture}");
        assert!(picture.contains("&lt;seen &amp; shown&gt;") && !picture.contains("<seen"), "{picture}");
        assert!(picture.contains("class=\"failure\"") && picture.contains("class=\"last\""), "{picture}");
        assert!(picture.contains("prefers-color-scheme:dark"));
        assert!(!picture.contains("<script") && !picture.contains("url("), "{picture}");
    }
    assert_eq!(
        html.matches("<tr id=").count(),
        failure.text().lines().filter(|l| l.contains(".rs:")).count()
    );
    assert!(svg.contains("class=\"from\""), "an arrow from the write to the read: {svg}");
}

#[test]
fn who_is_woken_may_run_before_the_lock_is_free() {
    let failure = failure(|| {
        let result = Arc::new(Mutex::new((false, None::<Waker>)));
        let theirs = result.clone();
        let working = thread::spawn(move || {
            let mut result = theirs.lock().unwrap();
            result.0 = true;
            if let Some(waker) = result.1.take() {
                waker.wake();
            }
        });
        block_on(poll_fn(|cx| match result.try_lock() {
            Ok(result) if result.0 => Poll::Ready(()),
            Ok(mut result) => {
                result.1 = Some(cx.waker().clone());
                Poll::Pending
            }
            // No thread has been given this waker, so this poll may not return `Pending`.
            Err(_) => Poll::Pending,
        }));
        working.join().unwrap();
    });
    assert_eq!(failure.kind, Kind::Deadlock);
    assert!(failure.text().contains("result.try_lock() -> it is held"), "{}", failure.text());
}
