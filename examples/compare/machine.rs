//! The machine and the versions, to stand beside the figures.

use std::process::Command;

/// One line each: a name, and what this machine says.
pub(crate) fn describe() -> Vec<(&'static str, String)> {
    let cores = std::thread::available_parallelism().map_or("?".to_string(), |cores| cores.to_string());
    let mut lines = vec![
        ("cores", cores),
        ("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        ("cotask", locked("workloads", "cotask")),
        ("tokio", locked("workloads", "tokio")),
        ("mio", locked("cotask", "mio")),
        (
            "build",
            if cfg!(debug_assertions) { "debug: the figures mean little" } else { "release" }.to_string(),
        ),
        ("rustc", output("rustc", "--version").unwrap_or_else(|| "not found on this machine".into())),
    ];
    if let Some(python) = python() {
        lines.push(("python", python));
    }
    lines.extend(of_linux());
    lines
}

#[cfg(target_os = "linux")]
fn of_linux() -> Vec<(&'static str, String)> {
    use procfs::{CpuInfo, Current, Meminfo};
    let mut lines = Vec::new();
    if let Ok(cpu) = CpuInfo::current()
        && let Some(model) = cpu.model_name(0)
    {
        lines.push(("processor", model.to_string()));
    }
    if let Ok(memory) = Meminfo::current() {
        lines.push(("memory", format!("{:.1} GiB", memory.mem_total as f64 / (1u64 << 30) as f64)));
    }
    if let Ok(kernel) = procfs::sys::kernel::Version::current() {
        lines.push(("kernel", format!("Linux {}.{}.{}", kernel.major, kernel.minor, kernel.patch)));
    }
    lines
}

#[cfg(not(target_os = "linux"))]
fn of_linux() -> Vec<(&'static str, String)> {
    Vec::new()
}

/// The version of the Python that `--python` would run, if there is one.
pub(crate) fn python() -> Option<String> {
    output("python3", "--version")
}

fn output(program: &str, argument: &str) -> Option<String> {
    let output =
        Command::new(program).arg(argument).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// The version of a library that a package of this workspace is built with.
fn locked(package: &str, name: &str) -> String {
    used_by(package, name, include_str!("../../Cargo.lock")).unwrap_or("?").to_string()
}

/// The version of `name` that `package` uses, from the text of a Cargo.lock. Other packages may lock another version: then
/// the entry of `package` names its own.
pub(crate) fn used_by<'a>(package: &str, name: &str, lock: &'a str) -> Option<&'a str> {
    let entry = |name: &str| {
        let line = format!("\nname = \"{name}\"\n");
        lock.split("[[package]]").find(|entry| entry.contains(&line))
    };
    let mut dependencies = entry(package)?.lines().filter_map(|line| line.strip_prefix(" \""));
    let dependency = dependencies.find(|line| line.split([' ', '"']).next() == Some(name))?;
    match dependency.trim_end_matches("\",").split_once(' ') {
        Some((_, version)) => Some(version),
        None => entry(name)?.split("version = \"").nth(1)?.split('"').next(),
    }
}
