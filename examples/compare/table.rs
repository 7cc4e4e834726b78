//! The table that grows while the runs go on.

use super::cells::Cell;
use super::common::{Figure, Workload};

/// The names of the columns.
pub(crate) fn heading() -> String {
    let top = format!(
        "{:<15}{:<12}{:>7}{:>11}{:>7}{:>10}{:>10}{:>8}{:>10}{:>10}{:>10}{:>6}",
        "workload",
        "style",
        "n",
        "wall ms",
        "±%",
        "CPU ms",
        "peak MiB",
        "threads",
        "switches",
        "p50 ms",
        "p99 ms",
        "runs"
    );
    let rule = "-".repeat(top.chars().count());
    format!("{top}\n{rule}")
}

/// A cell as a line: medians, and how far the runs lie from the median of the wall time.
pub(crate) fn row(workload: &Workload, cell: &Cell) -> String {
    let start = format!("{:<15}{:<12}{:>7}", workload.name, cell.style, cell.n);
    if let Some(why) = cell.failure() {
        return format!("{start}  FAILED: {why}");
    }
    let wall = cell.figure(Figure::Wall);
    let figure = |figure| number(cell.figure(figure).map(|spread| spread.median));
    let spread = wall.filter(|_| cell.runs.len() > 1).map(|spread| format!("{:.0}", spread.percent()));
    let count = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.0}"));
    let threads = cell.over(|run| run.threads.map(|threads| threads as f64)).map(|spread| spread.median);
    let switches = cell.over(|run| run.switches.map(|switches| switches as f64)).map(|spread| spread.median);
    format!(
        "{start}{:>11}{:>7}{:>10}{:>10}{:>8}{:>10}{:>10}{:>10}{:>6}",
        figure(Figure::Wall),
        spread.unwrap_or_else(|| "-".into()),
        figure(Figure::Cpu),
        figure(Figure::PeakMemory),
        count(threads),
        count(switches),
        figure(Figure::P50),
        figure(Figure::P99),
        cell.runs.len(),
    )
}

/// A figure to three digits or so, with a dash for one that was not measured.
pub(crate) fn number(value: Option<f64>) -> String {
    match value {
        None => "-".to_string(),
        Some(value) if value >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        Some(value) if value >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}
