//! The command that compares: its arguments, its table, its files, and how it reports a failure.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::example_programs::{refuses, run};

/// A file for this test alone.
fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cotask-compare-{}-{name}", std::process::id()))
}

#[test]
fn unknown_names_list_the_known_ones() {
    refuses("compare", &["rates", "teleport"], 2, &["'teleport'", "rates", "echo", "webapp", "chat", "fib"]);
    refuses("compare", &["--styles", "magic"], 2, &["--styles", "magic", "coroutines"]);
    refuses("compare", &["--quick", "--full"], 2, &["--quick", "--full"]);
    refuses("compare", &["run", "teleport"], 2, &["'run'", "rates"]);
    // A workload in none of the styles that were asked for.
    let none = file("none.html");
    refuses(
        "compare",
        &["chat", "--styles", "pool", "--report", none.to_str().unwrap()],
        1,
        &["nothing was run"],
    );
    assert!(!none.exists());
}

#[test]
fn compare_writes_what_it_measured() {
    let (json, csv, html) = (file("runs.json"), file("runs.csv"), file("report.html"));
    let names = [&json, &csv, &html].map(|file| file.to_str().unwrap().to_string());
    let args = ["rates", "grep", "--quick", "--styles", "threads,coroutines", "--json", &names[0]];
    let output = run("compare", &[&args[..], &["--csv", &names[1], "--report", &names[2]]].concat());
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{table}\n{}", String::from_utf8_lossy(&output.stderr));
    for row in ["rates          threads", "rates          coroutines", "grep           coroutines"] {
        assert_eq!(table.matches(row).count(), 1, "{table}");
    }
    assert!(table.contains(&names[2]), "the report's path is printed: {table}");

    let runs: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    let runs = runs["runs"].as_array().unwrap();
    for run in runs {
        for field in ["workload", "style", "answer", "why"] {
            assert!(run[field].is_string(), "{field}: {run}");
        }
        for field in ["n", "wall_ms"] {
            assert!(run[field].as_f64().is_some_and(|value| value > 0.0), "{field}: {run}");
        }
        for field in ["cpu_ms", "peak_pss_kib", "threads", "switches", "p50_us", "p99_us"] {
            assert!(run[field].is_number() || run[field].is_null(), "{field}: {run}");
        }
        assert_eq!(run["ok"], true, "{run}");
    }
    let of = |workload: &str, style: &str| {
        runs.iter().filter(|run| run["workload"] == workload && run["style"] == style).count()
    };
    assert!(of("rates", "threads") >= 3 && of("rates", "coroutines") >= 3, "a sweep over three sizes");
    assert_eq!(of("rates", "tokio"), 0, "only the styles that were asked for");

    let lines: Vec<String> = std::fs::read_to_string(&csv).unwrap().lines().map(String::from).collect();
    assert_eq!(lines.len(), runs.len() + 1);
    let columns = lines[0].split(',').count();
    assert!(lines.iter().all(|line| line.split(',').count() == columns), "{lines:?}");

    let page = std::fs::read_to_string(&html).unwrap();
    for needed in [
        "<svg",
        "prefers-color-scheme: dark",
        "name=\"viewport\"",
        "id=\"rates\"",
        "id=\"grep\"",
        "id=\"machine\"",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
    // One file, offline: nothing is loaded from anywhere.
    for loads in ["src=", "<link", "@import", "url("] {
        assert!(!page.contains(loads), "{loads}");
    }
    assert!(page.contains("Vec&lt;Quote&gt;"), "the programs are escaped");
    assert!(page.contains("proportional set size (Pss)"), "the report explains memory");
    for why in [
        "What decides is CPU time, because every style waits",
        "What decides is CPU time, because nothing waits",
    ] {
        assert!(page.contains(why), "{why}");
    }
    for file in [json, csv, html] {
        std::fs::remove_file(file).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_run_that_fails_is_a_row_that_says_why() {
    let (json, html) = (file("failed.json"), file("failed.html"));
    // With so few descriptors, a thousand connections cannot stand.
    let compare = crate::example_programs::command::<&str>("compare", &[]);
    let command = format!(
        "ulimit -n 200 && exec {} echo --quick --styles coroutines,sequential --json {} --report {}",
        compare.get_program().to_string_lossy(),
        json.display(),
        html.display()
    );
    let output = Command::new("sh").args(["-c", &command]).stdin(Stdio::null()).output().unwrap();
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{table}");
    let row = table.lines().find(|line| line.contains("FAILED")).unwrap_or_else(|| panic!("{table}"));
    assert!(row.contains("coroutines") && row.contains("1000"), "{row}");
    assert!(table.contains("sequential"), "the others go on: {table}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("failed"));
    let runs: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    let failed: Vec<&Value> =
        runs["runs"].as_array().unwrap().iter().filter(|run| run["ok"] == false).collect();
    assert!(failed.iter().all(|run| run["why"].as_str().is_some_and(|why| !why.is_empty())), "{failed:?}");
    assert!(!failed.is_empty() && failed.len() < runs["runs"].as_array().unwrap().len());
    assert!(std::fs::read_to_string(&html).unwrap().contains("failed: "));
    for file in [json, html] {
        std::fs::remove_file(file).unwrap();
    }
}

#[test]
fn system_calls_are_counted_where_that_can_be_done() {
    let (json, html) = (file("calls.json"), file("calls.html"));
    let names = [&json, &html].map(|file| file.to_str().unwrap().to_string());
    let args = ["grep", "--quick", "--styles", "sequential", "--system-calls", "--json", &names[0]];
    let output = run("compare", &[&args[..], &["--report", &names[1]]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let result: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    if error.contains("system calls are not counted") {
        assert!(result["system_calls"].is_null(), "{result}");
    } else {
        assert!(
            result["system_calls"][0]["system_calls"].as_u64().is_some_and(|calls| calls > 20),
            "{result}"
        );
        assert!(std::fs::read_to_string(&html).unwrap().contains("<th>system calls</th>"));
    }
    for file in [json, html] {
        std::fs::remove_file(file).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_the_comparison_and_all_that_it_started() {
    let html = file("interrupted.html");
    let args = ["rates", "--styles", "sequential", "--full", "--report", html.to_str().unwrap()];
    let (code, text) = crate::example_programs::signalled(
        crate::example_programs::command("compare", &args),
        1,
        nix::sys::signal::Signal::SIGINT,
    );
    assert_eq!(code, Some(130), "{text}");
    assert!(text.contains("interrupted"), "{text}");
    // What had been measured by then is in the report; it may be nothing.
    let _ = std::fs::remove_file(html);
}

#[test]
fn without_python_its_row_is_absent_with_a_word() {
    let html = file("no-python.html");
    let args = ["rates", "--quick", "--styles", "coroutines", "--python", "--report", html.to_str().unwrap()];
    let output =
        crate::example_programs::command("compare", &args).env("PATH", "/nonexistent").output().unwrap();
    let (table, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{table}{error}");
    assert!(error.contains("asyncio is left out: there is no python3"), "{error}");
    assert!(table.contains("coroutines") && !table.contains("asyncio"), "{table}");
    std::fs::remove_file(html).unwrap();
}
