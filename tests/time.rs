//! Timers through the public API. Mostly in virtual time, where what should take days takes none and every
//! moment is exact; what only the machine's clock can show is last, and never asserts that something was short.

mod probes;

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use cotask::time::{
    Instant, MissedTickBehavior, interval, interval_at, sleep, sleep_until, timeout, timeout_at,
};
use cotask::trace::Event;
use cotask::{Builder, Runtime, block_on, spawn, spawn_blocking, yield_now};
use futures::future::FusedFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use probes::poll_with;

const MS: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(86_400);

fn virtual_runtime() -> Runtime {
    Builder::new().virtual_time().trace(1_000_000).build().unwrap()
}

/// How long `future` takes on the virtual clock.
async fn takes(future: impl Future) -> Duration {
    let start = Instant::now();
    future.await;
    start.elapsed()
}

#[test]
fn a_sleep_takes_as_long_as_it_says_rounded_up_to_the_next_millisecond() {
    virtual_runtime().block_on(async {
        for (asked, taken) in [
            (Duration::ZERO, Duration::ZERO),
            (Duration::from_nanos(1), MS),
            (Duration::from_micros(999), MS),
            (MS, MS),
            (Duration::from_micros(1_001), 2 * MS),
            (63 * MS, 63 * MS),
            (64 * MS, 64 * MS),
            (4_096 * MS, 4_096 * MS),
            (12 * DAY, 12 * DAY),
            (MS * u32::MAX, MS * u32::MAX),
            (Duration::from_millis(1 << 36), Duration::from_millis(1 << 36)),
            (Duration::from_millis((1 << 36) + 1), Duration::from_millis((1 << 36) + 1)),
        ] {
            assert_eq!(takes(sleep(asked)).await, taken, "{asked:?}");
        }
    });
}

#[test]
fn a_deadline_that_is_past_is_over_at_the_first_poll_and_stays_so() {
    virtual_runtime().block_on(async {
        sleep(5 * MS).await;
        let past = Instant::now();
        sleep(5 * MS).await;
        let mut late = sleep_until(past);
        assert!(late.is_elapsed());
        for _ in 0..3 {
            assert!((&mut late).now_or_never().is_some());
        }
        assert_eq!(takes(sleep_until(past)).await, Duration::ZERO);
    });
}

