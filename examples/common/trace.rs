//! `--trace FILE`: what the runtime did, recorded for the timeline and for Perfetto.
//!
//! A style on cotask runs its future with [`block_on`], which is `cotask::block_on`, with the recorder switched on
//! when the flag was given. The file is written when the work has finished, so that writing is not measured. It is also
//! written when the work fails, and when Ctrl-C or SIGTERM ends it: a run that hangs is the one whose trace is needed.
//! What still runs then goes on running; its trace ends with what it does at that moment. A helper process writes a
//! file of its own: `FILE` with the helper's subcommand in its name.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, ensure};
use cotask::trace::Trace;
use cotask::{Builder, Handle};

use super::{perfetto, trace_lines};

/// The last so many events are kept: about 64 MB of them.
const EVENTS: usize = 1_000_000;
/// How a helper process learns of the file.
const VARIABLE: &str = "COTASK_TRACE";

static FILE: OnceLock<PathBuf> = OnceLock::new();
/// The runtimes that record, in the order in which they began; `None` once their traces are written.
static RECORDING: Mutex<Option<Vec<Handle>>> = Mutex::new(Some(Vec::new()));

/// From now on [`block_on`] records: into the file of `--trace`, or, in a helper process with this subcommand, into one
/// beside that of the process that started it.
///
/// # Errors
///
/// When the file of `--trace` cannot be written.
pub(super) fn start(flag: Option<&PathBuf>, subcommand: Option<&str>) -> Result<()> {
    let inherited = std::env::var_os(VARIABLE).map(PathBuf::from).zip(subcommand);
    if let Some(file) = flag {
        super::writable(file).with_context(|| at_fault(file))?;
    }
    let file = flag.cloned().or_else(|| inherited.map(|(file, role)| beside(&file, role)));
    if let Some(file) = file {
        let _ = FILE.set(file);
    }
    Ok(())
}

/// Has a helper process record as well.
pub(super) fn tell(helper: &mut Command) {
    if let Some(file) = FILE.get() {
        helper.env(VARIABLE, file);
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
    // Through the handle the trace can be had in any case: while this runs, and after a panic.
    let mut recording = RECORDING.lock().unwrap_or_else(PoisonError::into_inner);
    recording.iter_mut().for_each(|handles| handles.push(runtime.handle()));
    drop(recording);
    runtime.block_on(future)
}

/// Writes what was recorded, if that was asked for and has not been done: the first trace to the file of `--trace`, a
/// second one to `NAME-2.EXTENSION`, and so on.
///
/// # Errors
///
/// When a file cannot be written, and when there is nothing to write although this process has the flag.
pub(super) fn finish() -> Result<()> {
    let Some(file) = FILE.get() else { return Ok(()) };
    // The lock is held while this writes: the process must not end before.
    let mut recording = RECORDING.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(handles) = recording.take() else { return Ok(()) };
    for (place, handle) in handles.iter().enumerate() {
        let file = if place == 0 { file.clone() } else { beside(file, &(place + 1).to_string()) };
        let trace = handle.take_trace();
        write(&trace, &file).with_context(|| at_fault(&file))?;
        eprintln!("{} events in {}, {} dropped", trace.records.len(), file.display(), trace.dropped);
    }
    let helper = std::env::var_os(VARIABLE).is_some();
    ensure!(
        helper || !handles.is_empty(),
        "--trace: nothing was recorded, because no runtime of cotask has started"
    );
    Ok(())
}

fn at_fault(file: &Path) -> String {
    format!("--trace {}", file.display())
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
    perfetto::write(trace, &mut out)?;
    Ok(out.flush()?)
}
