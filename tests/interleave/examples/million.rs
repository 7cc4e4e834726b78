//! Why a test that passes a million times proves nothing: three bugs, each run under `std` a million times on real
//! threads, and then under loom, which is done in milliseconds.
//!
//! ```text
//! cargo run --release -p interleave --example million
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use std::time::{Duration, Instant};

use clap::Parser;
use interleave::Model;

#[derive(Parser)]
#[command(about = "The same bugs on real threads, very often, and under loom")]
struct Args {
    /// How often each bug is given its chance on real threads.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    runs: u64,
    /// Show the execution that fails under loom, step by step.
    #[arg(long)]
    lanes: bool,
}

/// The same source text twice: over `std`, and over `interleave`. Each function runs its program once and says
/// whether all went well.
macro_rules! bugs {
    ($name:ident, $sync:path, $spawn:path) => {
        mod $name {
            use $spawn as spawn;
            use $sync::{
                Arc, Mutex,
                atomic::{AtomicBool, AtomicUsize, Ordering::*},
            };

            // ANCHOR: lost_update
            /// Two threads add one each, with a load and a store.
            pub fn lost_update() -> bool {
                let count = Arc::new(AtomicUsize::new(0));
                let theirs = count.clone();
                let adding = spawn(move || theirs.store(theirs.load(Acquire) + 1, Release));
                count.store(count.load(Acquire) + 1, Release);
                adding.join().unwrap();
                count.load(Acquire) == 2
            }
            // ANCHOR_END: lost_update

            // ANCHOR: lost_wake_up
            /// A task looks for its event first and leaves its waker after that.
            pub fn lost_wake_up() -> bool {
                let event = Arc::new((AtomicBool::new(false), Mutex::new(false), AtomicBool::new(false)));
                let theirs = event.clone();
                let waking = spawn(move || {
                    let (happened, waiting, woken) = &*theirs;
                    happened.store(true, SeqCst);
                    if *waiting.lock().unwrap() {
                        woken.store(true, SeqCst);
                    }
                });
                let (happened, waiting, woken) = &*event;
                let sleeps = !happened.load(SeqCst);
                if sleeps {
                    *waiting.lock().unwrap() = true;
                }
                waking.join().unwrap();
                !sleeps || woken.load(SeqCst)
            }
            // ANCHOR_END: lost_wake_up

            // ANCHOR: relaxed_flag
            /// A flag says that the data is there, and nothing orders the two.
            pub fn relaxed_flag() -> bool {
                let shared = Arc::new((AtomicUsize::new(0), AtomicBool::new(false)));
                let theirs = shared.clone();
                let writing = spawn(move || {
                    theirs.0.store(7, Relaxed);
                    theirs.1.store(true, Relaxed);
                });
                let fine = !shared.1.load(Relaxed) || shared.0.load(Relaxed) == 7;
                writing.join().unwrap();
                fine
            }
            // ANCHOR_END: relaxed_flag
        }
    };
}

bugs!(real, std::sync, std::thread::spawn);
bugs!(model, interleave::sync, interleave::thread::spawn);

struct Bug {
    name: &'static str,
    real: fn() -> bool,
    model: fn() -> bool,
}

const BUGS: [Bug; 3] = [
    Bug { name: "lost update", real: real::lost_update, model: model::lost_update },
    Bug { name: "lost wake-up", real: real::lost_wake_up, model: model::lost_wake_up },
    Bug { name: "relaxed flag", real: real::relaxed_flag, model: model::relaxed_flag },
];

/// How often it failed, and how long all runs took.
fn on_real_threads(bug: &Bug, runs: u64) -> (u64, Duration) {
    let start = Instant::now();
    let failures = (0..runs).filter(|_| !(bug.real)()).count() as u64;
    (failures, start.elapsed())
}

fn main() {
    let args = Args::parse();
    println!("                  on real threads                        under loom");
    println!("bug                   runs  failures       seconds       fails in execution  milliseconds");
    for bug in BUGS {
        let (failures, took) = on_real_threads(&bug, args.runs);
        let start = Instant::now();
        let run = bug.model;
        let explored = Model::new(bug.name).explore(move || assert!(run(), "it went wrong"));
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let Err(failure) = explored else { unreachable!("each of these has a bug that loom finds") };
        println!(
            "{:<14} {:>11} {:>9} {:>13.1} {:>24} {:>13.1}",
            bug.name,
            args.runs,
            failures,
            took.as_secs_f64(),
            failure.execution,
            milliseconds
        );
        if args.lanes {
            println!("\n{}", failure.text());
        }
    }
}
