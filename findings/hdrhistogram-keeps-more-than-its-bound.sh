#!/usr/bin/env bash
# Question: a histogram of the crate hdrhistogram is made for values from 1 to 600,000,000. What becomes of a value above,
#           with `record` and with `saturating_record`?
# Guess:    `record` returns an error, and `saturating_record` counts the value as 600,000,000.
# Version:  hdrhistogram 7.6.0
# What happens: up to 1,073,741,823, the last value of the last bucket, both keep the value, exact to three digits. Above
#           that `record` returns an error, and `saturating_record` counts 600,000,000. So a latency of two hours, in
#           microseconds, counts as less than one of fifteen minutes.
# Source:   hdrhistogram 7.6.0, src/lib.rs, `new_with_bounds`, `record_n_inner`, `buckets_to_cover`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "observe"
version = "0.1.0"
edition = "2021"
[dependencies]
hdrhistogram = { version = "=7.6.0", default-features = false }
[workspace]
TOML
cat > src/main.rs <<'RUST'
use hdrhistogram::Histogram;

fn main() {
    let made = || Histogram::<u64>::new_with_bounds(1, 600_000_000, 3).expect("valid bounds");
    for value in [600_000_000, 900_000_000, 1_073_741_823, 1_073_741_824] {
        let mut histogram = made();
        let kept = histogram.record(value).map(|()| histogram.max());
        println!("record({value}): {}", kept.map_or("an error".into(), |max| format!("max() is {max}")));
    }
    for value in [900_000_000, 7_200_000_000] {
        let mut histogram = made();
        histogram.saturating_record(value);
        println!("saturating_record({value}): max() is {}", histogram.max());
    }
}
RUST
observed=$(cargo run --quiet)
echo "$observed"
expected='record(600000000): max() is 600309759
record(900000000): max() is 900202495
record(1073741823): max() is 1073741823
record(1073741824): an error
saturating_record(900000000): max() is 900202495
saturating_record(7200000000): max() is 600309759'
[ "$observed" = "$expected" ] || { echo "this has changed; it was:"; echo "$expected"; exit 1; }
