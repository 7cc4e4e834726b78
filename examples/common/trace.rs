//! `--trace FILE`: what the runtime did, recorded for the timeline and for Perfetto.
//!
//! A style on cotask runs its future with [`block_on`], which is `cotask::block_on`, with the recorder switched on
//! when the flag was given. The file is written when the work is over, so that this is not measured.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};
use cotask::trace::Trace;
use cotask::{Builder, Runtime};

/// The last so many events are kept: about 64 MB of them.
const EVENTS: usize = 1_000_000;

static FILE: OnceLock<PathBuf> = OnceLock::new();
static TRACES: Mutex<Vec<Trace>> = Mutex::new(Vec::new());

/// From now on [`block_on`] records.
pub(super) fn start(file: &Path) {
    let _ = FILE.set(file.to_path_buf());
}

/// A runtime, which records when `--trace` was given. Its trace is to be [kept](keep).
pub(crate) fn runtime(name: &str) -> Runtime {
    let builder = Builder::new().name(name);
    let builder = if FILE.get().is_some() { builder.trace(EVENTS) } else { builder };
    builder.build().unwrap_or_else(|error| panic!("cannot make a runtime: {error}"))
}

/// Has what `runtime` recorded written when the work is over.
pub(crate) fn keep(runtime: &Runtime) {
    let trace = runtime.take_trace();
    if !trace.records.is_empty() {
        TRACES.lock().unwrap_or_else(PoisonError::into_inner).push(trace);
    }
}

/// Runs a future as `cotask::block_on` does, and records that when `--trace` was given.
#[track_caller]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = runtime("coroutines");
    let output = runtime.block_on(future);
    keep(&runtime);
    output
}

/// Writes what was recorded, if that was asked for: the first trace to the file of `--trace`, a second one to
/// `NAME-2.EXTENSION`, and so on.
pub(super) fn finish() -> Result<()> {
    let Some(file) = FILE.get() else { return Ok(()) };
    let traces = std::mem::take(&mut *TRACES.lock().unwrap_or_else(PoisonError::into_inner));
    if traces.is_empty() {
        bail!("--trace: nothing was recorded, because no runtime of cotask ran in this process");
    }
    for (place, trace) in traces.iter().enumerate() {
        let file = if place == 0 { file.clone() } else { numbered(file, place + 1) };
        write(trace, &file).with_context(|| format!("--trace {}", file.display()))?;
        eprintln!("{} events in {}, {} dropped", trace.records.len(), file.display(), trace.dropped);
    }
    Ok(())
}

fn numbered(file: &Path, number: usize) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    file.with_file_name(format!("{stem}-{number}{}", extension.unwrap_or_default()))
}

/// `.json` is Perfetto's format, anything else lines of JSON for the timeline.
fn write(trace: &Trace, file: &Path) -> Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    if file.extension().is_some_and(|extension| extension == "json") {
        trace.write_chrome(&mut out)?;
    } else {
        trace.write_json_lines(&mut out)?;
    }
    Ok(out.flush()?)
}
