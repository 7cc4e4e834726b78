//! The runs behind part III of the book: a small scene for each room of the runtime.
//!
//! ```text
//! cargo run --example inside -- turns
//! ```

#[macro_use]
#[path = "../common/print.rs"]
mod print;
mod beside;
mod between;
mod held;
mod instead;
mod keys;
mod one_task;
mod outside;
mod pinned;
mod scope;
mod shapes;
mod tasks;
mod threads;
mod timers;
#[path = "../common/trace_lines.rs"]
mod trace_lines;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use cotask::Builder;
use cotask::trace::Event;

/// A small scene for each room of the runtime: what the book says about it, happening.
#[derive(Parser)]
struct Args {
    scene: Scene,
    /// Write the run's trace here, as lines of JSON, for the example `timeline`
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Scene {
    /// A key goes stale, and another task lives in its slot
    Keys,
    /// Four ways for a task to end
    Tasks,
    /// Three tasks take turns, and then all sleep
    Turns,
    /// Wakes from another thread
    Mail,
    /// The last bytes and the end of a stream, in one edge
    Edges,
    /// Timers near and far, and how often the thread wakes for them
    Timers,
    /// A task that could go on without end, and one that wants its turn
    Budget,
    /// A place in a queue that is given up
    Handoff,
    /// What a notification, a channel, an answer and a lock keep for a waiter
    Between,
    /// A borrow and two kinds of lock that are held across an await
    Held,
    /// Four things that cotask does not have, made of what it has
    Instead,
    /// Several futures in one task
    OneTask,
    /// What moves and what stays
    Pinned,
    /// What is left of a function's tasks when it has returned
    Scope,
    /// Streams and sinks, closures, traits, trait objects, recursion
    Shapes,
    /// Jobs on the blocking pool
    Blocking,
    /// Four connections on two cores
    Cores,
    /// A signal that arrives before a task waits for it
    Signal,
    /// A function that stops and goes on, with no runtime at all
    Coroutine,
    /// The record of three polls
    Record,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    match args.scene {
        Scene::Keys => on_virtual_time(args, keys::scene()),
        Scene::Tasks => on_virtual_time(args, tasks::endings()),
        Scene::Turns => on_virtual_time(args, tasks::turns()),
        Scene::Timers => on_virtual_time(args, timers::scene()),
        Scene::Budget => on_virtual_time(args, beside::budget()),
        Scene::Handoff => on_virtual_time(args, beside::handoff()),
        Scene::Between => on_virtual_time(args, between::scene()),
        Scene::Held => on_virtual_time(args, held::scene()),
        Scene::OneTask => on_virtual_time(args, one_task::scene()),
        Scene::Instead => on(args, Builder::new(), instead::scene()),
        Scene::Pinned => on_virtual_time(args, pinned::scene()),
        Scene::Scope => on_virtual_time(args, scope::scene()),
        Scene::Shapes => on_virtual_time(args, shapes::scene()),
        Scene::Mail => on(args, Builder::new(), outside::mail()),
        Scene::Edges => on(args, Builder::new(), outside::edges()),
        Scene::Blocking => on(args, Builder::new(), threads::blocking()),
        Scene::Signal => on(args, Builder::new(), threads::signal()),
        Scene::Cores => threads::cores(),
        Scene::Coroutine => beside::coroutine(),
        Scene::Record => beside::record(),
    }
}

/// The clock jumps from deadline to deadline, so each run is the same as the last, to the nanosecond.
fn on_virtual_time(args: &Args, scene: impl Future<Output = Result<()>>) -> Result<()> {
    on(args, Builder::new().virtual_time(), scene)
}

fn on(args: &Args, builder: Builder, scene: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = builder.trace(10_000).name("inside").build()?;
    let ended = runtime.block_on(scene);
    let trace = runtime.take_trace();
    if let Scene::Timers = args.scene {
        let sleeps =
            trace.records.iter().filter(|record| matches!(record.event, Event::Parked { .. })).count();
        println!("the thread slept {sleeps} times");
    }
    if let Some(path) = &args.trace {
        trace_lines::write(&trace, path).with_context(|| path.display().to_string())?;
    }
    ended
}
