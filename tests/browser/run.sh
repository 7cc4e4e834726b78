#!/usr/bin/env bash
# Drives the timeline's page and the book in a headless Chromium. Installs what it needs where it may; without a browser it says
# SKIPPED and succeeds. Leaves the traces, the pages and screenshots in target/browser.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() {
  echo "tests/browser: SKIPPED: $1"
  exit 0
}

browser() {
  for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
    command -v "$name" && return
  done
  return 1
}

command -v node > /dev/null || skip "no Node.js here"
if ! { browser && command -v pdftotext; } > /dev/null && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  (apt-get update && apt-get install --yes --no-install-recommends chromium poppler-utils) > /dev/null 2>&1 || true
fi
CHROMIUM=$(browser) || skip "no Chromium here: install the package chromium, or name the program in \$CHROMIUM"
export CHROMIUM
(cd tests/browser && npm ci --no-audit --no-fund --silent) || skip "playwright-core could not be installed"

out=target/browser
mkdir -p "$out"
cargo build --quiet --release --example rates --example timeline
rates=target/release/examples/rates
timeline=target/release/examples/timeline
"$rates" --pairs 5 --latency 50ms --jitter 0ms --trace "$out/five.jsonl" > /dev/null
"$rates" --pairs 6000 --latency 10ms --trace "$out/many.jsonl" > /dev/null
"$timeline" "$out/five.jsonl" --title "five <rates> & 50 ms each" --out "$out/five.html"
"$timeline" "$out/many.jsonl" --title "6,000 rates" --out "$out/many.html"
"$timeline" "$out/five.jsonl" --svg "$out/five.svg"
node --test tests/browser/timeline.test.mjs
cargo book -- build
node --test tests/browser/book.test.mjs
