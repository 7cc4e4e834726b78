#!/usr/bin/env bash
# Question: A thread stores with Relaxed, unparks another, and sets a flag with Relaxed. The other sees the flag and does
#   not park. Must it see what was stored?
# Guess: no, and loom shows that it may not: only a park that takes the token orders anything.
# Version: loom 0.7.3.
# What happens: loom never shows it. Its unpark hands over at once all that the unparking thread has seen, to a thread that
#   runs and never parks. So a model passes that relies on an order which std does not promise. Without the unpark loom
#   shows the old value.
# Source: loom 0.7.3, src/rt/thread.rs, Thread::unpark joins the causality of the two threads. Rust 1.89's documentation
#   of std::thread::park, "Memory Ordering": calls to unpark synchronize with calls to park.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"

[dependencies]
loom = "=0.7.3"
TOML
cat > src/main.rs <<'RUST'
use std::collections::BTreeSet;
use std::sync::Mutex;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

fn seen_behind_the_flag(unparks: bool) -> Vec<usize> {
    let seen = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let noted = seen.clone();
    loom::model(move || {
        let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let (theirs, noted) = (shared.clone(), noted.clone());
        let reading = thread::spawn(move || {
            if theirs.1.load(Relaxed) == 1 {
                noted.lock().unwrap().insert(theirs.0.load(Relaxed));
            }
        });
        shared.0.store(1, Relaxed);
        if unparks {
            reading.thread().unpark();
        }
        shared.1.store(1, Relaxed);
        reading.join().unwrap();
    });
    let seen = seen.lock().unwrap();
    seen.iter().copied().collect()
}

fn main() {
    let (with, without) = (seen_behind_the_flag(true), seen_behind_the_flag(false));
    println!("values behind the flag with an unpark: {with:?}; without: {without:?}");
    assert_eq!((with, without), (vec![1], vec![0, 1]));
}
RUST
cargo run --quiet
