//! `--trace FILE` of every workload, and what the example `timeline` makes of the file.

#[allow(dead_code)]
mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use support::{refuses, run};

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

/// Runs a workload and gives the events that it recorded.
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

/// The server of echo would run for ever; its load client is a process of its own.
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

#[test]
fn where_nothing_is_recorded_that_is_an_error() {
    let file = Scratch::new("none.jsonl");
    let args = ["--style", "sequential", "--lines", "10", "--trace", file.name()];
    refuses("grep", &args, 1, &["--trace", "nothing was recorded"]);
    let nowhere = "/nowhere/at/all.jsonl";
    refuses("fib", &["--style", "blocking", "--n", "5", "--trace", nowhere], 1, &["--trace", nowhere]);
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
