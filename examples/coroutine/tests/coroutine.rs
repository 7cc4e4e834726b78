//! Coroutines proper: what the documentation of `coroutine` promises.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;

use coroutine::{Coroutine, State, Yielder};

/// Adds one to the counter when it is dropped.
struct CountDrop<'a>(&'a Cell<u32>);

impl Drop for CountDrop<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

fn message<T>(run: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(run)).map(|_| ()).expect_err("this must panic");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().expect("a text").to_string(),
    }
}

async fn echo<T>(co: &mut Yielder<T, T>) {
    while let Some(value) = co.receive().await {
        co.yield_(value).await;
    }
}

#[test]
fn nothing_runs_before_the_first_resume() {
    let started = Cell::new(false);
    let mut co = Coroutine::<u8>::new(async |co| {
        started.set(true);
        co.receive().await;
    });
    assert!(!started.get());
    assert_eq!(co.resume(1), State::Complete(()));
    assert!(started.get());
}

#[test]
fn values_go_in_and_out_in_order_even_when_the_body_lags_behind() {
    let mut twice = Coroutine::new(async |co| {
        while let Some(value) = co.receive().await {
            co.yield_(value).await;
            co.yield_(value * 10).await;
        }
        "end"
    });
    assert_eq!(twice.resume(1), State::Yielded(1));
    // The body still has 10 to yield: 2 and 3 wait for it.
    assert_eq!(twice.resume(2), State::Yielded(10));
    assert_eq!(twice.resume(3), State::Yielded(2));
    assert_eq!(twice.by_ref().collect::<Vec<_>>(), [20, 3, 30]);
    assert_eq!(twice.proceed(), State::Waiting);
    assert_eq!(twice.close(), State::Complete("end"));
}

#[test]
fn close_delivers_what_waits_first() {
    let seen = RefCell::new(Vec::new());
    let mut co = Coroutine::new(async |co| {
        co.yield_("hello").await;
        while let Some(value) = co.receive().await {
            seen.borrow_mut().push(value);
        }
    });
    assert_eq!(co.resume(1), State::Yielded("hello"));
    assert_eq!(co.close(), State::Complete(()));
    assert_eq!(*seen.borrow(), [1]);
}

#[test]
fn a_closed_coroutine_takes_no_value_but_may_yield_its_rest() {
    let mut co = Coroutine::<u8, u8>::new(async |co| {
        while co.receive().await.is_some() {}
        co.yield_(1).await;
        assert_eq!(co.receive().await, None, "closed stays closed");
        co.yield_(2).await;
    });
    assert_eq!(co.close(), State::Yielded(1));
    assert!(message(|| co.resume(9)).contains("closed"));
    assert_eq!(co.proceed(), State::Yielded(2));
    assert_eq!(co.close(), State::Complete(()));
}

#[test]
fn resuming_a_complete_coroutine_panics_and_iterating_it_does_not() {
    let mut co = Coroutine::<u8>::new(async |_| ());
    assert_eq!(co.resume(0), State::Complete(()));
    for _ in 0..2 {
        assert!(message(|| co.resume(1)).contains("completed"));
        assert!(message(|| co.proceed()).contains("completed"));
        assert_eq!(co.next(), None);
    }
    assert!(message(|| co.close()).contains("completed"));
}

#[test]
fn a_panic_comes_out_of_resume_and_drops_the_body() {
    let dropped = Cell::new(0);
    let mut co = Coroutine::<u8, u8>::new(async |co| {
        let _guard = CountDrop(&dropped);
        while let Some(value) = co.receive().await {
            assert!(value < 10, "too big: {value}");
            co.yield_(value).await;
        }
    });
    assert_eq!(co.resume(1), State::Yielded(1));
    assert_eq!(message(|| co.resume(11)), "too big: 11");
    assert_eq!(dropped.get(), 1);
    assert!(co.is_complete());
    assert!(message(|| co.resume(1)).contains("completed"));
}

#[test]
fn dropping_ends_the_body_at_its_await_point() {
    let (dropped, ran_on) = (Cell::new(0), Cell::new(false));
    let mut co = Coroutine::<CountDrop<'_>, ()>::new(async |co| {
        let _guard = CountDrop(&dropped);
        co.yield_(()).await;
        ran_on.set(true);
    });
    assert_eq!(co.resume(CountDrop(&dropped)), State::Yielded(()));
    drop(co);
    assert_eq!(dropped.get(), 2, "the body's variable, and the value it never took");
    assert!(!ran_on.get());
}

