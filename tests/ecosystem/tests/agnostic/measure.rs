//! Runs a probe in a host and reports the outcome. Each probe has a process of its own: one that hangs stops no
//! other, and any new thread must be its library's.

use std::collections::BTreeSet;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::task::Poll;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use wait_timeout::ChildExt;

/// What is asked of the three hosts.
#[derive(Clone, Copy)]
pub struct Row {
    /// What is used.
    pub what: &'static str,
    /// Uses it, and panics if it did not do its work.
    pub probe: fn() -> LocalBoxFuture<'static, ()>,
    /// Whether it is a call that blocks until what it waits for has come.
    pub blocks: bool,
    /// Why the outcomes are so.
    pub why: &'static str,
}

/// The runtime that polls the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    Cotask,
    Tokio,
    Smol,
}

impl Host {
    pub const ALL: [Host; 3] = [Host::Cotask, Host::Tokio, Host::Smol];

    fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        match self {
            Host::Cotask => cotask::block_on(future),
            Host::Tokio => ecosystem::on_tokio::host::block_on(future),
            Host::Smol => smol::block_on(async {
                // Starts the thread of smol's reactor before those of the probe.
                sleep_on_async_io().await;
                future.await
            }),
        }
    }
}

/// Sleeps on smol's reactor for certain: a timer that expires before its first poll asks no reactor.
pub async fn sleep_on_async_io() {
    let mut timer = smol::Timer::after(Duration::from_secs(3600));
    assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut timer).poll(cx).is_pending())).await);
    timer.set_after(Duration::from_millis(1));
    timer.await;
}

/// The outcome of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Works,
    /// It works, and its library has started threads of these names for it.
    WorksOn(String),
    /// It returns what it should, and until then no other task of the thread has run.
    Blocks,
    Panics(String),
    Hangs,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Works => f.write_str("works"),
            Outcome::WorksOn(threads) => write!(f, "works + {threads}"),
            Outcome::Blocks => f.write_str("blocks"),
            Outcome::Panics(message) => write!(f, "panics: {message}"),
            Outcome::Hangs => f.write_str("hangs"),
        }
    }
}

/// The variable that names the cell to the process that measures it.
const CELL: &str = "AGNOSTIC_CELL";
/// What the process's answer begins with, among the other lines that it prints.
const ANSWER: &str = "outcome of the cell: ";
/// Longer than any probe takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures a cell, in a process of this very program that is started with `arguments` and calls [`answer`].
pub fn measure(arguments: &[&str], row: &Row, host: Host) -> Outcome {
    let mut process = Command::new(std::env::current_exe().expect("this program's file"))
        .args(arguments)
        .env(CELL, format!("{host:?} {}", row.what))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program starts");
    // The process prints one line, which fits into any pipe.
    if process.wait_timeout(PATIENCE).expect("it is a child").is_none() {
        process.kill().expect("it is a child");
        process.wait().expect("it is a child");
        return Outcome::Hangs;
    }
    let output = process.wait_with_output().expect("what it said");
    let said = String::from_utf8_lossy(&output.stdout);
    let answer = said.lines().find_map(|line| line.split_once(ANSWER)).map(|(_, answer)| answer);
    let answer =
        answer.unwrap_or_else(|| panic!("{host:?}, {}: no answer: {} {said}", row.what, output.status));
    match answer.split_once(": ") {
        Some(("panics", message)) => Outcome::Panics(message.to_owned()),
        _ if row.blocks => Outcome::Blocks,
        _ => match answer.strip_prefix("works + ") {
            Some(threads) => Outcome::WorksOn(threads.to_owned()),
            None => Outcome::Works,
        },
    }
}

/// Measures and prints the outcome, if this is the process of a cell. Returns whether it is.
pub fn answer(rows: &[Row]) -> bool {
    let Ok(cell) = std::env::var(CELL) else { return false };
    let (host, what) = cell.split_once(' ').expect("a host and a row");
    let host = Host::ALL.into_iter().find(|known| format!("{known:?}") == host).expect("a host");
    let row = rows.iter().find(|row| row.what == what).expect("a row");
    println!("\n{ANSWER}{}", outcome(host, row));
    true
}

fn outcome(host: Host, row: &Row) -> Outcome {
    std::panic::set_hook(Box::new(|_| ()));
    let probed = catch_unwind(AssertUnwindSafe(|| {
        host.block_on(async {
            let before = threads();
            (row.probe)().await;
            loop {
                let all = threads();
                let new = &all[before.len()..];
                // A thread that was just started has the name of the thread that started it, until it runs.
                let unnamed = |name: &String| all.iter().filter(|other| *other == name).count() > 1;
                if !new.iter().any(unnamed) {
                    return new.to_vec();
                }
                std::thread::yield_now();
            }
        })
    }));
    match probed {
        Ok(started) if started.is_empty() => Outcome::Works,
        Ok(started) => {
            // Numbered threads of one pool count as one.
            let names = started.iter().map(|name| name.trim_end_matches(|last: char| last.is_ascii_digit()));
            let names: BTreeSet<_> = names.map(|name| name.trim_end_matches('-')).collect();
            Outcome::WorksOn(names.into_iter().collect::<Vec<_>>().join(", "))
        }
        Err(payload) => {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
            Outcome::Panics(text.expect("a panic's message is text").replace('\n', " "))
        }
    }
}

/// The names of this process's threads, in the order in which they were started.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let mut numbered: Vec<(u32, String)> = tasks
        .filter_map(|task| {
            let number = task.file_name().to_string_lossy().parse().ok()?;
            // A thread that has just ended is not counted.
            Some((number, std::fs::read_to_string(task.path().join("comm")).ok()?.trim().to_owned()))
        })
        .collect();
    numbered.sort();
    numbered.into_iter().map(|(_, name)| name).collect()
}
