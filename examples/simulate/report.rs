//! The reports of a search and of a run.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use cotask::sim::{Found, Plan, Report, Searched, Shrunk};

use crate::Args;
use crate::run::rate;
use crate::scenarios::{SCENARIOS, Scenario};
use crate::story;

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
    text += &listed(&shrunk.plan.in_words());
    let (first, message) = (found.failure.to_string(), shrunk.failure.to_string());
    let _ = writeln!(text, "  with them it fails after {:?}: {}", shrunk.at, indented(&message));
    if first != message {
        text += "  this message is another one than above: with fewer faults the same failure has other numbers\n";
    }
    text
}

fn listed(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
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

/// One run, of which all was recorded.
pub(crate) fn one(
    args: &Args,
    scenario: &Scenario,
    seed: u64,
    plan: &Plan,
    report: &Report<()>,
    differs: bool,
) -> String {
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
    line("hash", format!("{:016x}", report.hash));
    if args.check_determinism {
        line("second run", if differs { "DIFFERS" } else { "the same" }.into());
    }
    let planned = "  faults that were planned, and what each means; those after the virtual time above were not reached";
    let _ = writeln!(text, "{planned}");
    text += &listed(&plan.in_words());
    let _ = writeln!(text, "  faults that acted before the end, and how often");
    for (kind, count) in &report.faults {
        let _ = writeln!(text, "    {:<20}{count:>6}  # {}", format!("{kind:?}"), kind.in_words());
    }
    let _ = writeln!(text, "  what each host did last (--last N shows more, --timeline FILE saves all)");
    text + &story::last(&report.trace.records, args.last)
}

/// Whether the plan that was given makes another failure than the one that belongs to the seed.
pub(crate) fn compared(given: &Report<()>, drawn: &Report<()>) -> String {
    let message = |report: &Report<()>| report.result.as_ref().map_err(ToString::to_string).err();
    match message(drawn) {
        own if own == message(given) => String::new(),
        None => "  with the faults that are drawn from the seed it does not fail\n".into(),
        Some(own) => format!(
            "  this message is another one than with the faults that are drawn from the seed: {}\n",
            indented(&own)
        ),
    }
}

fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}

fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}