#[test]
fn nothing_leaks() {
    let token = Rc::new(());
    let make = || {
        let held = Rc::clone(&token);
        Coroutine::new(async move |co| {
            let _held = held;
            echo(co).await;
        })
    };
    drop(make());
    let mut suspended = make();
    suspended.resume(Rc::clone(&token));
    drop(suspended);
    let mut piped = make().pipe(make());
    piped.resume(Rc::clone(&token));
    drop(piped);
    make().pipe(make()).finish();
    assert_eq!(Rc::strong_count(&token), 1);
}

#[test]
fn a_foreign_future_is_refused_with_a_word() {
    let mut co = Coroutine::<(), ()>::new(async |_| pending::<()>().await);
    assert!(message(|| co.proceed()).contains("runtime"));
    assert!(co.is_complete());

    let mut ready = Coroutine::<(), (), _>::new(async |_| std::future::ready(5).await);
    assert_eq!(ready.proceed(), State::Complete(5));
}

#[test]
fn an_abandoned_yield_still_goes_out_first() {
    let mut co = Coroutine::<(), _>::new(async |co| {
        {
            let mut first = std::pin::pin!(co.yield_(1));
            assert!(poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx))).await.is_pending());
        }
        co.yield_(2).await;
    });
    assert_eq!(co.by_ref().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn an_abandoned_receive_takes_nothing() {
    let mut co = Coroutine::<_, (), _>::new(async |co| {
        drop(co.receive());
        co.receive().await
    });
    assert_eq!(co.resume(1), State::Complete(Some(1)));
}

#[test]
fn a_pipe_passes_values_closes_and_returns() {
    let mut pipeline = Coroutine::new(echo::<u32>).pipe(Coroutine::new(async |co| {
        let mut held = Vec::new();
        while let Some(value) = co.receive().await {
            held.push(value);
            if held.len() == 2 {
                co.yield_(held.iter().sum::<u32>()).await;
                held.clear();
            }
        }
        co.yield_(1000).await;
        held
    }));
    assert_eq!(pipeline.resume(1), State::Waiting);
    assert_eq!(pipeline.resume(2), State::Yielded(3));
    assert_eq!(pipeline.resume(7), State::Waiting);
    assert_eq!(pipeline.close(), State::Yielded(1000));
    assert_eq!(pipeline.close(), State::Complete(vec![7]));
}

#[test]
fn a_pipe_ends_when_its_last_stage_has_enough() {
    let dropped = Cell::new(0);
    let endless = Coroutine::<(), _>::new(async |co| {
        let _guard = CountDrop(&dropped);
        for number in 0_u32.. {
            co.yield_(number).await;
        }
    });
    let first_three = Coroutine::new(async |co| {
        for _ in 0..3 {
            let number = co.receive().await.expect("the source is endless");
            co.yield_(number).await;
        }
    });
    let mut pipeline = endless.pipe(first_three);
    assert_eq!(pipeline.by_ref().collect::<Vec<_>>(), [0, 1, 2]);
    assert!(pipeline.is_complete());
    assert_eq!(dropped.get(), 1);
}

#[test]
fn a_coroutine_may_drive_others() {
    let counts = RefCell::new(Vec::new());
    let count = |pattern| {
        let counts = &counts;
        Coroutine::<&str>::new(async move |co| {
            let mut lines = 0;
            while let Some(line) = co.receive().await {
                lines += usize::from(line.contains(pattern));
            }
            counts.borrow_mut().push((pattern, lines));
        })
    };
    let mut targets = [count("a"), count("b"), count("zz")];
    let mut fanout = Coroutine::<&str>::new(async move |co| {
        while let Some(line) = co.receive().await {
            for target in &mut targets {
                target.resume(line);
            }
        }
        targets.into_iter().for_each(Coroutine::finish);
    });
    for line in ["abc", "bcd", "cde", "abd"] {
        assert_eq!(fanout.resume(line), State::Waiting);
    }
    fanout.finish();
    assert_eq!(*counts.borrow(), [("a", 2), ("b", 3), ("zz", 0)]);
}
