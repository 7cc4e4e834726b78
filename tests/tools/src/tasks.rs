//! The simulator: the exhibits whose subject is a future, with tasks of one executor for threads, whose order a seed
//! draws.

use std::time::{Duration, Instant};

use cotask::sim::Simulation;

use crate::Args;
use crate::on_std::museum::Tasks;
use crate::tool::say;

/// One seed after the other.
pub fn simulate(args: &Args, tasks: Tasks) {
    let (start, limit) = (Instant::now(), Duration::from_secs(args.seconds));
    for seed in 0..args.runs {
        say(seed + 1);
        // That a task panics is no failure by itself: one exhibit is about who hears of it.
        let simulation = Simulation::builder().seed(seed.into()).task_panics_fail(false).build();
        if let Err(failure) = simulation.run(tasks()).result {
            panic!("seed {seed}: {failure}");
        }
        if start.elapsed() > limit {
            break;
        }
    }
}
