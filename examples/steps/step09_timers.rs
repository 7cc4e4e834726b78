//! Step 9: timers. The thread sleeps until the next deadline; on a virtual clock, not
//! even that.
//!
//! `cargo run --example step09_timers`; the executor is step 7's, in `tasks.rs`.

mod help;
mod tasks;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use help::{cpu_time, ms, record};
use tasks::{Park, ThisThread, Unpark, block_on, spawn};

// ANCHOR: clock
enum Clock {
    Real(Instant),
    /// Moves only when no task can run, and then straight to the next deadline.
    /// Nanoseconds.
    Virtual(Arc<AtomicU64>),
}

impl Clock {
    fn now(&self) -> Duration {
        match self {
            Clock::Real(begun) => begun.elapsed(),
            Clock::Virtual(now) => Duration::from_nanos(now.load(Ordering::Relaxed)),
        }
    }
}
// ANCHOR_END: clock

// ANCHOR: timers
struct Timers {
    clock: Clock,
    /// Deadline and number, in the order in which they come; and who is to be woken.
    set: RefCell<BTreeMap<(Duration, u64), Waker>>,
    next: Cell<u64>,
}

impl Timers {
    fn new(clock: Clock) -> Rc<Timers> {
        Rc::new(Timers { clock, set: RefCell::default(), next: Cell::new(0) })
    }

    fn first(&self) -> Option<(Duration, u64)> {
        self.set.borrow().keys().next().copied()
    }

    /// Wakes whose deadline has come.
    fn fire(&self) {
        let now = self.clock.now();
        while let Some(key) = self.first().filter(|(deadline, _)| *deadline <= now) {
            let waker = self.set.borrow_mut().remove(&key);
            record::timer_fired(key.1);
            record::acting("timer", || waker.map(Waker::wake));
        }
    }
}

impl Park for Timers {
    fn park(&self) {
        let next = self.first().map(|(deadline, _)| deadline);
        let wait = next.map(|deadline| deadline.saturating_sub(self.clock.now()));
        record::parked(wait);
        match (&self.clock, next, wait) {
            (Clock::Virtual(now), Some(deadline), _) => {
                now.store(deadline.as_nanos() as u64, Ordering::Relaxed)
            }
            // May end early: then nothing fires.
            (Clock::Real(_), _, Some(wait)) => thread::park_timeout(wait),
            _ => thread::park(),
        }
        record::unparked();
        self.fire();
    }

    fn unparker(&self) -> Unpark {
        ThisThread.unparker()
    }
}
// ANCHOR_END: timers

// ANCHOR: sleep
struct Sleep {
    timers: Rc<Timers>,
    key: (Duration, u64),
}

fn sleep(timers: &Rc<Timers>, duration: Duration) -> Sleep {
    let number = timers.next.replace(timers.next.get() + 1);
    Sleep { timers: Rc::clone(timers), key: (timers.clock.now() + duration, number) }
}

impl Future for Sleep {
    type Output = ();

    /// The clock decides, not the wake: so a poll for any other reason is harmless, and
    /// a deadline that is past when the future is first polled is ready at once and
    /// leaves no waker behind.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let timers = &self.timers;
        if timers.clock.now() >= self.key.0 {
            let waker = timers.set.borrow_mut().remove(&self.key);
            drop(waker);
            return Poll::Ready(());
        }
        // Foreign code, as is the drop of the one before: not while the map is borrowed.
        let waker = cx.waker().clone();
        let before = timers.set.borrow_mut().insert(self.key, waker);
        if before.is_none() {
            record::timer_set(self.key.1, self.key.0);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.timers.set.borrow_mut().remove(&self.key);
        if waker.is_some() {
            record::timer_cancelled(self.key.1);
        }
    }
}
// ANCHOR_END: sleep

// ANCHOR: wrong
/// WRONG: a timer that wakes itself. It looks as if it slept, and is the busy loop of
/// step 5 again.
async fn sleep_by_asking(duration: Duration) -> u64 {
    let (begun, mut polls) = (Instant::now(), 0);
    std::future::poll_fn(|cx| {
        polls += 1;
        if begun.elapsed() >= duration {
            return Poll::Ready(polls);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
// ANCHOR_END: wrong

// ANCHOR: tea
async fn brew(timers: Rc<Timers>, name: &'static str, minutes: u64) {
    sleep(&timers, Duration::from_secs(60 * minutes)).await;
    println!("  {:>2} min: {name} is ready", timers.clock.now().as_secs() / 60);
}

async fn tea_time(timers: &Rc<Timers>) {
    let teas = [("black tea", 4), ("green tea", 2), ("rooibos", 7), ("mint", 7)];
    let teas =
        teas.map(|(name, minutes)| spawn(name, brew(Rc::clone(timers), name, minutes)));
    for tea in teas {
        tea.await;
    }
}
// ANCHOR_END: tea

fn main() {
    let recording = help::begin("Step 9: timers, on the real and on a virtual clock");
    let now = Arc::new(AtomicU64::new(0));
    let of_record = Arc::clone(&now);
    record::clock(move || Duration::from_nanos(of_record.load(Ordering::Relaxed)));
    println!("virtual clock:");
    let begun = Instant::now();
    let timers = Timers::new(Clock::Virtual(now));
    block_on(&*timers, tea_time(&timers));
    println!(
        "  {} virtual minutes took {}",
        timers.clock.now().as_secs() / 60,
        ms(begun.elapsed())
    );
    drop(recording);

    let short = Duration::from_millis(100);
    let cpu = cpu_time();
    let polls = block_on(&ThisThread, sleep_by_asking(short));
    println!(
        "wrong: {} of sleep, in which the CPU was busy for {}; polls: {polls}",
        ms(short),
        ms(cpu_time() - cpu)
    );
    let (begun, cpu) = (Instant::now(), cpu_time());
    let timers = Timers::new(Clock::Real(Instant::now()));
    block_on(&*timers, sleep(&timers, short));
    println!(
        "right: took {}, in which the CPU was busy for {}",
        ms(begun.elapsed()),
        ms(cpu_time() - cpu)
    );
    block_on(&*timers, sleep(&timers, Duration::ZERO));
    println!(
        "a deadline that is past: ready at once, timers left: {}",
        timers.set.borrow().len()
    );
}
