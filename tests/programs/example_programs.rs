//! Runs the programs of `examples/` and reads their results.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};

use serde_json::Value;

#[cfg(target_os = "linux")]
use {
    nix::sys::signal::{Signal, kill},
    nix::unistd::Pid,
    std::io::Read,
    std::process::Child,
    std::sync::mpsc::channel,
    std::time::{Duration, Instant},
};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/programs").into()
}

/// The program of a workload. `cargo test` has built all of them; where it did not run before, this builds it.
fn program(workload: &str) -> PathBuf {
    static BUILT: OnceLock<Mutex<BTreeMap<String, PathBuf>>> = OnceLock::new();
    let mut built = BUILT.get_or_init(Mutex::default).lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(program) = built.get(workload) {
        return program.clone();
    }
    let test = std::env::current_exe().expect("the test's own file");
    let directory = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST").join("examples");
    let program = directory.join(format!("{workload}{}", std::env::consts::EXE_SUFFIX));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--example", workload]).current_dir(root());
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let status = build.status().expect("cargo starts");
    assert!(status.success(), "the example {workload} does not build");
    assert!(program.exists(), "{} was not built", program.display());
    built.insert(workload.to_string(), program.clone());
    program
}

/// The program with these arguments, in the root of the repository, and nothing to read.
pub fn command<S: AsRef<OsStr>>(workload: &str, args: &[S]) -> Command {
    let mut command = Command::new(program(workload));
    command.args(args).current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub fn run<S: AsRef<OsStr>>(workload: &str, args: &[S]) -> Output {
    command(workload, args).output().expect("the program starts")
}

/// What a successful run gives with `--json`.
pub fn record(workload: &str, style: &str, args: &[&str]) -> Value {
    let args: Vec<&str> = ["--style", style, "--json"].iter().chain(args).copied().collect();
    let output = run(workload, &args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{workload} {args:?}: {}\n{error}", output.status);
    let text = String::from_utf8(output.stdout).expect("JSON is text");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{workload} {args:?}: {error} in '{text}'"))
}

/// Runs every style with the same arguments; the answers must be one and the same, which is returned.
pub fn same_answer(workload: &str, styles: &[&str], args: &[&str]) -> String {
    let answers: Vec<(&str, String)> = styles
        .iter()
        .map(|style| {
            let record = record(workload, style, args);
            assert_eq!(record["ok"], true, "{record}");
            assert_eq!(record["style"], *style, "{record}");
            (*style, record["answer"].as_str().expect("a hash").to_string())
        })
        .collect();
    let (_, first) = &answers[0];
    assert!(answers.iter().all(|(_, answer)| answer == first), "{workload} {args:?}: {answers:?}");
    first.clone()
}

/// Runs with bad arguments: it must fail with `code` and say all of `words`, and nothing twice.
pub fn refuses(workload: &str, args: &[&str], code: i32, words: &[&str]) {
    let output = run(workload, args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{workload} {args:?}: {error}");
    for word in words {
        assert!(error.contains(word), "{workload} {args:?} does not name '{word}': {error}");
    }
    assert!(!error.contains("panicked"), "{workload} {args:?}: {error}");
    for line in error.lines() {
        let parts: Vec<&str> = line.split(": ").collect();
        assert!(parts.windows(2).all(|pair| pair[0] != pair[1]), "said twice: {line}");
    }
}

/// Starts the program, waits until it has `helpers` child processes, and sends it `signal`. Gives its exit code, if it
/// has one, and what it and they wrote to standard error: it is read to its end, which comes when the last of them is gone.
#[cfg(target_os = "linux")]
pub fn signalled(command: Command, helpers: usize, signal: Signal) -> (Option<i32>, String) {
    let (child, _) = start(command, helpers);
    kill(Pid::from_raw(child.id().cast_signed()), signal).expect("it is our child");
    last_words(child)
}

/// The same, but what is killed is one of its helpers.
#[cfg(target_os = "linux")]
pub fn bereaved(command: Command, helpers: usize) -> (Option<i32>, String) {
    let (child, helpers) = start(command, helpers);
    kill(Pid::from_raw(helpers[0]), Signal::SIGKILL).expect("it is our grandchild");
    last_words(child)
}

#[cfg(target_os = "linux")]
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(target_os = "linux")]
fn start(mut command: Command, helpers: usize) -> (Child, Vec<i32>) {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    match children_of(child.id().cast_signed(), helpers) {
        Some(children) => (child, children),
        None => {
            let _ = child.kill();
            let (_, said) = last_words(child);
            panic!("{command:?} never had {helpers} helpers: {said}");
        }
    }
}

/// The children of a program that is up and has so many.
#[cfg(target_os = "linux")]
fn children_of(id: i32, helpers: usize) -> Option<Vec<i32>> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let processes = procfs::process::all_processes().expect("/proc").filter_map(Result::ok);
        let stats = processes.filter_map(|process| process.stat().ok());
        let children: Vec<i32> = stats.filter(|stat| stat.ppid == id).map(|stat| stat.pid).collect();
        let stat = procfs::process::Process::new(id).and_then(|process| process.stat());
        // The handler of Ctrl-C has a thread: once it runs, the program is up.
        if children.len() >= helpers && stat.is_ok_and(|stat| stat.num_threads > 1) {
            return Some(children);
        }
        std::thread::yield_now();
    }
    None
}

#[cfg(target_os = "linux")]
fn last_words(mut child: Child) -> (Option<i32>, String) {
    let status = child.wait().expect("it ends");
    let mut stderr = child.stderr.take().expect("it was asked for");
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        let _ = send.send(text);
    });
    let text = receive.recv_timeout(PATIENCE).expect("a helper process outlives the program");
    (status.code(), text)
}
