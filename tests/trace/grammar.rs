//! What the recorder reports of random programs obeys a grammar, and so the runtime keeps its contract.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use cotask::sync::mpsc;
use cotask::time::{sleep, timeout};
use cotask::trace::{Actor, Event, Outcome, Record, Trace};
use cotask::{Builder, JoinHandle, Runtime};
use futures::future::{FutureExt, LocalBoxFuture, join_all, pending};
use proptest::prelude::*;

use crate::checker::{AS_ASKED, check, quiet_panics};

/// A step of a random task.
#[derive(Clone, Debug)]
enum Step {
    Yield,
    Sleep(u8),
    /// A sleep that is given up before its time, most of the times.
    Timeout(u8),
    Send,
    Receive,
    Spawn(Vec<Step>),
    AbortNewest,
    JoinNewest,
    /// More channel operations in one poll than the budget allows.
    Storm,
    Job,
    Panic,
    Never,
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = prop_oneof![
        4 => Just(Step::Yield),
        3 => (0..5u8).prop_map(Step::Sleep),
        2 => (0..5u8).prop_map(Step::Timeout),
        4 => Just(Step::Send),
        4 => Just(Step::Receive),
        2 => Just(Step::AbortNewest),
        3 => Just(Step::JoinNewest),
        1 => Just(Step::Storm),
        1 => Just(Step::Job),
        1 => Just(Step::Panic),
        1 => Just(Step::Never),
    ];
    leaf.prop_recursive(3, 40, 8, |step| prop::collection::vec(step, 0..8).prop_map(Step::Spawn))
}

struct World {
    sender: mpsc::Sender<u32>,
    receiver: RefCell<Option<mpsc::Receiver<u32>>>,
    handles: RefCell<Vec<JoinHandle<()>>>,
}

fn perform(world: Rc<World>, steps: Vec<Step>) -> LocalBoxFuture<'static, ()> {
    async move {
        for step in steps {
            match step {
                Step::Yield => cotask::yield_now().await,
                Step::Sleep(millis) => sleep(Duration::from_millis(millis.into())).await,
                Step::Timeout(millis) => {
                    let hurried = sleep(Duration::from_millis(u64::from(millis) / 2));
                    let _ = timeout(Duration::from_millis(millis.into()), hurried).await;
                }
                // With a limit: a program that only waits for itself would not end.
                Step::Send => drop(timeout(Duration::from_millis(3), world.sender.send(1)).await),
                Step::Receive => {
                    let taken = world.receiver.borrow_mut().take();
                    if let Some(mut receiver) = taken {
                        let _ = timeout(Duration::from_millis(3), receiver.recv()).await;
                        world.receiver.replace(Some(receiver));
                    }
                }
                Step::Spawn(steps) => {
                    let task = cotask::spawn_named("child", perform(Rc::clone(&world), steps));
                    world.handles.borrow_mut().push(task);
                }
                Step::AbortNewest => world.handles.borrow().last().into_iter().for_each(JoinHandle::abort),
                Step::JoinNewest => {
                    let newest = world.handles.borrow_mut().pop();
                    if let Some(task) = newest {
                        let _ = timeout(Duration::from_millis(9), task).await;
                    }
                }
                Step::Storm => {
                    let (sender, mut receiver) = mpsc::unbounded_channel();
                    for n in 0..200 {
                        sender.send(n).unwrap();
                        assert_eq!(receiver.recv().await, Some(n));
                    }
                }
                // The job ends only after this task has begun to wait for it, so that a thread wakes the task.
                Step::Job => {
                    let (begin, begun) = std::sync::mpsc::channel::<()>();
                    let job = cotask::spawn_blocking(move || begun.recv().is_ok());
                    cotask::spawn(async move { drop(begin) });
                    job.await.unwrap();
                }
                Step::Panic => panic!("{AS_ASKED}"),
                Step::Never => pending().await,
            }
        }
    }
    .boxed_local()
}

fn record(runtime: &Runtime, programs: Vec<Vec<Step>>) -> Trace {
    runtime.block_on(async {
        let (sender, receiver) = mpsc::channel(2);
        let world =
            Rc::new(World { sender, receiver: RefCell::new(Some(receiver)), handles: RefCell::default() });
        let tasks = programs.into_iter().map(|steps| cotask::spawn(perform(Rc::clone(&world), steps)));
        let tasks: Vec<_> = tasks.collect();
        let _ = timeout(Duration::from_millis(500), join_all(tasks)).await;
    });
    runtime.take_trace()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_obey(
        programs in prop::collection::vec(prop::collection::vec(step(), 0..10), 1..6),
        seed in prop::option::of(0..1000u64),
    ) {
        quiet_panics();
        let builder = Builder::new().virtual_time().trace(1_000_000);
        let runtime = seed.map_or(builder.clone(), |seed| builder.seed(seed)).build().unwrap();
        let trace = record(&runtime, programs);
        prop_assert_eq!(trace.dropped, 0);
        if let Err(fault) = check(&trace.records) {
            prop_assert!(false, "{}", fault);
        }
    }
}

