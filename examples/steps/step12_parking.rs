//! Step 12: wakes from other threads. How the loop's thread goes to sleep without
//! missing one; and why loom.
//!
//! `cargo run --example step12_parking`

mod help;
mod schedules;

use std::io;
use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use help::{cpu_time, ms};
use mio::{Events, Poll, Token, Waker};
use schedules::{Step, Thread, Tried, explore};

// ANCHOR: inbox
/// What other threads have for the loop.
struct Inbox {
    state: Mutex<State>,
    /// Ends the loop's sleep, also one that has not begun yet. A system call each time.
    unpark: Waker,
    /// How often it was called.
    calls: AtomicU64,
}

#[derive(Default)]
struct State {
    mail: Vec<u64>,
    /// The loop sleeps, or is about to.
    parked: bool,
}

impl Inbox {
    /// Any thread: puts in which task to wake. The first thread that finds the loop
    /// parked ends its sleep; the others need not.
    fn push(&self, task: u64, always_unpark: bool) {
        let mut state = self.state.lock().unwrap();
        state.mail.push(task);
        let was_parked = mem::take(&mut state.parked);
        drop(state);
        if was_parked || always_unpark {
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.unpark.wake().expect("an eventfd can be written");
        }
    }

    /// The loop, before it sleeps. False: there is mail, and it must not.
    fn begin_park(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        state.parked = state.mail.is_empty();
        state.parked
    }

    /// The loop, awake: takes all that is there.
    fn take(&self) -> Vec<u64> {
        let mut state = self.state.lock().unwrap();
        state.parked = false;
        mem::take(&mut state.mail)
    }
}
// ANCHOR_END: inbox

const THREADS: u64 = 4;
const EACH: u64 = 25_000;

// ANCHOR: run
/// The threads push, the loop takes. Gives how many wakes came, how often `unpark` was
/// called, and the CPU time.
fn run(always_unpark: bool) -> io::Result<(u64, u64, Duration)> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(8));
    let unpark = Waker::new(poll.registry(), Token(0))?;
    let inbox = Inbox { state: Mutex::default(), unpark, calls: AtomicU64::new(0) };
    let cpu = cpu_time();
    let came = thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..EACH).for_each(|task| inbox.push(task, always_unpark)));
        }
        let mut came = 0;
        while came < THREADS * EACH {
            if inbox.begin_park() {
                match poll.poll(&mut events, None) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    polled => polled?,
                }
            }
            came += inbox.take().len() as u64;
        }
        io::Result::Ok(came)
    })?;
    Ok((came, inbox.calls.into_inner(), cpu_time() - cpu))
}
// ANCHOR_END: run

// ANCHOR: world
/// The protocol as a model: one thread that parks, one that wakes it.
#[derive(Clone, Copy, Default)]
struct World {
    mail: bool,
    parked: bool,
    /// What the loop saw: if so, it sleeps until there is an event.
    found_empty: bool,
    /// What the waking thread saw: if so, it makes an event.
    found_parked: bool,
    event: bool,
}

const LOOKS: Step<World> = Step::Do(|world| world.found_empty = !world.mail);
const PARKS_IF_EMPTY: Step<World> = Step::Do(|world| world.parked = world.found_empty);
const LOOKS_AND_PARKS: Step<World> = Step::Do(|world| {
    world.found_empty = !world.mail;
    world.parked = world.found_empty;
});
const ASKS: Step<World> =
    Step::Do(|world| world.found_parked = mem::take(&mut world.parked));
const PUSHES: Step<World> = Step::Do(|world| world.mail = true);
const PUSHES_AND_ASKS: Step<World> = Step::Do(|world| {
    world.mail = true;
    world.found_parked = mem::take(&mut world.parked);
});
const UNPARKS: Step<World> = Step::Do(|world| world.event = world.found_parked);
/// With two atomics instead of a lock each side stores first and loads then.
const LOADS_PARKED: Step<World> = Step::Do(|world| world.found_parked = world.parked);
const STORES_PARKED: Step<World> = Step::Store(|world| world.parked = true);
const STORES_MAIL: Step<World> = Step::Store(|world| world.mail = true);

fn lost(world: &World) -> bool {
    world.found_empty && world.mail && !world.event
}

fn try_all(sleeper: &[Step<World>], waker: &[Step<World>]) -> Tried {
    let thread = |steps| Thread { steps, kept_back: None };
    explore(World::default(), [thread(sleeper), thread(waker)], lost)
}
// ANCHOR_END: world

fn main() -> io::Result<()> {
    let _recording = help::begin("Step 12: wakes from other threads");
    for (words, always_unpark) in
        [("unparks at each wake:  ", true), ("unparks who has parked:", false)]
    {
        let (came, calls, cpu) = run(always_unpark)?;
        println!(
            "{words} {came} wakes came, unpark called {calls} times, CPU {}",
            ms(cpu)
        );
    }

    // ANCHOR: try_all
    let at_once = |step| if let Step::Store(act) = step { Step::Do(act) } else { step };
    let (parks, pushes) = ([STORES_PARKED, LOOKS], [STORES_MAIL, LOADS_PARKED, UNPARKS]);
    let models = [
        (
            "wrong: looks, then parks",
            try_all(&[LOOKS, PARKS_IF_EMPTY], &[PUSHES_AND_ASKS, UNPARKS]),
        ),
        (
            "wrong: asks, then pushes",
            try_all(&[LOOKS_AND_PARKS], &[ASKS, PUSHES, UNPARKS]),
        ),
        (
            "right: each under one lock",
            try_all(&[LOOKS_AND_PARKS], &[PUSHES_AND_ASKS, UNPARKS]),
        ),
        (
            "right: two atomics, stores seen at once",
            try_all(&parks.map(at_once), &pushes.map(at_once)),
        ),
        ("wrong: two atomics, stores seen late", try_all(&parks, &pushes)),
    ];
    // ANCHOR_END: try_all
    for (model, Tried { schedules, wrong }) in models {
        println!("{model:<40} {schedules:>3} schedules, the wake is lost in {wrong}");
    }
    Ok(())
}
