#!/usr/bin/env bash
# Question: One thread asks for an Arc's strong_count, another drops its handle. Which counts does loom show?
# Guess: 1 and 2, one in each order: loom explores every order of two operations on one object.
# Version: loom 0.7.3.
# What happens: only 2, if the thread that asks runs first in the first execution. Loom goes back from a count to a drop
#   before it, and never from a drop to a count before it: a drop counts as dependent on other drops alone. If the thread
#   yields first, both are shown.
# Source: loom 0.7.3, src/rt/arc.rs, last_dependent_access: RefDec looks at last_ref_dec and not at last_ref_inspect.
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
use loom::thread;

fn counts(yields: bool) -> Vec<usize> {
    let seen = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let noted = seen.clone();
    loom::model(move || {
        let value = Arc::new(());
        let theirs = value.clone();
        let dropping = thread::spawn(move || drop(theirs));
        if yields {
            thread::yield_now();
        }
        noted.lock().unwrap().insert(Arc::strong_count(&value));
        dropping.join().unwrap();
    });
    let seen = seen.lock().unwrap();
    seen.iter().copied().collect()
}

fn main() {
    let (at_once, after_a_yield) = (counts(false), counts(true));
    println!("counts that are shown: {at_once:?}; after a yield: {after_a_yield:?}");
    assert_eq!((at_once, after_a_yield), (vec![2], vec![1, 2]));
}
RUST
cargo run --quiet
