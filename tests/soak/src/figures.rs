//! What must stay flat, and when it counts as flat.

use std::fmt;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cotask::Runtime;

/// Read after a cycle, when nothing of its load is left.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Open descriptors of this process.
    pub descriptors: usize,
    /// Tasks alive in the runtime.
    pub tasks: usize,
    /// Resident memory in KiB.
    pub resident: u64,
}

impl Figures {
    /// Reads them for this process.
    ///
    /// # Errors
    /// Where there is no `/proc` of Linux.
    pub fn read(runtime: &Runtime) -> Result<Figures> {
        let descriptors = fs::read_dir("/proc/self/fd").context("/proc/self/fd")?.count();
        let rollup = fs::read_to_string("/proc/self/smaps_rollup").context("/proc/self/smaps_rollup")?;
        let resident = rollup.lines().find_map(|line| line.strip_prefix("Rss:")?.trim().strip_suffix(" kB"));
        let resident = resident.and_then(|number| number.trim().parse().ok());
        let resident = resident.context("/proc/self/smaps_rollup has no line `Rss: ... kB`")?;
        Ok(Figures { descriptors, tasks: runtime.tasks(), resident })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} descriptors, {} tasks, {:.1} MiB", self.descriptors, self.tasks, mib(self.resident))
    }
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// The figures of the run until now.
pub struct History {
    cycles: u64,
    first: Option<Figures>,
    last: Option<Figures>,
    /// Resident memory after one cycle per `interval`: a list of all cycles would itself be memory that grows.
    resident: Vec<u64>,
    interval: Duration,
}

/// How often memory is read in a run.
const READINGS: u32 = 400;

impl History {
    /// That of a run which takes so long.
    pub fn new(time: Duration) -> History {
        let resident = Vec::with_capacity(2 * READINGS as usize);
        History { cycles: 0, first: None, last: None, resident, interval: time / READINGS }
    }

    /// Cycles that have ended.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// The figures of the last cycle.
    ///
    /// # Panics
    /// Before the first.
    pub fn last(&self) -> Figures {
        self.last.expect("at least one cycle has run")
    }

    /// Adds those of one more cycle, which ended so long after the start.
    ///
    /// # Errors
    /// When there are more descriptors than after the first cycle, or any tasks.
    pub fn push(&mut self, at: Duration, figures: Figures) -> Result<()> {
        let first = *self.first.get_or_insert(figures);
        self.last = Some(figures);
        self.cycles += 1;
        if at >= self.interval * self.resident.len() as u32 {
            self.resident.push(figures.resident);
        }
        let cycle = self.cycles;
        ensure!(
            figures.descriptors <= first.descriptors,
            "{} descriptors are open after cycle {cycle}, and {} were after the first",
            figures.descriptors,
            first.descriptors
        );
        ensure!(figures.tasks == 0, "{} tasks are alive after cycle {cycle}", figures.tasks);
        Ok(())
    }

    /// Whether memory stayed flat: the median of the last quarter of the run beside that of the second.
    ///
    /// The first quarter is left out, because an allocator keeps what it has once had. Below eight readings there is no
    /// verdict on memory.
    ///
    /// # Errors
    /// When it grew by more than 5 % and 1 MiB.
    pub fn verdict(&self) -> Result<String> {
        let (cycles, readings) = (self.cycles, self.resident.len());
        if readings < 8 {
            return Ok(format!("{cycles} cycles: descriptors and tasks flat; too few to judge memory"));
        }
        let second = self.median(readings / 4, readings / 2);
        let last = self.median(readings * 3 / 4, readings);
        ensure!(
            last <= second + second / 20 + 1024,
            "resident memory grew from {:.1} MiB to {:.1} MiB (medians of the second and the last quarter of {readings} readings)",
            mib(second),
            mib(last)
        );
        Ok(format!(
            "{cycles} cycles: descriptors and tasks flat; memory {:.1} MiB in the second quarter, {:.1} MiB in the last",
            mib(second),
            mib(last)
        ))
    }

    fn median(&self, from: usize, to: usize) -> u64 {
        let mut resident = self.resident[from..to].to_vec();
        resident.sort_unstable();
        resident[resident.len() / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of 400 s with a cycle per second.
    fn history(resident: impl IntoIterator<Item = u64>) -> History {
        let mut history = History::new(Duration::from_secs(400));
        for (second, resident) in resident.into_iter().enumerate() {
            let at = Duration::from_secs(second as u64);
            history.push(at, Figures { descriptors: 9, tasks: 0, resident }).unwrap();
        }
        history
    }

    #[test]
    fn memory_that_grows_is_reported() {
        let grown = history((0..400).map(|cycle| 20_000 + cycle * 20)).verdict().unwrap_err().to_string();
        assert!(grown.starts_with("resident memory grew from 22.5 MiB to 26.4 MiB"), "{grown}");
    }

    #[test]
    fn memory_that_is_had_once_and_kept_is_flat() {
        let flat = history((0..400).map(|cycle| if cycle < 90 { 10_000 } else { 90_000 })).verdict().unwrap();
        assert!(flat.contains("87.9 MiB in the last"), "{flat}");
    }

    #[test]
    fn a_short_run_has_no_verdict_on_memory() {
        let short = history([10_000; 7]).verdict().unwrap();
        assert_eq!(short, "7 cycles: descriptors and tasks flat; too few to judge memory");
    }

    #[test]
    fn one_descriptor_more_ends_the_run() {
        let mut history = history([10_000; 10]);
        let at = Duration::from_secs(11);
        let more = Figures { descriptors: 10, tasks: 0, resident: 10_000 };
        let error = history.push(at, more).unwrap_err().to_string();
        assert_eq!(error, "10 descriptors are open after cycle 11, and 9 were after the first");
        let alive = Figures { descriptors: 9, tasks: 1, resident: 10_000 };
        assert_eq!(history.push(at, alive).unwrap_err().to_string(), "1 tasks are alive after cycle 12");
    }
}
