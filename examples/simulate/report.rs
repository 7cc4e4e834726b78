//! What is told of a search, and of a run.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use cotask::sim::{Found, Report, Searched, Shrunk};

use crate::Args;
use crate::run::rate;
use crate::scenarios::{SCENARIOS, Scenario};

/// All programs, a line each.
pub(crate) fn list() -> String {
    let line = |scenario: &Scenario| {
        let repaired = if scenario.has_bug { " (and --repaired)" } else { "" };
        format!("{:<10}{}{repaired}\n", scenario.name, scenario.about)
    };
    SCENARIOS.iter().map(line).collect()
}

/// What a search came to.
pub(crate) fn summary(args: &Args, scenario: &Scenario, searched: &Searched, took: Duration) -> String {
    let mut text = format!("{}{}\n", scenario.name, if args.repaired { ", repaired" } else { "" });
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<14}{value}");
    };
    let twice = if args.check_determinism { ", each twice" } else { "" };
    line(
        "seeds",
        format!(
            "{} in {:.1} s{twice}: {:.0} a minute",
            searched.seeds,
            took.as_secs_f64(),
            rate(searched, took)
        ),
    );
    line("virtual time", humantime::format_duration(whole(searched.virtual_time)).to_string());
    let faults: Vec<_> = searched.faults.iter().map(|(kind, count)| format!("{kind:?} {count}")).collect();
    line("faults", if faults.is_empty() { "none happened".into() } else { faults.join(", ") });
    line("failed", searched.failed.len().to_string());
    if args.check_determinism {
        let first = searched.differing.first().map(|seed| format!(", the first: seed {seed}"));
        line("runs differed", format!("{}{}", searched.differing.len(), first.unwrap_or_default()));
    }
    line("hash", format!("{:016x}", searched.hash));
    text
}

/// A seed that fails, as it was found.
pub(crate) fn failure(seed: u64, found: &Found) -> String {
    format!(
        "seed {seed} fails after {:?} of virtual time: {}\n",
        found.at,
        indented(&found.failure.to_string())
    )
}

/// What it takes to fail so.
pub(crate) fn shrunk(found: &Found, shrunk: &Shrunk) -> String {
    let (before, after) = (found.plan.faults.len(), shrunk.plan.faults.len());
    let mut text =
        format!("  of {before} planned faults it takes {after} (found in {} runs):\n", shrunk.runs);
    for line in shrunk.plan.to_string().lines() {
        let _ = writeln!(text, "    {line}");
    }
    let _ = writeln!(
        text,
        "  with them it fails after {:?}: {}",
        shrunk.at,
        indented(&shrunk.failure.to_string())
    );
    text
}

/// How to see it again.
pub(crate) fn replay(args: &Args, scenario: &Scenario, seed: u64, plan: &Path, timeline: &Path) -> String {
    let flags = [(args.repaired, " --repaired"), (args.fifo, " --fifo")];
    let flags: String = flags.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag).collect();
    let (plan, timeline) = (plan.display(), timeline.display());
    format!(
        "  again:    cargo run --release --example simulate -- --scenario {} --seed {seed}{flags} --plan {plan}\n  \
         timeline: {timeline} (cargo run --release --example timeline -- {timeline})\n",
        scenario.name,
    )
}

/// One run.
pub(crate) fn one(args: &Args, scenario: &Scenario, seed: u64, report: &Report<()>, differs: bool) -> String {
    let repaired = if args.repaired { ", repaired" } else { "" };
    let mut text = format!("{}{repaired}, seed {seed}\n", scenario.name);
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<14}{value}");
    };
    let result = match &report.result {
        Ok(()) => "as it should be".to_string(),
        Err(failure) => format!("failed: {}", indented(&failure.to_string())),
    };
    line("result", result);
    line("virtual time", format!("{:?}", report.virtual_time));
    line("events", (report.trace.records.len() as u64 + report.trace.dropped).to_string());
    let faults: Vec<_> = report.faults.iter().map(|(kind, count)| format!("{kind:?} {count}")).collect();
    line("faults", if faults.is_empty() { "none happened".into() } else { faults.join(", ") });
    line("hash", format!("{:016x}", report.hash));
    if args.check_determinism {
        line("second run", if differs { "DIFFERS" } else { "the same" }.into());
    }
    text
}

fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}

fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}
