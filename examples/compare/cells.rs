//! Runs, gathered: a cell is a workload in one style at one N, run several times.

use std::collections::HashMap;

use super::common::{Figure, Run, Style, Workload};

/// All runs of one workload in one style at one N.
pub(crate) struct Cell {
    pub(crate) style: Style,
    pub(crate) n: u64,
    pub(crate) runs: Vec<Run>,
    /// Counted in a run apart.
    pub(crate) system_calls: Option<u64>,
}

/// A figure over the runs of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// How far the runs lie from the median at most, in percent of it; `None` with fewer than two runs' worth of spread.
    pub(crate) fn percent(&self) -> f64 {
        if self.median == 0.0 {
            return 0.0;
        }
        (self.high - self.median).max(self.median - self.low) / self.median * 100.0
    }
}

impl Cell {
    /// Returns why the cell has no figures: the first run that failed.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.runs.iter().find(|run| !run.ok).map(|run| run.why.as_str())
    }

    /// The median and the range of `value` over the runs; `None` where a run does not have it.
    pub(crate) fn over(&self, value: impl Fn(&Run) -> Option<f64>) -> Option<Spread> {
        let mut values: Vec<f64> = self.runs.iter().map(value).collect::<Option<_>>()?;
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Some(Spread { low, median, high })
    }

    /// The median and the range of a figure, in the unit of [`unit`].
    pub(crate) fn figure(&self, figure: Figure) -> Option<Spread> {
        self.over(|run| match figure {
            Figure::Wall => run.wall_ms,
            Figure::Cpu => run.cpu_ms,
            Figure::CpuEach => run.cpu_ms.map(|ms| ms * 1e3 / run.operations.max(1) as f64),
            Figure::PeakMemory => run.peak_pss_kib.map(|kib| kib as f64 / 1024.0),
            Figure::P50 => run.p50_us.map(|us| us as f64 / 1e3),
            Figure::P99 => run.p99_us.map(|us| us as f64 / 1e3),
        })
    }
}

/// The words for a figure, and its unit.
pub(crate) fn title(figure: Figure) -> (&'static str, &'static str) {
    match figure {
        Figure::Wall => ("wall time", "ms"),
        Figure::Cpu => ("CPU time", "ms"),
        Figure::CpuEach => ("CPU time an operation", "µs"),
        Figure::PeakMemory => ("peak memory", "MiB"),
        Figure::P50 => ("median latency", "ms"),
        Figure::P99 => ("p99 latency", "ms"),
    }
}

/// What was measured of one workload.
pub(crate) struct Group {
    pub(crate) workload: &'static Workload,
    pub(crate) cells: Vec<Cell>,
}

impl Group {
    /// The cells of the table: each style at the largest N that it was run at.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Cell> {
        self.workload.styles.iter().filter_map(|source| {
            self.cells.iter().filter(|cell| cell.style == source.style).max_by_key(|cell| cell.n)
        })
    }

    /// The largest N that any style was run at.
    pub(crate) fn largest(&self) -> u64 {
        self.cells.iter().map(|cell| cell.n).max().unwrap_or(0)
    }

    /// A style's cell at the largest N, if it was run at that.
    pub(crate) fn at_largest(&self, style: Style) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.style == style && cell.n == self.largest())
    }

    /// Puts a run into its cell.
    pub(crate) fn add(&mut self, style: Style, n: u64, run: Run) {
        match self.cells.iter_mut().find(|cell| cell.style == style && cell.n == n) {
            Some(cell) => cell.runs.push(run),
            None => self.cells.push(Cell { style, n, runs: vec![run], system_calls: None }),
        }
    }

    /// Fails the runs at `n` whose answer is not the one that most runs at `n` gave.
    pub(crate) fn check_answers(&mut self, n: u64) {
        let mut votes: HashMap<&str, usize> = HashMap::new();
        for run in
            self.cells.iter().filter(|cell| cell.n == n).flat_map(|cell| &cell.runs).filter(|run| run.ok)
        {
            *votes.entry(&run.answer).or_default() += 1;
        }
        let most = votes.into_iter().max_by_key(|(answer, count)| (*count, *answer));
        let Some(agreed) = most.map(|(answer, _)| answer.to_string()) else { return };
        for run in self.cells.iter_mut().filter(|cell| cell.n == n).flat_map(|cell| &mut cell.runs) {
            if run.ok && run.answer != agreed {
                run.ok = false;
                run.why = format!("wrong answer {}, where most runs gave {agreed}", run.answer);
            }
        }
    }
}

/// All that was measured.
pub(crate) struct Results {
    pub(crate) groups: Vec<Group>,
}

impl Results {
    pub(crate) fn new() -> Results {
        Results { groups: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.cells.is_empty())
    }

    /// Every single run.
    pub(crate) fn runs(&self) -> Vec<&Run> {
        self.groups.iter().flat_map(|group| &group.cells).flat_map(|cell| &cell.runs).collect()
    }
}
