//! What one run measured, and the two clocks it is measured with.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The result of one measured run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// CPU time of the whole process in nanoseconds an operation, or whatever the row's unit is.
    pub(crate) value: f64,
    /// Wall-clock nanoseconds an operation, where the row measures time.
    pub(crate) wall: Option<f64>,
}

/// Runs both clocks from `start` to `stop`.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Stopwatch { wall: Instant::now(), cpu: process_cpu_time() }
    }

    /// The time since `start`, shared out over `operations`.
    pub(crate) fn stop(&self, operations: u64) -> Sample {
        self.stop_with_cpu(process_cpu_time() - self.cpu, operations)
    }

    /// As `stop`, with the CPU time of another process: a load generator times its server this way.
    pub(crate) fn stop_with_cpu(&self, cpu: Duration, operations: u64) -> Sample {
        let each = |spent: Duration| spent.as_nanos() as f64 / operations as f64;
        Sample { value: each(cpu), wall: Some(each(self.wall.elapsed())) }
    }
}

/// User and system time of every thread of this process, also of those that have ended.
pub(crate) fn process_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // The clock counts up from zero, so neither field is ever negative.
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// User and system time of each thread of this process, by its identity.
///
/// The system brings a thread's count up to date when it stops running: ask while the threads of interest sleep.
pub(crate) fn thread_cpu_times() -> io::Result<HashMap<OsString, Duration>> {
    let mut times = HashMap::new();
    for thread in std::fs::read_dir("/proc/self/task")? {
        let thread = thread?;
        // A thread may end while we look; those that are wanted do not.
        let Ok(text) = std::fs::read_to_string(thread.path().join("schedstat")) else { continue };
        let nanoseconds = text.split_whitespace().next().and_then(|number| number.parse().ok());
        times.insert(thread.file_name(), Duration::from_nanos(nanoseconds.unwrap_or(0)));
    }
    Ok(times)
}

/// Binds this thread, and every thread it starts from now on, to one core.
pub(crate) fn pin(core: usize) -> io::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("cannot pin this process to core {core}: {error}"))
    })
}

/// Bytes of this process that are in memory now.
///
/// `smaps_rollup` counts page by page. `VmRSS` of `/proc/self/status` is summed from per-thread counters that
/// lag behind by up to 64 pages each, which at 10,000 connections is as much as the rows differ.
pub(crate) fn resident_bytes() -> io::Result<u64> {
    let path = "/proc/self/smaps_rollup";
    let text = std::fs::read_to_string(path)?;
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("Rss:")?.trim().strip_suffix(" kB"));
    match kilobytes.and_then(|number| number.trim().parse::<u64>().ok()) {
        Some(kilobytes) => Ok(kilobytes * 1024),
        None => Err(io::Error::new(io::ErrorKind::InvalidData, format!("{path} has no line `Rss: ... kB`"))),
    }
}
