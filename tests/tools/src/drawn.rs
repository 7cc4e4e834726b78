//! proptest: it draws inputs that no author wrote down, and when one fails, looks for the least that still fails. It
//! knows nothing of threads. So it draws what can be drawn about them: which thread goes on at each step, for shuttle
//! to follow; or, where there are no threads, the calls.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

use crate::on_std::museum::Calls;
use crate::tool::say;
use crate::{Args, LEAST};

/// Steps that are drawn at most. After them the thread changes only where it must.
const STEPS: usize = 60;
/// More calls than any of the bugs needs.
const CALLS: usize = 24;

/// Threads under a plan: a number for each step.
pub fn threads(args: &Args, body: fn()) {
    let drawn = vec(prop_oneof![2 => Just(0), 1 => 1..=2_u8], 0..=STEPS);
    let in_words = |turns: &[u8]| {
        let changes = turns.iter().enumerate().filter(|(_, turn)| **turn > 0);
        changes.map(|(at, turn)| format!("at step {} the other thread {turn}", at + 1)).collect()
    };
    search(args, drawn, in_words, |turns| {
        let plan = Planned { turns, at: 0, begun: false };
        shuttle::Runner::new(plan, crate::tool::shuttle_config(args)).run(body);
    });
}

/// Calls on one thread: mostly of the few kinds that most exhibits have.
pub fn calls(args: &Args, body: Calls) {
    let drawn = vec(prop_oneof![2 => 0..12_u8, 1 => any::<u8>()], 0..=CALLS);
    let in_words = |calls: &[u8]| calls.iter().map(|call| format!("call {call}")).collect();
    search(args, drawn, in_words, |calls| body(&calls));
}

/// Draws until `test` panics; then says how much is left of what was drawn when nothing more can be left out.
fn search(
    args: &Args,
    drawn: impl Strategy<Value = Vec<u8>>,
    in_words: fn(&[u8]) -> Vec<String>,
    test: impl Fn(Vec<u8>),
) {
    let (start, limit) = (Instant::now(), Duration::from_secs(args.seconds));
    let (runs, failed) = (Cell::new(0), Cell::new(false));
    let config = Config {
        cases: args.runs,
        failure_persistence: None,
        max_shrink_time: (args.seconds * 500).try_into().unwrap_or(u32::MAX),
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&drawn, |plan| {
        if !failed.get() {
            // proptest has no limit of time for what passes.
            if start.elapsed() > limit {
                return Ok(());
            }
            runs.set(runs.get() + 1);
            say(runs.get());
        }
        catch_unwind(AssertUnwindSafe(|| test(plan))).map_err(|_| {
            if !failed.replace(true) {
                // What shrinking finds is the same again and again.
                set_hook(Box::new(|_| {}));
            }
            TestCaseError::fail("it panicked, see above")
        })
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(_, least)) => {
            drop(take_hook());
            let least = in_words(&least);
            println!("{LEAST}{}", least.len());
            panic!("it takes no more than this: {}", least.join(", "));
        }
        Err(TestError::Abort(reason)) => panic!("proptest gave up: {reason}"),
    }
}

/// A plan of which thread goes on: 0 is the running one, as long as it can run, and `n` the `n`-th of the others that
/// can. So the order with the fewest switches is the least that can be drawn, and the one to which proptest shrinks.
#[derive(Debug)]
struct Planned {
    turns: Vec<u8>,
    at: usize,
    begun: bool,
}

impl Scheduler for Planned {
    fn new_execution(&mut self) -> Option<Schedule> {
        (!std::mem::replace(&mut self.begun, true)).then(|| Schedule::new(0))
    }

    // ANCHOR: next_task
    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, yields: bool) -> Option<TaskId> {
        let turn = self.turns.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        let (same, others): (Vec<TaskId>, _) =
            runnable.iter().map(|task| task.id()).partition(|id| Some(*id) == current);
        match (same.first(), turn) {
            (Some(same), 0) if !yields => Some(*same),
            (same, _) if others.is_empty() => same.copied(),
            (_, turn) => Some(others[usize::from(turn.saturating_sub(1)) % others.len()]),
        }
    }
    // ANCHOR_END: next_task

    fn next_u64(&mut self) -> u64 {
        unreachable!("no exhibit asks for random numbers")
    }
}
