#!/usr/bin/env bash
# Question:     A loom model has some hundred executions. How many run with LOOM_MAX_PERMUTATIONS=10?
# Guess:        10, because the variable is described as the maximum number of permutations to explore.
# Version:      loom 0.7.3
# What happens: All of them. Loom looks at this limit, and at LOOM_MAX_DURATION, only when it may write a checkpoint: each
#               20,000 executions, or as often as LOOM_CHECKPOINT_INTERVAL says. With that at 1 it
#               stops after 9: it looks before it runs the tenth.
# Source:       loom, 0.7.3, src/model.rs (Builder::check)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "permutations"
version = "0.1.0"
edition = "2021"

[dependencies]
loom = "=0.7.3"

[workspace]
TOML
cat >src/main.rs <<'RUST'
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::sync::Arc;

static EXECUTIONS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

fn main() {
    loom::model(|| {
        EXECUTIONS.fetch_add(1, Relaxed);
        let count = Arc::new(AtomicUsize::new(0));
        let threads = [0, 1].map(|_| {
            let count = count.clone();
            loom::thread::spawn(move || {
                count.fetch_add(1, Relaxed);
                count.fetch_add(1, Relaxed);
            })
        });
        count.fetch_add(1, Relaxed);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    println!("{}", EXECUTIONS.load(Relaxed));
}
RUST
cargo build --quiet
all=$(./target/debug/permutations)
limited=$(LOOM_MAX_PERMUTATIONS=10 ./target/debug/permutations)
with_interval=$(LOOM_MAX_PERMUTATIONS=10 LOOM_CHECKPOINT_INTERVAL=1 ./target/debug/permutations)
echo "executions: $all without a limit, $limited with LOOM_MAX_PERMUTATIONS=10, $with_interval with that and LOOM_CHECKPOINT_INTERVAL=1"
[ "$all" -gt 100 ] && [ "$limited" -eq "$all" ] && [ "$with_interval" -eq 9 ]