/// A program whose trace has a bit of everything.
fn sample() -> Vec<Record> {
    quiet_panics();
    let runtime = Builder::new().virtual_time().trace(10_000).build().unwrap();
    let worker = vec![Step::Sleep(2), Step::Send, Step::Job, Step::Yield];
    let steps = vec![
        Step::Spawn(worker),
        Step::Receive,
        Step::JoinNewest,
        Step::Spawn(vec![Step::Never]),
        Step::AbortNewest,
        Step::JoinNewest,
        Step::Spawn(vec![Step::Panic]),
        Step::JoinNewest,
    ];
    let records = record(&runtime, vec![steps]);
    check(&records.records).unwrap();
    records.records
}

fn lines(records: &[Record]) -> String {
    records.iter().map(|record| format!("{:?} {}\n", record.at, record.event)).collect()
}

/// The checker finds each fault that can be put into a good trace by leaving out or doubling an event it counts on.
#[test]
fn the_checker_finds_faults() {
    let good = sample();
    let mut found = 0;
    for place in 0..good.len() {
        // What another event needs: without it the trace is no sentence of the grammar.
        let needed = matches!(
            &good[place].event,
            Event::Scheduled { .. }
                | Event::PollBegan { .. }
                | Event::PollEnded { .. }
                | Event::Parked { .. }
                | Event::TimerSet { .. }
                | Event::JobQueued { .. }
                | Event::JobStarted { .. }
                | Event::Sent { .. }
        );
        if needed {
            let mut without = good.clone();
            without.remove(place);
            let mut doubled = good.clone();
            doubled.insert(place, good[place].clone());
            let what = &good[place].event;
            // At the very end nothing follows that could miss it.
            let is_last = place + 1 == good.len();
            assert!(
                is_last || check(&without).is_err(),
                "not missed: {what} at {place} of\n{}",
                lines(&good)
            );
            assert!(check(&doubled).is_err(), "not seen twice: {what} at {place}");
            found += 1;
        }
    }
    assert!(found > 30, "{found}");
}

#[test]
fn every_kind_of_event_comes_up() {
    let records = sample();
    let has = |what: &dyn Fn(&Event) -> bool| records.iter().any(|record| what(&record.event));
    assert!(has(&|event| matches!(event, Event::Spawned { by: Actor::Task(_), name: Some(_), .. })));
    assert!(has(&|event| matches!(event, Event::Scheduled { by: Actor::Timer, .. })));
    assert!(has(&|event| matches!(event, Event::Scheduled { by: Actor::Thread, .. })));
    assert!(has(&|event| matches!(event, Event::PollEnded { outcome: Outcome::Panicked, .. })));
    assert!(has(&|event| matches!(event, Event::PollEnded { outcome: Outcome::Aborted, .. })));
    assert!(has(&|event| matches!(event, Event::AbortRequested { .. })));
    assert!(has(&|event| matches!(event, Event::Joined { .. })));
    assert!(has(&|event| matches!(event, Event::TimerCancelled { .. })));
    assert!(has(&|event| matches!(event, Event::JobDone { .. })));
    assert!(has(&|event| matches!(event, Event::Received { queued: 0, .. })));
}

#[test]
fn a_poll_that_spends_its_budget_says_so() {
    let runtime = Builder::new().trace(10_000).build().unwrap();
    let trace = record(&runtime, vec![vec![Step::Storm]]);
    check(&trace.records).unwrap();
    let spent =
        |record: &&Record| matches!(record.event, Event::PollEnded { outcome: Outcome::BudgetSpent, .. });
    assert!(trace.records.iter().any(|record| spent(&record)));
}

#[test]
fn a_root_that_panics_ends_its_poll() {
    quiet_panics();
    let runtime = Builder::new().trace(100).build().unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async { panic!("{AS_ASKED}") })
    }));
    assert_eq!(*panicked.unwrap_err().downcast::<String>().unwrap(), AS_ASKED);
    let trace = runtime.take_trace();
    check(&trace.records).unwrap();
    assert!(matches!(
        trace.records.last().unwrap().event,
        Event::PollEnded { outcome: Outcome::Panicked, .. }
    ));
}

#[test]
fn the_ring_keeps_the_last_and_counts_the_rest() {
    let run = |events| {
        let runtime = Builder::new().virtual_time().trace(events).build().unwrap();
        let trace = record(&runtime, vec![vec![Step::Yield, Step::Sleep(3), Step::Yield]]);
        (trace.records.iter().map(|record| record.event.to_string()).collect::<Vec<_>>(), trace.dropped)
    };
    let (all, none) = run(10_000);
    let (last, dropped) = run(7);
    assert_eq!((none, last.len(), dropped), (0, 7, all.len() as u64 - 7));
    // Runtimes are numbered, and so tasks of two of them differ in that alone.
    let tail = |events: &[String]| {
        events.iter().map(|e| e[..e.find(' ').unwrap_or(e.len())].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(tail(&last), tail(&all[all.len() - 7..]));
}
