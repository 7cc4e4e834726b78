#!/usr/bin/env bash
# Question: A guard that is not Send is dropped with `drop(guard)` before the only await of an async block. Is the future Send?
# Guess: yes. The guard is moved away before the await, so the future need not keep it there.
# Version: rustc 1.95.0.
# What happens: yes, but only if the guard was never borrowed. One method call on it is a borrow (`guard.push(…)`, also
#   `guard.len()`, and `println!` of it), and then the compiler keeps room for it until its scope ends, and the future is
#   not Send. A block around the guard, or no variable for it at all, always works.
# Source: rustc 1.95.0, compiler/rustc_mir_dataflow/src/impls/storage_liveness.rs, MaybeRequiresStorage: a local that has
#   been borrowed counts as needing its storage until StorageDead, because the borrow might still be in use.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > main.rs <<'RUST'
use std::sync::Mutex;

async fn moment() {}

fn sendable<T: Send>(_: T) {}

fn main() {
    let words = Mutex::new(vec!["one"]);
    sendable(async {
        #[cfg(dropped)]
        {
            let guard = words.lock().unwrap();
            drop(guard);
            moment().await;
        }
        #[cfg(read_and_dropped)]
        {
            let guard = words.lock().unwrap();
            let _ = guard.len();
            drop(guard);
            moment().await;
        }
        #[cfg(changed_and_dropped)]
        {
            let mut guard = words.lock().unwrap();
            guard.push("two");
            drop(guard);
            moment().await;
        }
        #[cfg(in_a_block)]
        {
            {
                let mut guard = words.lock().unwrap();
                guard.push("two");
            }
            moment().await;
        }
        #[cfg(without_a_name)]
        {
            words.lock().unwrap().push("two");
            moment().await;
        }
    });
}
RUST
seen=""
for shape in dropped read_and_dropped changed_and_dropped in_a_block without_a_name; do
    if rustc --edition 2024 --cfg "$shape" -A warnings --emit metadata -o out main.rs 2>message; then
        seen+="$shape: Send"$'\n'
    else
        grep -q 'future cannot be sent between threads safely' message
        seen+="$shape: not Send"$'\n'
    fi
done
printf '%s' "$seen"
[ "$seen" = 'dropped: Send
read_and_dropped: not Send
changed_and_dropped: not Send
in_a_block: Send
without_a_name: Send
' ]
