//! Counts system calls, where strace is there to do it.
//!
//! Tracing makes a program several times slower, so it happens in a run apart, of which only the count is used. The count is of
//! the whole process from its start, without the processes that it starts itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::common::Style;

/// Whether this machine has an strace that can be used: some systems forbid tracing.
pub(crate) fn available() -> bool {
    let mut command = Command::new("strace");
    command.args(["-f", "-b", "execve", "-c", "-o", "/dev/null", "true"]);
    command.stdin(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Whether the count means something: the work of other processes is not in it.
pub(crate) fn countable(style: Style) -> bool {
    !matches!(style, Style::Processes | Style::Asyncio)
}

/// Where strace is to write its summary.
pub(crate) fn summary_file() -> PathBuf {
    std::env::temp_dir().join(format!("cotask-system-calls-{}", std::process::id()))
}

/// The command that runs `program` under strace, up to the program's own arguments. A process that the program starts
/// is left alone from its `execve` on.
pub(crate) fn command(program: &Path, summary: &Path) -> Command {
    let mut command = Command::new("strace");
    let arguments: [&str; 6] = ["-f", "-b", "execve", "-c", "-S", "calls"];
    command.args(arguments.map(OsString::from)).arg("-o").arg(summary).arg(program);
    command
}

/// The number in the line `100.00 0.012 7 1431 212 total`, whose errors column may be missing.
pub(crate) fn total(summary: &str) -> Option<u64> {
    let line = summary.lines().rev().find(|line| line.trim_end().ends_with("total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}
