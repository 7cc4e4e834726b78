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
mod stage;
mod tasks;
mod threads;
mod timers;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use cotask::Builder;

use stage::{on, on_virtual_time};

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
    let trace = args.trace.as_deref();
    match args.scene {
        Scene::Keys => on_virtual_time(trace, keys::scene()),
        Scene::Tasks => on_virtual_time(trace, tasks::endings()),
        Scene::Turns => on_virtual_time(trace, tasks::turns()),
        Scene::Timers => on_virtual_time(trace, timers::scene()).inspect(timers::count_sleeps),
        Scene::Budget => on_virtual_time(trace, beside::budget()),
        Scene::Handoff => on_virtual_time(trace, beside::handoff()),
        Scene::Between => on_virtual_time(trace, between::scene()),
        Scene::Held => on_virtual_time(trace, held::scene()),
        Scene::OneTask => on_virtual_time(trace, one_task::scene()),
        Scene::Instead => on(trace, Builder::new(), instead::scene()),
        Scene::Pinned => on_virtual_time(trace, pinned::scene()),
        Scene::Scope => on_virtual_time(trace, scope::scene()),
        Scene::Shapes => on_virtual_time(trace, shapes::scene()),
        Scene::Mail => on(trace, Builder::new(), outside::mail()),
        Scene::Edges => on(trace, Builder::new(), outside::edges()),
        Scene::Blocking => on(trace, Builder::new(), threads::blocking()),
        Scene::Signal => on(trace, Builder::new(), threads::signal()),
        Scene::Cores => return threads::cores(),
        Scene::Coroutine => return beside::coroutine(),
        Scene::Record => return beside::record(),
    }
    .map(drop)
}
