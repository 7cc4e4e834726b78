//! Memory orderings by picture: small programs, all that can come of each, and one execution of every outcome that a
//! reader of the source would not expect, step by step.
//!
//! ```text
//! cargo run --release -p interleave --example outcomes
//! cargo run --release -p interleave --example outcomes -- --lanes store-buffering
//! cargo run --release -p interleave --example outcomes -- --pictures FOLDER
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc as StdArc, Mutex as StdMutex};

use anyhow::{Context, Result, bail};
use clap::Parser;
use interleave::sync::Arc;
use interleave::sync::atomic::{
    AtomicUsize,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use interleave::{Failure, Model, thread};

#[derive(Parser)]
#[command(about = "What can come of small programs, by memory ordering")]
struct Args {
    /// Only programs with this in their name.
    name: Option<String>,
    /// Show an execution of each outcome that surprises.
    #[arg(long)]
    lanes: bool,
    /// Write these executions into this folder, as SVG and as pages.
    #[arg(long, value_name = "FOLDER")]
    pictures: Option<PathBuf>,
}

/// What two threads saw.
type Outcome = (usize, usize);

struct Program {
    name: &'static str,
    /// What the two numbers of an outcome are.
    outcome: &'static str,
    run: fn() -> Outcome,
    /// The outcome that surprises a reader who takes the source as if threads took turns line by line.
    surprise: Outcome,
}

// ANCHOR: message_passing
/// One writes the data and then the flag; the other reads the flag and then the data.
fn message_passing(write: Ordering, read: Ordering) -> Outcome {
    let (data, flag) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let theirs = (data.clone(), flag.clone());
    let writing = thread::spawn(move || {
        theirs.0.store(1, Relaxed);
        theirs.1.store(1, write);
    });
    let outcome = (flag.load(read), data.load(Relaxed));
    writing.join().unwrap();
    outcome
}
// ANCHOR_END: message_passing

// ANCHOR: store_buffering
/// Each writes its own and then reads the other's.
fn store_buffering(write: Ordering, read: Ordering, between: fn()) -> Outcome {
    let (left, right) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let theirs = (left.clone(), right.clone());
    let other = thread::spawn(move || {
        theirs.1.store(1, write);
        between();
        theirs.0.load(read)
    });
    left.store(1, write);
    between();
    let mine = right.load(read);
    (mine, other.join().unwrap())
}
// ANCHOR_END: store_buffering

// ANCHOR: release_sequence
/// The flag is written with Release and then counted up by a third thread. Who reads the count with Acquire: does it
/// see what was written before the Release? Yes, if the third has used a read-modify-write, whatever its ordering.
fn release_sequence(third: fn(&AtomicUsize)) -> Outcome {
    let (data, flag) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let theirs = (data.clone(), flag.clone());
    let writing = thread::spawn(move || {
        theirs.0.store(1, Relaxed);
        theirs.1.store(1, Release);
    });
    let counted = flag.clone();
    let counting = thread::spawn(move || third(&counted));
    let outcome = (flag.load(Acquire), data.load(Relaxed));
    writing.join().unwrap();
    counting.join().unwrap();
    outcome
}

fn count_up(flag: &AtomicUsize) {
    if flag.compare_exchange(1, 2, Relaxed, Relaxed).is_err() {
        // Too early: it was not written yet.
    }
}

fn write_over(flag: &AtomicUsize) {
    if flag.load(Relaxed) == 1 {
        flag.store(2, Relaxed);
    }
}
// ANCHOR_END: release_sequence

const FLAG_DATA: &str = "(flag, data)";
const BOTH: &str = "(one saw, other saw)";

const PROGRAMS: &[Program] = &[
    Program {
        name: "message-passing-relaxed",
        outcome: FLAG_DATA,
        run: || message_passing(Relaxed, Relaxed),
        surprise: (1, 0),
    },
    Program {
        name: "message-passing-release-alone",
        outcome: FLAG_DATA,
        run: || message_passing(Release, Relaxed),
        surprise: (1, 0),
    },
    Program {
        name: "message-passing-release-acquire",
        outcome: FLAG_DATA,
        run: || message_passing(Release, Acquire),
        surprise: (1, 0),
    },
    Program {
        name: "store-buffering-release-acquire",
        outcome: BOTH,
        run: || store_buffering(Release, Acquire, || ()),
        surprise: (0, 0),
    },
    Program {
        name: "store-buffering-seqcst",
        outcome: BOTH,
        run: || store_buffering(SeqCst, SeqCst, || ()),
        surprise: (0, 0),
    },
    Program {
        name: "store-buffering-fence-acqrel",
        outcome: BOTH,
        run: || store_buffering(Relaxed, Relaxed, || fence(AcqRel)),
        surprise: (0, 0),
    },
    Program {
        name: "store-buffering-fence-seqcst",
        outcome: BOTH,
        run: || store_buffering(Relaxed, Relaxed, || fence(SeqCst)),
        surprise: (0, 0),
    },
    Program {
        name: "release-sequence-of-an-update",
        outcome: FLAG_DATA,
        run: || release_sequence(count_up),
        surprise: (2, 0),
    },
    Program {
        name: "release-sequence-broken-by-a-store",
        outcome: FLAG_DATA,
        run: || release_sequence(write_over),
        surprise: (2, 0),
    },
];

/// How many executions have each outcome.
fn outcomes(program: &Program) -> Result<BTreeMap<Outcome, usize>> {
    let seen: StdArc<StdMutex<BTreeMap<Outcome, usize>>> = StdArc::default();
    let (run, counted) = (program.run, seen.clone());
    Model::new(program.name).recording(false).explore(move || {
        let outcome = run();
        *counted.lock().unwrap().entry(outcome).or_default() += 1;
    })?;
    let seen = seen.lock().unwrap().clone();
    Ok(seen)
}

/// The first execution with the outcome that surprises, if it can come.
fn surprise(program: &Program) -> Option<Failure> {
    let (run, surprise) = (program.run, program.surprise);
    let model = Model::new(program.name);
    model.explore(move || assert!(run() != surprise, "this is how {surprise:?} comes about")).err()
}

fn main() -> Result<()> {
    let args = Args::parse();
    let wanted = |program: &&Program| args.name.as_ref().is_none_or(|name| program.name.contains(name));
    let programs: Vec<_> = PROGRAMS.iter().filter(wanted).collect();
    if programs.is_empty() {
        let known: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
        bail!(
            "no program has {:?} in its name; there are: {}",
            args.name.unwrap_or_default(),
            known.join(", ")
        );
    }
    for program in programs {
        println!("{}: {} in so many executions", program.name, program.outcome);
        for (outcome, executions) in outcomes(program)? {
            let mark = if outcome == program.surprise { "  <- surprises" } else { "" };
            println!("    {outcome:?} {executions:>5}{mark}");
        }
        let Some(failure) = surprise(program) else {
            println!("    {:?} never", program.surprise);
            continue;
        };
        if args.lanes {
            println!("\n{}", failure.text());
        }
        if let Some(folder) = &args.pictures {
            failure.write_to(folder).with_context(|| format!("--pictures {}", folder.display()))?;
        }
    }
    Ok(())
}
