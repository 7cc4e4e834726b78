//! Two builds of this program that differ in nothing but cotask's recorder.
//!
//! Cargo compiles a crate once in a build, with the union of the features that are asked of it; so what a feature
//! costs can only be seen in two builds. Both are made in a target directory of their own and leave out monoio
//! and compio, to be made quickly and to be laid out as alike as may be: at ten nanoseconds a yield, where the
//! linker puts a function shows.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::rows::Row;
use crate::runtimes::Peer;

/// The two programs.
pub(crate) struct Builds {
    pub(crate) with: PathBuf,
    pub(crate) without: PathBuf,
}

impl Builds {
    /// The command that measures a yield of cotask; the number of operations is still to be added.
    pub(crate) fn measure_yields(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(["measure", &Row::Yield1000.name(), &Peer::Cotask.name()]);
        command
    }
}

/// Builds both, in seconds where nothing has changed since the last time.
pub(crate) fn build() -> Result<Builds> {
    eprintln!("recorder_off: building cotask with and without its recorder");
    Ok(Builds { with: build_one("with", &["--features", "recorder"])?, without: build_one("without", &[])? })
}

fn build_one(name: &str, features: &[&str]) -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/recorder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(&cargo)
        .args(["build", "--release", "--quiet", "--no-default-features", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        .args(features)
        .status()
        .with_context(|| format!("cannot start {}", cargo.display()))?;
    ensure!(status.success(), "the build {name} the recorder failed, see above");
    // Both builds leave their program at the same path.
    let built = target.join("release").join(format!("peers{EXE_SUFFIX}"));
    let kept = target.join(format!("{name}{EXE_SUFFIX}"));
    std::fs::copy(&built, &kept)
        .with_context(|| format!("cannot copy {} to {}", built.display(), kept.display()))?;
    Ok(kept)
}
