//! The simulator: the exhibits whose subject is a future, with tasks of one executor for threads, whose order a seed
//! draws.

use std::time::Duration;

use cotask::sim::Simulation;

use crate::Args;
use crate::on_std::museum::Tasks;
use crate::tool::repeat;

/// One seed after the other.
pub fn simulate(args: &Args, tasks: Tasks) {
    repeat(args.runs, Duration::from_secs(args.seconds), |run| {
        let seed = u64::from(run - 1);
        // That a task panics is no failure by itself: one exhibit is about who hears of it.
        let simulation = Simulation::builder().seed(seed).task_panics_fail(false).build();
        if let Err(failure) = simulation.run(tasks()).result {
            panic!("seed {seed}: {failure}");
        }
    });
}
