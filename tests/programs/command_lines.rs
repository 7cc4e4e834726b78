//! What the programs of `examples/` say of their command lines, and of an output that takes nothing.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::example_programs::{command, refuses, run};

/// Each workload, with the styles that it has and those that it lacks.
const WORKLOADS: &[(&str, &[&str], &[&str])] = &[
    (
        "rates",
        &["sequential", "threads", "pool", "callbacks", "coroutines", "tokio", "asyncio"],
        &["processes", "blocking"],
    ),
    (
        "echo",
        &["sequential", "threads", "pool", "callbacks", "coroutines", "tokio", "asyncio"],
        &["processes", "blocking"],
    ),
    (
        "webapp",
        &["sequential", "threads", "pool", "callbacks", "coroutines", "tokio"],
        &["processes", "blocking", "asyncio"],
    ),
    (
        "chat",
        &["threads", "callbacks", "coroutines", "tokio"],
        &["sequential", "pool", "processes", "blocking", "asyncio"],
    ),
    (
        "fib",
        &["sequential", "threads", "processes", "coroutines", "blocking"],
        &["pool", "callbacks", "tokio", "asyncio"],
    ),
    (
        "mergesort",
        &["sequential", "threads", "processes", "coroutines"],
        &["pool", "callbacks", "blocking", "tokio", "asyncio"],
    ),
    (
        "queues",
        &["sequential", "pool", "processes", "coroutines", "blocking", "tokio"],
        &["threads", "callbacks", "asyncio"],
    ),
    (
        "photos",
        &["sequential", "threads", "coroutines", "blocking", "tokio"],
        &["pool", "processes", "callbacks", "asyncio"],
    ),
    (
        "grep",
        &["sequential", "threads", "coroutines"],
        &["pool", "processes", "callbacks", "blocking", "tokio", "asyncio"],
    ),
];

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The list entries of the long help: a style, a colon, and what it is.
fn offers(help: &str, style: &str) -> bool {
    help.lines().any(|line| line.trim_start().starts_with(&format!("- {style}:")))
}

#[test]
fn help_offers_the_styles_that_the_workload_has_and_no_other() {
    for (workload, has, lacks) in WORKLOADS {
        let help = stdout(&run(workload, &["--help"]));
        assert!(has.iter().all(|style| offers(&help, style)), "{workload}: {help}");
        assert!(!lacks.iter().any(|style| offers(&help, style)), "{workload}: {help}");
        for style in *lacks {
            refuses(workload, &["--style", style], 2, &["--style", style, has[0], "coroutines"]);
        }
    }
    // The style of a server is one of the same.
    let help = stdout(&run("echo", &["serve", "--help"]));
    assert!(offers(&help, "tokio") && !offers(&help, "blocking"), "{help}");
}

#[test]
fn the_help_of_the_comparison_names_the_workloads() {
    let help = stdout(&run("compare", &["--help"]));
    for (workload, ..) in WORKLOADS {
        assert!(help.contains(workload), "{workload}: {help}");
    }
    assert!(help.contains("echo-idle") && help.contains("chat-unbounded"), "{help}");
}

/// Every file that a program writes after long work is looked at before. If it were not, these would take minutes or hours.
#[test]
fn what_cannot_be_written_is_told_before_the_work() {
    // No file can be below another file, not even for root.
    let file = Scratch::new("file");
    fs::write(&file.0, "").unwrap();
    let nowhere = file.0.join("all.svg");
    let nowhere = nowhere.to_str().unwrap();
    for flag in ["--csv", "--json", "--report", "--plots"] {
        refuses("compare", &["--full", flag, nowhere], 1, &[flag, nowhere]);
    }
    for flag in ["--csv", "--json", "--report"] {
        refuses("compare", &["--full", flag, "-"], 1, &[flag, "'-'"]);
    }
    let slow = ["--latency", "1h", "--timeout", "2h", "--trace"];
    refuses("rates", &[&slow[..], &["-"]].concat(), 1, &["--trace", "'-'"]);
    refuses("step05_busy", &["--trace", "-"], 2, &["--trace", "'-'"]);
    for (program, scene) in [("inside", &["keys"][..]), ("cancellation", &[])] {
        refuses(program, &[scene, &["--trace", "-"]].concat(), 1, &["-: this needs a file, and '-' is none"]);
    }
    let sort = ["--numbers", "10000000", "--style", "sequential", "--workers", "9", "--scaling", "--plot"];
    refuses("mergesort", &[&sort[..], &[nowhere]].concat(), 1, &["--plot", nowhere]);
    let seeds = ["--repaired", "--seeds", "100000000", "--timeline"];
    refuses("simulate", &[&seeds[..], &[nowhere]].concat(), 1, &["--timeline", nowhere]);
}

#[test]
fn a_file_that_is_there_stays_as_it_is_when_the_run_does_not_come_to_writing() {
    let file = Scratch::new("kept.csv");
    fs::write(&file.0, "kept").unwrap();
    refuses("compare", &["--full", "--csv", file.name(), "--json", "/no/such/folder/all"], 1, &["--json"]);
    assert_eq!(fs::read_to_string(&file.0).unwrap(), "kept");
}

