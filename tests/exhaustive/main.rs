//! What stays on one thread, checked by every sequence of steps up to a length, and by long random ones: the
//! runtime does what a naive model says, and what it records is a sentence of the contract's grammar.

mod model;
#[path = "../probes/mod.rs"]
mod probes;
mod world;

use std::time::Duration;

use cotask::{Builder, Runtime, yield_now};
use proptest::prelude::*;

use model::{Deed, Model, Op, Target, Turns};
use probes::grammar;
use world::World;

/// One task at a time, in all its states.
const ALONE: &[Op] = &[
    Op::Spawn,
    Op::Turn,
    Op::Wake(Target::Newest),
    Op::Abort(Target::Newest),
    Op::DropHandle(Target::Newest),
    Op::Join(Target::Newest),
    Op::Will(Target::Newest, Deed::WakeSelf),
    Op::Will(Target::Newest, Deed::AbortSelf),
    Op::Will(Target::Newest, Deed::Finish),
    Op::Will(Target::Newest, Deed::Panic),
    Op::DropPanics(Target::Newest),
];

/// What two tasks can do to each other.
const TOGETHER: &[Op] = &[
    Op::Spawn,
    Op::Turn,
    Op::Wake(Target::Newest),
    Op::Wake(Target::Older),
    Op::Abort(Target::Newest),
    Op::Abort(Target::Older),
    Op::DropHandle(Target::Older),
    Op::Join(Target::Older),
    Op::Will(Target::Newest, Deed::WakeOlder),
    Op::Will(Target::Newest, Deed::JoinOlder),
    Op::Will(Target::Newest, Deed::Spawn),
    Op::Will(Target::Newest, Deed::WakeSelf),
    Op::Will(Target::Newest, Deed::Finish),
    Op::Will(Target::Older, Deed::WakeSelf),
    Op::Will(Target::Older, Deed::Finish),
    Op::Will(Target::Older, Deed::Panic),
    Op::DropPanics(Target::Older),
];

/// How the steps reach the runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// The future of `block_on` does them, beside the tasks, first come first served. A turn is one `yield_now`,
    /// and the model knows exactly who is polled in it, in which order.
    Inside,
    /// They are done between two calls of `block_on`, and so go through the inbox, as from another thread. A
    /// turn lasts until nothing can run.
    Outside,
    /// As `Outside`, and a seed decides who goes next.
    Seeded(u64),
}

impl Way {
    fn turns(self) -> Turns {
        if self == Way::Inside { Turns::Once } else { Turns::UntilIdle }
    }
}

/// One runtime serves for many sequences, so that slots and generations are used again.
struct Bench {
    runtime: Runtime,
    way: Way,
    max_tasks: usize,
    sequences: u64,
}

impl Bench {
    fn new(way: Way, max_tasks: usize) -> Bench {
        let mut builder = Builder::new().virtual_time().trace(10_000);
        if let Way::Seeded(seed) = way {
            builder = builder.seed(seed);
        }
        Bench { runtime: builder.build().unwrap(), way, max_tasks, sequences: 0 }
    }

    /// Runs every sequence of up to `length` steps.
    fn run_all(&mut self, alphabet: &[Op], length: usize) {
        self.extend(alphabet, length, &mut Vec::new(), &Model::new(self.max_tasks));
    }

    fn extend(&mut self, alphabet: &[Op], length: usize, sequence: &mut Vec<Op>, model: &Model) {
        for &op in alphabet.iter().filter(|&&op| model.allows(op)) {
            sequence.push(op);
            self.run(sequence);
            if sequence.len() < length {
                let mut after = model.clone();
                after.apply(op, self.way.turns());
                self.extend(alphabet, length, sequence, &after);
            }
            sequence.pop();
        }
    }

    /// Runs one sequence, without the steps that say nothing where they stand, and ends all tasks that are left.
    fn run(&mut self, sequence: &[Op]) {
        let _on_panic = Shown(self.way, sequence);
        self.sequences += 1;
        let (world, mut model) = (World::default(), Model::new(self.max_tasks));
        if self.way == Way::Inside {
            self.runtime.block_on(async {
                for &op in sequence {
                    if op == Op::Turn {
                        yield_now().await;
                    }
                    self.step(op, &world, &mut model);
                    world.compare_polls(&model);
                }
            });
        } else {
            for &op in sequence {
                if op == Op::Turn {
                    self.settle();
                }
                self.step(op, &world, &mut model);
            }
        }
        for _ in 0..2 {
            self.settle();
            model.settle();
            world.compare(&model);
            world.release();
            model.release();
        }
        world.join_all(&model);
        assert_eq!(self.runtime.tasks(), 0, "tasks that are left");
        grammar::check(&self.runtime.take_trace());
    }

    fn step(&self, op: Op, world: &World, model: &mut Model) {
        if model.allows(op) {
            let told = world.apply(op, model, &self.runtime, self.way.turns());
            assert_eq!(told, model.apply(op, self.way.turns()), "what the handle says");
            world.compare(model);
        }
    }

    /// Lets the tasks run until none can: before that, virtual time does not pass.
    fn settle(&self) {
        self.runtime.block_on(async { cotask::time::sleep(Duration::from_millis(1)).await });
    }
}

/// Tells which sequence it was.
struct Shown<'a>(Way, &'a [Op]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}: {:?}", self.0, self.1);
        }
    }
}

fn every_sequence(way: Way, alphabet: &[Op], length: usize) {
    let mut bench = Bench::new(way, 3);
    let start = std::time::Instant::now();
    bench.run_all(alphabet, length);
    println!("{way:?}: {} sequences of up to {length} steps, {:.1?}", bench.sequences, start.elapsed());
    assert!(bench.sequences > 100);
}

#[test]
fn one_task_every_sequence_of_7_steps() {
    every_sequence(Way::Inside, ALONE, 7);
}

#[test]
fn two_tasks_every_sequence_of_7_steps() {
    every_sequence(Way::Inside, TOGETHER, 7);
}

#[test]
fn from_outside_every_sequence_of_5_steps() {
    every_sequence(Way::Outside, ALONE, 5);
    every_sequence(Way::Outside, TOGETHER, 5);
}

#[test]
fn seeded_every_sequence_of_4_steps_under_50_seeds() {
    for seed in 0..50 {
        every_sequence(Way::Seeded(seed), TOGETHER, 4);
    }
}

fn long_sequences() -> impl Strategy<Value = Vec<Op>> {
    let steps: Vec<Op> = ALONE.iter().chain(TOGETHER).copied().collect();
    prop::collection::vec(prop::sample::select(steps), 8..200)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn long_random_sequences(sequence in long_sequences(), seed: u64) {
        for way in [Way::Inside, Way::Outside, Way::Seeded(seed)] {
            Bench::new(way, 40).run(&sequence);
        }
    }
}
