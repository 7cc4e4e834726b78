//! Runs a scene on a runtime of its own. In a file of its own, because recordings name its lines: a new scene moves none.

#[path = "../common/trace_lines.rs"]
mod trace_lines;

use std::path::Path;

use anyhow::{Context, Result};
use cotask::Builder;
use cotask::trace::Trace;

/// The clock jumps from deadline to deadline, so each run is the same as the last, to the nanosecond.
pub(crate) fn on_virtual_time(file: Option<&Path>, scene: impl Future<Output = Result<()>>) -> Result<Trace> {
    on(file, Builder::new().virtual_time(), scene)
}

/// Runs the scene. Its trace goes to the file, if there is one, and is returned.
pub(crate) fn on(
    file: Option<&Path>,
    builder: Builder,
    scene: impl Future<Output = Result<()>>,
) -> Result<Trace> {
    let runtime = builder.trace(10_000).name("inside").build()?;
    let ended = runtime.block_on(scene);
    let trace = runtime.take_trace();
    if let Some(file) = file {
        trace_lines::write(&trace, file).with_context(|| file.display().to_string())?;
    }
    ended.map(|()| trace)
}
