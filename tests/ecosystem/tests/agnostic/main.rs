//! Which parts of a runtime work inside another one: each row of the table that the example `agnostic` prints is a
//! claim, and is measured here again.
#![cfg(target_os = "linux")]

mod measure;
mod probes;
mod rows;

use measure::{Host, Outcome, answer, measure};
use rows::rows;

/// What is claimed of a row: the outcomes inside cotask, tokio and smol. Of a panic's message, a part.
type Claim = (&'static str, [&'static str; 3]);

/// Channels and locks need a waker and no more. So does whatever polls its parts in place.
const AGNOSTIC: &[&str] = &[
    "cotask::sync::mpsc",
    "cotask::sync::oneshot",
    "cotask::sync::Notify",
    "cotask::sync::Semaphore",
    "cotask::sync::Mutex",
    "cotask::yield_now",
    "coroutine",
    "cotask::Handle::spawn",
    "tokio::sync",
    "tokio::io::duplex",
    "tokio::select!",
    "tokio::task::yield_now",
    "tokio::time::sleep, entered",
    "async-channel",
    "async-lock",
    "smol::LocalExecutor",
    "futures::channel",
    "futures::lock::Mutex",
    "FuturesUnordered",
    "futures::select!",
];

const NO_COTASK: &str = "panics: needs a cotask runtime on this thread: call it inside `cotask::block_on`";
const NO_TOKIO: &str =
    "panics: there is no reactor running, must be called from the context of a Tokio 1.x runtime";

/// Timers, sockets and tasks belong to a runtime.
const BOUND: &[Claim] = &[
    ("cotask::time::sleep", ["works", NO_COTASK, NO_COTASK]),
    ("cotask::time::timeout", ["works", NO_COTASK, NO_COTASK]),
    ("cotask::time::interval", ["works", NO_COTASK, NO_COTASK]),
    ("cotask::net", ["works", NO_COTASK, NO_COTASK]),
    ("cotask::spawn", ["works", NO_COTASK, NO_COTASK]),
    ("cotask::spawn_blocking", ["works + cotask-blocking", NO_COTASK, NO_COTASK]),
    ("tokio::time::sleep", [NO_TOKIO, "works", NO_TOKIO]),
    ("tokio::net", [NO_TOKIO, "works", NO_TOKIO]),
    ("tokio::spawn", [NO_TOKIO, "works", NO_TOKIO]),
    ("tokio::task::spawn_blocking", [NO_TOKIO, "works + tokio-rt-worker", NO_TOKIO]),
];

/// smol's timers, sockets and tasks belong to the process, which has a thread for them.
const OF_THE_PROCESS: &[Claim] = &[
    ("smol::Timer", ["works + async-io", "works + async-io", "works"]),
    ("smol::net", ["works + async-io", "works + async-io", "works"]),
    ("smol::spawn", ["works + async-io, smol", "works + async-io, smol", "works + smol"]),
    ("smol::unblock", ["works + blocking"; 3]),
];

/// Only the runtime to which a blocking call belongs notices it, on its own threads, if at all.
const BLOCKING: &[Claim] = &[
    (
        "cotask: blocking_recv",
        ["panics: inside a task would stop every task of this thread", "blocks", "blocks"],
    ),
    ("tokio: blocking_recv", ["blocks", "panics: Cannot block the current thread", "blocks"]),
    ("cotask::block_on, nested", ["panics: called inside a runtime", "blocks", "blocks"]),
    ("tokio: block_on, nested", ["blocks", "panics: Cannot start a runtime from within a runtime", "blocks"]),
    ("smol::block_on, nested", ["blocks"; 3]),
];

fn hold(claims: &[Claim]) {
    let rows = rows();
    for (what, claimed) in claims {
        let row = rows.iter().find(|row| row.what == *what).unwrap_or_else(|| panic!("no row {what}"));
        for (host, claimed) in Host::ALL.into_iter().zip(claimed) {
            let measured = measure(&["--exact", "a_cell", "--ignored", "--nocapture"], row, host);
            let holds = match (&measured, claimed.split_once("panics: ")) {
                (Outcome::Panics(message), Some((_, part))) => message.contains(part),
                _ => measured.to_string() == *claimed,
            };
            assert!(holds, "{what} inside {host:?}: claimed is {claimed:?}, and it {measured}");
        }
    }
}

#[test]
fn what_needs_no_more_than_a_waker_works_anywhere() {
    hold(&AGNOSTIC.iter().map(|what| (*what, ["works"; 3])).collect::<Vec<_>>());
}

#[test]
fn timers_sockets_and_tasks_need_their_runtime_and_say_so() {
    hold(BOUND);
}

#[test]
fn those_of_smol_bring_threads_of_their_own() {
    hold(OF_THE_PROCESS);
}

#[test]
fn what_blocks_is_noticed_by_its_own_runtime_at_most() {
    hold(BLOCKING);
}

#[test]
fn every_row_is_claimed_and_says_why() {
    assert!(rows().iter().all(|row| !row.why.is_empty()));
    let claimed = [BOUND, OF_THE_PROCESS, BLOCKING].concat();
    let claimed = AGNOSTIC.iter().copied().chain(claimed.into_iter().map(|(what, _)| what));
    let (mut claimed, mut rows): (Vec<_>, Vec<_>) =
        (claimed.collect(), rows().iter().map(|row| row.what).collect());
    claimed.sort();
    rows.sort();
    assert_eq!(claimed, rows);
}

/// Measures one cell, in the process that the other tests start.
#[test]
#[ignore = "is what the others start"]
fn a_cell() {
    answer(&rows());
}