#[test]
fn what_is_beyond_the_clocks_range_never_is_over_and_does_not_move_the_clock() {
    let runtime = virtual_runtime();
    runtime.block_on(async {
        let start = Instant::now();
        let wakes = cotask::sync::Notify::new();
        let forever = sleep(Duration::MAX);
        assert_eq!(forever.deadline(), Instant::FAR_FUTURE);
        // The last deadline that can be named has no tick after it either.
        let edge = sleep(Duration::from_nanos(u64::MAX - 5));
        let never = sleep_until(Instant::FAR_FUTURE);
        let (mut naps, mut notified) = ([forever, edge, never], pin!(wakes.notified()));
        let mut waited = false;
        poll_fn(|cx| {
            for nap in &mut naps {
                assert!(Pin::new(nap).poll(cx).is_pending());
            }
            if !waited {
                // From a plain thread: nothing but the sleep's own end can tell the runtime.
                let waker = cx.waker().clone();
                std::thread::spawn(move || waker.wake());
                waited = true;
                return Poll::Pending;
            }
            assert!(notified.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(naps.iter().all(|nap| !nap.is_elapsed()));
        assert_eq!(timeout(Duration::MAX, async { 1 }).await, Ok(1));
    });
}

#[test]
fn a_far_timer_wakes_the_thread_a_bounded_number_of_times() {
    let runtime = virtual_runtime();
    runtime.block_on(async { sleep(Duration::from_millis((1 << 36) - 1)).await });
    let trace = runtime.take_trace();
    let parked = trace.records.iter().filter(|r| matches!(r.event, Event::Parked { .. })).count();
    assert!(parked <= 7, "{parked} sleeps: one a level of the wheel would do");
}

#[test]
fn timers_fire_by_deadline_and_those_of_one_tick_in_the_order_in_which_they_were_set() {
    virtual_runtime().block_on(async {
        let fired = Rc::new(RefCell::new(Vec::new()));
        let mut tasks = Vec::new();
        for (number, millis) in [300, 5, 70, 5, 300, 4_097, 5, 1].into_iter().enumerate() {
            let fired = Rc::clone(&fired);
            tasks.push(spawn(async move {
                sleep(millis * MS).await;
                fired.borrow_mut().push((millis, number));
            }));
        }
        futures::future::join_all(tasks).await;
        let expected = [(1, 7), (5, 1), (5, 3), (5, 6), (70, 2), (300, 0), (300, 4), (4_097, 5)];
        assert_eq!(*fired.borrow(), expected);
    });
}

#[test]
fn reset_moves_a_deadline_either_way_also_after_the_end() {
    virtual_runtime().block_on(async {
        let start = Instant::now();
        let mut nap = pin!(sleep(100 * MS));
        assert!(poll_with(&mut nap, Waker::noop()).is_pending());
        nap.reset(start + 10 * MS);
        assert_eq!(takes(&mut nap).await, 10 * MS);
        nap.reset(start + 40 * MS);
        assert!(!nap.is_elapsed());
        assert_eq!(takes(&mut nap).await, 30 * MS);
        nap.reset(start + 60 * MS);
        assert!(poll_with(&mut nap, Waker::noop()).is_pending());
        nap.reset(start + 90 * MS);
        assert_eq!(takes(&mut nap).await, 50 * MS);
        nap.reset(start);
        assert_eq!(takes(&mut nap).await, Duration::ZERO);
        nap.reset(Instant::FAR_FUTURE);
        assert!(poll_with(&mut nap, Waker::noop()).is_pending());
        nap.reset(start + 91 * MS);
        assert_eq!(takes(&mut nap).await, MS);
    });
}

#[test]
fn a_timeout_gives_the_answer_or_the_end_whichever_is_first_and_the_answer_at_a_tie() {
    virtual_runtime().block_on(async {
        assert_eq!(timeout(5 * MS, sleep(4 * MS).map(|()| 1)).await, Ok(1));
        assert!(timeout(5 * MS, sleep(6 * MS)).await.is_err());
        assert_eq!(timeout(5 * MS, sleep(5 * MS).map(|()| 2)).await, Ok(2));
        assert_eq!(timeout(Duration::ZERO, async { 3 }).await, Ok(3));
        assert!(timeout(Duration::ZERO, pending::<()>()).await.is_err());
        assert!(timeout_at(Instant::now(), yield_now()).await.is_err());
        assert_eq!(takes(timeout(7 * MS, pending::<()>())).await, 7 * MS);
        let inner = timeout(3 * MS, pending::<()>());
        assert_eq!(takes(timeout(9 * MS, inner)).await, 3 * MS);
    });
}

#[test]
fn a_timeout_ends_a_future_that_spends_its_budget_for_ever() {
    block_on(async {
        let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
        let never_pends = async {
            loop {
                sender.send(()).unwrap();
                receiver.recv().await.unwrap();
            }
        };
        assert!(timeout(3 * MS, never_pends).await.is_err());
    });
}

#[test]
fn a_timeout_beside_what_spends_the_budget_for_ever_still_ends() {
    block_on(async {
        let mut spends_it = pin!(async {
            loop {
                sleep(Duration::ZERO).await;
            }
        });
        // In one task: in each poll there is nothing left when the time-out's turn comes.
        let mut ends = pin!(timeout(3 * MS, pending::<()>()));
        let ended = poll_fn(|cx| {
            let _: Poll<()> = spends_it.as_mut().poll(cx);
            ends.as_mut().poll(cx)
        });
        assert!(ended.await.is_err());
    });
}

#[test]
fn a_timeout_beside_what_spends_the_budget_withholds_no_value_that_is_there() {
    block_on(async {
        let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
        sender.send(7).unwrap();
        let mut spends_it = pin!(async {
            loop {
                sleep(Duration::ZERO).await;
            }
        });
        let mut expired = pin!(timeout(Duration::ZERO, receiver.recv()));
        let taken = poll_fn(|cx| {
            let _: Poll<()> = spends_it.as_mut().poll(cx);
            expired.as_mut().poll(cx)
        });
        assert_eq!(taken.await, Ok(Some(7)));
    });
}

#[test]
fn a_timeout_that_panics_elsewhere_leaves_the_thread_free_to_block() {
    let runtime = cotask::Runtime::new().unwrap();
    let misplaced = runtime.block_on(async { Some(timeout(Duration::from_secs(3_600), pending::<()>())) });
    let misplaced = misplaced.unwrap();
    let awaited = std::panic::AssertUnwindSafe(|| futures::executor::block_on(misplaced));
    assert!(std::panic::catch_unwind(awaited).is_err(), "only its own runtime can end it");
    let (sender, receiver) = cotask::sync::oneshot::channel();
    sender.send(1).unwrap();
    assert_eq!(receiver.blocking_recv(), Ok(1));
}

#[test]
fn an_expired_timeout_gives_way_to_the_task_that_it_waits_for() {
    block_on(async {
        let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
        spawn(async move { sender.send(1).unwrap() });
        let past = Instant::now();
        let mut attempts = 0;
        while timeout(Duration::ZERO, receiver.recv()).await.is_err() {
            attempts += 1;
            assert!(attempts <= 128, "the sender had no turn");
        }
        let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
        spawn(async move { sender.send(1).unwrap() });
        while timeout_at(past, receiver.recv()).await.is_err() {
            attempts += 1;
            assert!(attempts <= 2 * 128, "the sender had no turn");
        }
    });
}

#[test]
fn an_expired_timeout_withholds_no_value_that_is_there() {
    async fn takes_all(values: usize, at_once: usize) {
        let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
        (0..values).for_each(|value| sender.send(value).unwrap());
        let past = Instant::now();
        let mut taken = 0;
        while taken < values {
            let mut several = async || {
                for _ in 0..at_once {
                    assert_eq!(receiver.recv().await, Some(taken));
                    taken += 1;
                }
            };
            let in_time = timeout_at(past, several()).await.is_ok();
            assert!(in_time, "{taken} of {values} were taken, {at_once} at once");
        }
    }
    block_on(async {
        takes_all(1_000, 1).await;
        takes_all(1_000_000, 1).await;
        // The budget is spent in the middle of them, and then with the last.
        for at_once in [2, 3, 7, 100, 127, 128] {
            takes_all(100 * at_once, at_once).await;
        }
    });
}

/// Asks an interval of 10 ms for ticks at 0, then at 35 ms and from then on as soon as they are there.
fn ticks_after_a_delay(missed: MissedTickBehavior) -> Vec<(u128, u128)> {
    virtual_runtime().block_on(async move {
        let start = Instant::now();
        let mut ticks = interval(10 * MS);
        ticks.set_missed_tick_behavior(missed);
        assert_eq!(ticks.tick().await, start);
        sleep(35 * MS).await;
        let mut seen = Vec::new();
        for _ in 0..5 {
            let due = ticks.tick().await;
            seen.push(((due - start).as_millis(), start.elapsed().as_millis()));
        }
        seen
    })
}

#[test]
fn an_interval_that_missed_ticks_bursts_delays_or_skips() {
    // (for when it was set, when it came)
    let burst = ticks_after_a_delay(MissedTickBehavior::Burst);
    assert_eq!(burst, [(10, 35), (20, 35), (30, 35), (40, 40), (50, 50)]);
    let delay = ticks_after_a_delay(MissedTickBehavior::Delay);
    assert_eq!(delay, [(10, 35), (45, 45), (55, 55), (65, 65), (75, 75)]);
    let skip = ticks_after_a_delay(MissedTickBehavior::Skip);
    assert_eq!(skip, [(10, 35), (40, 40), (50, 50), (60, 60), (70, 70)]);
}

#[test]
fn an_interval_keeps_its_pace_from_its_start_and_refuses_a_period_of_zero() {
    virtual_runtime().block_on(async {
        let start = Instant::now() + 7 * MS;
        let mut ticks = interval_at(start, Duration::from_micros(2_500));
        for n in 0..5 {
            assert_eq!(ticks.tick().await, start + n * Duration::from_micros(2_500));
        }
        let mut rare = interval(Duration::MAX);
        rare.tick().await;
        assert!(timeout(DAY, rare.tick()).await.is_err());
        let refused = spawn(async { drop(interval(Duration::ZERO)) }).await.unwrap_err();
        assert!(refused.to_string().contains("an interval's period must not be zero"), "{refused}");
    });
}

#[test]
fn a_hundred_thousand_timers_each_fire_at_their_moment() {
    virtual_runtime().block_on(async {
        let naps = (0..100_000_u64).map(|n| {
            // Scattered over a quarter of an hour, many to a tick.
            let length = Duration::from_micros(n * 7_919 % 900_000_000);
            async move {
                let taken = takes(sleep(length)).await;
                assert!(length <= taken && taken < length + MS, "{length:?} took {taken:?}");
            }
        });
        let mut naps: FuturesUnordered<_> = naps.collect();
        while naps.next().await.is_some() {}
    });
}

#[test]
fn a_cancelled_timer_leaves_nothing_behind() {
    let runtime = virtual_runtime();
    runtime.block_on(async {
        let (waker, _) = futures_test::task::new_count_waker();
        for n in 0..1_000 {
            let mut nap = sleep(DAY + n * MS);
            assert!(poll_with(&mut nap, &waker).is_pending());
        }
        let _ = runtime.take_trace();
        // If one were left, the clock would stop at it, and the thread wake.
        sleep(MS).await;
        sleep(12 * DAY).await;
    });
    let trace = runtime.take_trace();
    let parked = trace.records.iter().filter(|r| matches!(r.event, Event::Parked { .. })).count();
    assert!(parked <= 8, "{parked} sleeps for two timers");
}

#[test]
fn the_virtual_clock_waits_for_tasks_and_for_blocking_jobs() {
    virtual_runtime().block_on(async {
        let start = Instant::now();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let job = spawn_blocking(move || gone.recv().is_err());
        let nap = spawn(sleep(DAY));
        for _ in 0..100 {
            yield_now().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO, "the clock moved while a task could run");
        drop(go);
        assert!(job.await.unwrap());
        assert_eq!(start.elapsed(), Duration::ZERO, "the clock moved while a job was out");
        nap.await.unwrap();
        assert_eq!(start.elapsed(), DAY);
    });
}

#[test]
fn the_virtual_clock_goes_on_after_a_job_whose_result_nobody_awaits() {
    virtual_runtime().block_on(async {
        for _ in 0..20 {
            let (go, gone) = std::sync::mpsc::channel::<()>();
            drop(spawn_blocking(move || gone.recv()));
            let nap = spawn(sleep(DAY));
            yield_now().await;
            // The job ends at about the moment at which the thread goes to sleep.
            std::thread::spawn(move || drop(go));
            nap.await.unwrap();
        }
    });
}

#[test]
fn a_sleep_awaited_where_nobody_can_end_it_panics_instead_of_hanging() {
    let (its_own, another) = (virtual_runtime(), virtual_runtime());
    let made_at_home = |duration| its_own.block_on(poll_fn(|_| Poll::Ready(sleep(duration))));
    let in_another = another.block_on(another.spawn(made_at_home(DAY)));
    let message = in_another.unwrap_err().to_string();
    assert!(message.contains("a sleep was awaited outside of the runtime that it was made in"), "{message}");
    its_own.block_on(made_at_home(DAY));
    another.block_on(made_at_home(Duration::ZERO));
}

#[test]
fn on_the_machines_clock_a_new_earlier_timer_ends_the_sleep() {
    block_on(async {
        let far = spawn(sleep(DAY));
        for _ in 0..100 {
            yield_now().await;
        }
        sleep(2 * MS).await;
        // From another thread, while this one sleeps until `far`.
        let (sender, receiver) = cotask::sync::oneshot::channel();
        std::thread::spawn(move || sender.send(MS));
        sleep(receiver.await.unwrap()).await;
        far.abort();
        assert!(far.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn on_the_machines_clock_short_sleeps_end_and_do_not_spin() {
    let runtime = Builder::new().trace(100_000).build().unwrap();
    runtime.block_on(async {
        for micros in 0..100 {
            let (before, length) = (std::time::Instant::now(), Duration::from_micros(micros * 10));
            sleep(length).await;
            assert!(before.elapsed() >= length);
        }
    });
    let trace = runtime.take_trace();
    let parked = trace.records.iter().filter(|r| matches!(r.event, Event::Parked { .. })).count();
    // A sleep below a millisecond that rounded down to none would turn the loop thousands of times.
    assert!(parked <= 300, "{parked} sleeps of the thread for 100 of a task");
}

/// What `select!` asks: whether the future has returned its end. That it could do so is not enough.
#[test]
fn a_sleep_is_terminated_once_it_has_returned_and_until_it_is_reset() {
    block_on(async {
        let mut nap = sleep(Duration::from_millis(1));
        assert!(!nap.is_terminated());
        (&mut nap).await;
        assert!(nap.is_terminated() && nap.is_elapsed());
        (&mut nap).await;
        assert!(nap.is_terminated(), "a fused future stays so");

        nap.reset(Instant::now());
        assert!(nap.is_elapsed() && !nap.is_terminated(), "elapsed, but no poll has returned it yet");
        (&mut nap).await;
        assert!(nap.is_terminated());
        nap.reset(Instant::now() + Duration::from_secs(3_600));
        assert!(!nap.is_terminated() && !nap.is_elapsed());
        assert!(!sleep(Duration::ZERO).is_terminated());
    });
}