#[test]
fn a_duration_that_is_none_comes_with_an_example() {
    for (workload, flag) in [
        ("rates", "--latency"),
        ("rates", "--jitter"),
        ("rates", "--timeout"),
        ("echo", "--timeout"),
        ("webapp", "--patience"),
        ("webapp", "--latency"),
        ("webapp", "--slow"),
        ("webapp", "--timeout"),
        ("chat", "--pause"),
    ] {
        for wrong in ["fast", "50", "-1s"] {
            let value = format!("{flag}={wrong}");
            refuses(workload, &[value.as_str()], 2, &[flag, wrong, "50ms, 2s or 1m 30s"]);
        }
    }
}

#[test]
fn a_server_may_be_named() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    drop(server);
    let (name, number) = (format!("localhost:{port}"), format!("127.0.0.1:{port}"));
    refuses("rates", &["--pairs", "1", "--server", &name], 1, &[&number, "refused"]);
    for (workload, subcommand) in [("echo", "load"), ("webapp", "visit"), ("chat", "crowd")] {
        refuses(workload, &[subcommand, &name], 1, &[&number, "refused"]);
        refuses(workload, &[subcommand, "nowhere"], 2, &["nowhere", "localhost:8080"]);
    }
    refuses("rates", &["--server", "no-such-host.invalid:1"], 2, &["--server", "no-such-host.invalid:1"]);
}

#[test]
fn the_timeline_writes_to_standard_output_where_it_is_asked_for() {
    let folder = Scratch::new("folder");
    fs::create_dir(&folder.0).unwrap();
    let trace = folder.0.join("t.jsonl");
    let args = ["--pairs", "2", "--latency", "1ms", "--trace", trace.to_str().unwrap()];
    assert!(run("rates", &args).status.success());
    let written = |flag: &str| {
        let mut timeline = command("timeline", &[trace.to_str().unwrap(), flag, "-"]);
        let output = timeline.current_dir(&folder.0).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        stdout(&output)
    };
    let (picture, page) = (written("--svg"), written("--out"));
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"), "{picture}");
    assert!(page.trim_end().ends_with("</html>"), "{page}");
    assert!(!folder.0.join("-").exists());
    fs::remove_dir_all(&folder.0).unwrap();
}

/// Programs and arguments that print something.
#[cfg(target_os = "linux")]
const PRINTS: &[(&str, &[&str])] = &[
    ("rates", &["--pairs", "1", "--latency", "1ms"]),
    ("rates", &["--pairs", "1", "--latency", "1ms", "--json"]),
    ("echo", &["--connections", "1", "--messages", "2"]),
    ("chat", &["--messages", "3", "--rate", "1000", "--listeners", "1", "--slow", "0"]),
    ("webapp", &["--visits", "1", "--latency", "1ms"]),
    ("fib", &["--n", "5", "--jobs", "1"]),
    ("grep", &["--lines", "10"]),
    ("queues", &["--tasks", "2", "--weight", "2"]),
    ("photos", &["--photos", "1", "--side", "64"]),
    ("mergesort", &["--numbers", "10", "--workers", "1", "--scaling"]),
    ("compare", &["grep", "--quick"]),
    ("simulate", &["--list"]),
    ("simulate", &["--seed", "1", "--repaired"]),
    ("simulate", &["--seeds", "3"]),
    ("inside", &["turns"]),
    ("inside", &["record"]),
    ("cancellation", &[]),
    ("backpressure", &[]),
    ("starvation", &[]),
    ("shutdown", &[]),
];

/// A full disk: an error with a reason, no panic.
#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full_is_an_error_and_no_panic() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for (program, args) in PRINTS {
        let output = command(program, args).stdout(full()).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{program} {args:?}: {error}");
        assert!(
            error.contains("No space left") && !error.contains("panicked"),
            "{program} {args:?}: {error}"
        );
        // Nor where nothing can be said of it.
        let status = command(program, args).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{program} {args:?}");
    }
}

/// `rates | head -0`: what has no reader ends without a word.
#[cfg(target_os = "linux")]
#[test]
fn a_pipe_without_a_reader_ends_the_program_without_a_word() {
    // `inside record` reports the error of the pipe as any other.
    for (program, args) in PRINTS.iter().filter(|(_, args)| *args != ["record"]) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(program, args).stdout(writer).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(141), "{program} {args:?}: {error}");
        assert!(!error.contains("panicked") && !error.contains("error"), "{program} {args:?}: {error}");
    }
}

/// A path of this test's own, which is gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("cotask-command-{}-{name}", std::process::id())))
    }

    fn name(&self) -> &str {
        self.0.to_str().expect("a temporary directory with a plain name")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A server that a person starts must not end without a word because its address could not be printed.
#[cfg(target_os = "linux")]
#[test]
fn a_server_whose_address_cannot_be_printed_says_why_it_ends() {
    for (workload, server) in [("rates", "serve"), ("echo", "serve"), ("webapp", "database")] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = crate::example_programs::command(workload, &[server]);
        let ended = command.stdout(full).stderr(std::process::Stdio::piped()).output().unwrap();
        let why = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{workload}: {why}");
        assert!(why.contains("cannot write to standard output"), "{workload}: {why}");
    }
}
