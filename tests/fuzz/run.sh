#!/usr/bin/env bash
# Sets a coverage-guided fuzzer on the parsers: bash tests/fuzz/run.sh [SECONDS [TARGET]...]
# Fails if an input panics, takes more than 10 s or takes the process above 256 MiB; it stands then in target/fuzz/found.
set -euo pipefail
cd "$(dirname "$0")/libfuzzer"
seconds=${1:-60}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- $(ls ../corpus)
target=../../../target/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')

# What `cargo fuzz` passes, but for the sanitizer, which needs a nightly compiler: there is no unsafe code here to watch.
coverage="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares"
# With a target named, build scripts are built without the flags.
RUSTFLAGS="$coverage" cargo build --release --target "$host" --target-dir "$target"

failed=0
for name in "$@"; do
    new="$target/corpus/$name"
    log="$target/$name.log"
    mkdir -p "$new" "$target/found"
    code=0
    TARGET="$name" "$target/$host/release/fuzz-with-coverage" "$new" "../corpus/$name" -max_total_time="$seconds" \
        -max_len=4096 -timeout=10 -rss_limit_mb=256 -malloc_limit_mb=256 -artifact_prefix="$target/found/$name-" \
        -print_final_stats=1 >"$log" 2>&1 || code=$?
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    edges=$(grep -oE 'cov: [0-9]+' "$log" | tail -1 || true)
    echo "$name: $(stat number_of_executed_units) inputs in $seconds s, ${edges#cov: } edges, peak $(stat peak_rss_mb) MiB"
    if [ $code -ne 0 ]; then
        failed=1
        grep -E 'panicked at|ERROR: libFuzzer|Test unit written' -A1 "$log" || tail -5 "$log"
    fi
done
exit $failed
