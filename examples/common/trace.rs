//! `--trace FILE`: what the runtime did, recorded for the timeline and for Perfetto.
//!
//! A style on cotask runs its future with [`block_on`], which is `cotask::block_on`, with the recorder switched on
//! when the flag was given. The file is written when the work is over, so that this is not measured. A server that would
//! run for ever is stopped then. A helper process writes a file of its own: `FILE` with the helper's subcommand in its
//! name.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Command, exit};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use cotask::Builder;
use cotask::sync::Notify;
use cotask::trace::Trace;
use futures::future::{Either, select};

use super::trace_lines;

/// The last so many events are kept: about 64 MB of them.
const EVENTS: usize = 1_000_000;
/// How a helper process learns of the file.
const VARIABLE: &str = "COTASK_TRACE";
/// How long a runtime may take to stop.
const PATIENCE: Duration = Duration::from_secs(10);

static FILE: OnceLock<PathBuf> = OnceLock::new();
static RECORDED: Mutex<Recorded> = Mutex::new(Recorded { running: 0, traces: Vec::new() });
/// A runtime has ended.
static ENDED: Condvar = Condvar::new();
/// Stops a runtime.
static STOP: LazyLock<Notify> = LazyLock::new(Notify::default);
/// Whether another process records, so that there need be nothing here.
static ELSEWHERE: AtomicBool = AtomicBool::new(false);

struct Recorded {
    running: usize,
    traces: Vec<Trace>,
}

fn recorded() -> MutexGuard<'static, Recorded> {
    RECORDED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on [`block_on`] records: into the file of `--trace`, or, in a helper process with this subcommand, into one
/// beside that of the process that started it.
pub(super) fn start(flag: Option<&PathBuf>, subcommand: Option<&str>) {
    let inherited = std::env::var_os(VARIABLE).map(PathBuf::from).zip(subcommand);
    ELSEWHERE.store(inherited.is_some(), Ordering::Relaxed);
    let file = flag.cloned().or_else(|| inherited.map(|(file, role)| beside(&file, role)));
    if let Some(file) = file {
        let _ = FILE.set(file);
    }
}

/// Has a helper process record as well.
pub(super) fn tell(helper: &mut Command) {
    if let Some(file) = FILE.get() {
        helper.env(VARIABLE, file);
        ELSEWHERE.store(true, Ordering::Relaxed);
    }
}

/// Runs a future as `cotask::block_on` does, and records that when `--trace` was given.
///
/// # Panics
///
/// When there is no runtime to be had, as `cotask::block_on` does.
#[track_caller]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    if FILE.get().is_none() {
        return cotask::block_on(future);
    }
    let runtime = Builder::new().name("coroutines").trace(EVENTS).build();
    let runtime = runtime.unwrap_or_else(|error| panic!("cannot make a runtime: {error}"));
    recorded().running += 1;
    let output = runtime.block_on(async {
        match select(pin!(future), pin!(STOP.notified())).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    });
    let mut recorded = recorded();
    recorded.traces.push(runtime.take_trace());
    recorded.running -= 1;
    drop(recorded);
    ENDED.notify_all();
    // Stopped: the process is about to end, and there is no output to go on with.
    output.unwrap_or_else(|| {
        loop {
            thread::park();
        }
    })
}

/// Ends a helper process, when its trace is written.
pub(super) fn end_helper() -> ! {
    if let Err(error) = finish() {
        eprintln!("error: {error:#}");
        exit(1);
    }
    exit(0)
}

/// Writes what was recorded, if that was asked for: the first trace to the file of `--trace`, a second one to
/// `NAME-2.EXTENSION`, and so on.
pub(super) fn finish() -> Result<()> {
    let Some(file) = FILE.get() else { return Ok(()) };
    let mut recorded = stop();
    // The lock is held while this writes: the process must not end before.
    if recorded.traces.is_empty() && !ELSEWHERE.load(Ordering::Relaxed) {
        bail!("--trace: nothing was recorded, because no runtime of cotask ran in this process");
    }
    for (place, trace) in recorded.traces.drain(..).enumerate() {
        let file = if place == 0 { file.clone() } else { beside(file, &(place + 1).to_string()) };
        write(&trace, &file).with_context(|| format!("--trace {}", file.display()))?;
        eprintln!("{} events in {}, {} dropped", trace.records.len(), file.display(), trace.dropped);
    }
    ELSEWHERE.store(true, Ordering::Relaxed);
    Ok(())
}

/// Stops the runtimes that still run, and waits until they have handed their traces over.
fn stop() -> MutexGuard<'static, Recorded> {
    let start = Instant::now();
    let mut recorded = recorded();
    while recorded.running > 0 && start.elapsed() < PATIENCE {
        STOP.notify_one();
        let pause = ENDED.wait_timeout(recorded, PATIENCE / 10);
        recorded = pause.unwrap_or_else(PoisonError::into_inner).0;
    }
    recorded
}

fn beside(file: &Path, what: &str) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    file.with_file_name(format!("{stem}-{what}{}", extension.unwrap_or_default()))
}

/// `.json` is Perfetto's format, anything else lines of JSON for the timeline.
fn write(trace: &Trace, file: &Path) -> Result<()> {
    if file.extension().is_none_or(|extension| extension != "json") {
        return Ok(trace_lines::write(trace, file)?);
    }
    let mut out = BufWriter::new(File::create(file)?);
    trace.write_chrome(&mut out)?;
    Ok(out.flush()?)
}
