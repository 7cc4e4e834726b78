//! `--trace FILE` of every workload, and what the example `timeline` makes of the file.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::Value;
#[cfg(target_os = "linux")]
use {
    nix::sys::signal::{Signal, kill},
    nix::unistd::Pid,
    std::io::Read,
    std::process::Stdio,
};

use crate::example_programs::{refuses, run};

/// A file of this test's own, which is gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("cotask-trace-{}-{name}", std::process::id())))
    }

    fn name(&self) -> &str {
        self.0.to_str().expect("a temporary directory with a plain name")
    }

    /// The name of a helper's file.
    fn beside(&self, role: &str) -> String {
        let name = self.0.file_stem().unwrap().to_str().unwrap();
        format!("{name}-{role}.jsonl")
    }

    fn read(&self) -> String {
        fs::read_to_string(&self.0).unwrap_or_else(|error| panic!("{}: {error}", self.name()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs a workload and returns the events that it recorded.
fn record(workload: &str, args: &[&str], file: &Scratch) -> Vec<Value> {
    let args = [args, &["--trace", file.name()]].concat();
    let output = run(workload, &args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{workload} {args:?}: {error}");
    let text = file.read();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    let header = lines.next().expect("a header");
    assert_eq!(header["cotask_trace"], 1);
    let events: Vec<Value> = lines.collect();
    assert_eq!(header["records"], events.len());
    assert!(error.contains(&format!("{} events in {}", events.len(), file.name())), "{error}");
    events
}

fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["event"] == kind).count()
}

#[test]
fn rates_sleeps_once_for_all_its_waits() {
    let file = Scratch::new("rates.jsonl");
    let events = record("rates", &["--pairs", "5", "--latency", "50ms", "--jitter", "0ms"], &file);
    assert_eq!(count(&events, "spawned"), 6);
    assert_eq!(count(&events, "joined"), 5);
    let asked = events.iter().filter(|event| event["event"] == "waits" && event["want"] == "read");
    let asked: Vec<u64> = asked.map(|event| event["at"].as_u64().unwrap()).collect();
    assert!(asked.len() >= 5);
    // All five wait before the first has an answer: so the waits overlap.
    let answered = events.iter().find(|event| event["event"] == "socket_ready" && event["readable"] == true);
    let answered = answered.expect("an answer")["at"].as_u64().unwrap();
    assert!(asked[..5].iter().all(|&at| at < answered), "{asked:?}, {answered}");
    assert!(events.iter().any(|event| event["name"] == "AED/AFN"), "tasks have the names of their pairs");
}

#[test]
fn jobs_are_recorded_too() {
    let file = Scratch::new("fib.jsonl");
    let events = record("fib", &["--style", "blocking", "--jobs", "3", "--n", "10"], &file);
    assert_eq!(count(&events, "job_done"), 3);
}

/// The server of echo would never end; its load client is a process of its own.
#[test]
fn servers_and_helpers_record_as_well() {
    let file = Scratch::new("echo.jsonl");
    let helper = Scratch(file.0.with_file_name(file.beside("load")));
    let output = run("echo", &["--style", "coroutines", "--connections", "3", "--trace", file.name()]);
    assert!(output.status.success(), "{output:?}");
    for file in [file, helper] {
        let text = file.read();
        let opened = text.lines().filter(|line| line.contains("\"socket_opened\"")).count();
        assert!(opened >= 3, "{}: {opened}", file.name());
    }
}

/// The server of `rates` is on cotask in any case; but the file that was asked for is that of the style.
#[test]
fn a_style_that_has_no_trace_is_refused_with_the_reason() {
    let file = Scratch::new("none.jsonl");
    for (workload, style) in [("grep", "sequential"), ("rates", "threads"), ("echo", "tokio")] {
        let args = ["--style", style, "--trace", file.name()];
        refuses(workload, &args, 2, &["--trace", style, "does not run on it", "coroutines"]);
        assert!(!file.0.exists());
    }
    // With threads the photos tick on cotask.
    record("photos", &["--style", "threads", "--photos", "1", "--side", "64"], &file);
}

/// Were it looked at after the run, this would take an hour.
#[test]
fn a_trace_that_cannot_be_written_is_told_before_the_run() {
    let nowhere = "/nowhere/at/all.jsonl";
    let args = ["--pairs", "1", "--latency", "1h", "--timeout", "2h", "--trace", nowhere];
    refuses("rates", &args, 1, &["--trace", nowhere]);
}

#[test]
fn a_run_that_fails_leaves_its_trace() {
    let file = Scratch::new("fails.jsonl");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    refuses(
        "rates",
        &["--pairs", "3", "--server", &nobody, "--trace", file.name()],
        1,
        &["refused", file.name()],
    );
    assert!(file.read().contains("\"spawned\""));
}

/// Starts a program that hangs, has it ended by a signal when `hangs` says that it does, and returns what it printed.
#[cfg(target_os = "linux")]
fn ended_by(signal: Signal, workload: &str, args: &[&str], hangs: impl FnOnce(i32)) -> (Option<i32>, String) {
    let mut command = crate::example_programs::command(workload, args);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id().cast_signed();
    hangs(id);
    kill(Pid::from_raw(id), signal).expect("it is our child");
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_waits_for_ever_leaves_its_trace_on_ctrl_c_and_sigterm() {
    for (signal, code, word) in [(Signal::SIGINT, 130, "interrupted"), (Signal::SIGTERM, 143, "terminated")] {
        let file = Scratch::new(&format!("{word}.jsonl"));
        // Takes connections and says nothing.
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap().to_string();
        let args = ["--pairs", "3", "--timeout", "1h", "--server", &address, "--trace", file.name()];
        let mut clients = Vec::new();
        let ended = ended_by(signal, "rates", &args, |_| {
            for _ in 0..3 {
                let (mut client, _) = server.accept().unwrap();
                client.read_exact(&mut [0; 16]).unwrap();
                clients.push(client);
            }
        });
        let (status, said) = ended;
        assert_eq!(status, Some(code), "{said}");
        assert!(said.contains(word) && said.contains(file.name()), "{said}");
        let text = file.read();
        assert_eq!(text.matches("\"socket_opened\"").count(), 3, "{text}");
        let page = Scratch::new(&format!("{word}.html"));
        assert!(run("timeline", &[file.name(), "--out", page.name()]).status.success());
    }
}

/// A poll that does not return: nothing on the runtime's own thread could write a trace.
#[cfg(target_os = "linux")]
#[test]
fn a_run_that_hangs_in_a_poll_leaves_its_trace_with_the_poll_that_began() {
    let used = |id| procfs::process::Process::new(id).unwrap().stat().unwrap().utime;
    for name in ["hangs.json", "hangs.jsonl"] {
        let file = Scratch::new(name);
        let args = ["--style", "coroutines", "--jobs", "2", "--n", "50", "--trace", file.name()];
        // What comes before the first job takes a few hundredths of a second at most, and the job takes minutes.
        let (code, said) = ended_by(Signal::SIGINT, "fib", &args, |id| while used(id) < 100 {});
        assert_eq!(code, Some(130), "{said}");
        let text = file.read();
        if name.ends_with(".json") {
            let trace: Value = serde_json::from_str(&text).unwrap();
            let open = trace["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "B");
            let open: Vec<bool> =
                open.map(|event| event["name"].as_str().unwrap().contains("runnable")).collect();
            assert_eq!(open, [true, false], "the second job, and the poll of the first: {text}");
        } else {
            assert!(text.lines().last().unwrap().contains("\"poll_began\""), "{text}");
            let picture = Scratch::new("hangs.svg");
            assert!(run("timeline", &[file.name(), "--svg", picture.name()]).status.success());
        }
    }
}

#[test]
fn an_ending_of_json_is_for_perfetto() {
    let file = Scratch::new("rates.json");
    let output = run("rates", &["--pairs", "2", "--latency", "1ms", "--trace", file.name()]);
    assert!(output.status.success());
    let trace: Value = serde_json::from_str(&file.read()).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().len() > 20);
    refuses("timeline", &[file.name()], 1, &[file.name(), "Perfetto"]);
}

#[test]
fn the_timeline_makes_a_page_and_a_picture() {
    let (file, page, picture) = (Scratch::new("t.jsonl"), Scratch::new("t.html"), Scratch::new("t.svg"));
    record("rates", &["--pairs", "2", "--latency", "1ms"], &file);
    let output = run("timeline", &[file.name(), "--out", page.name(), "--title", "a <b>"]);
    assert!(output.status.success(), "{output:?}");
    let text = page.read();
    assert!(
        text.contains("<h1>a &lt;b&gt;</h1>") && text.contains("\"cotask_trace\":1") && !text.contains("{{")
    );
    assert!(text.contains("pub(super) fn fetch_all"), "the program's text is in it");
    assert!(!text.contains("http://") && !text.contains("https://"), "and nothing is loaded");

    assert!(run("timeline", &[file.name(), "--svg", picture.name()]).status.success());
    let text = picture.read();
    assert!(text.starts_with("<svg") && text.ends_with("</svg>\n") && text.contains(">AED/AFN</text>"));
}

#[test]
fn the_timeline_names_what_it_cannot_read() {
    let file = Scratch::new("bad.jsonl");
    refuses("timeline", &[file.name()], 1, &[file.name()]);
    for (text, words) in [
        ("", "empty"),
        ("no JSON", "line 1"),
        ("{\"cotask_trace\":9}\n", "version 9"),
        ("{\"cotask_trace\":1}\n", "no events"),
        ("{\"cotask_trace\":1}\n{\"at\":1}\n", "line 2"),
        ("{\"cotask_trace\":1}\n{\"at\":1,\"event\":\"unparked\"}\nx\n", "line 3"),
    ] {
        fs::write(&file.0, text).unwrap();
        refuses("timeline", &[file.name()], 1, &[file.name(), words]);
    }
}
