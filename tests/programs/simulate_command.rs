//! The command that simulates: its arguments, what it finds, and how what it found is seen again.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::example_programs::{refuses, run};
use crate::json_trace;

/// A file for this test alone.
fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cotask-simulate-{}-{name}", std::process::id()))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What stands behind a word at the beginning of a line.
fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(name));
    line.unwrap_or_else(|| panic!("no line of {name} in:\n{text}")).trim()
}

#[test]
fn bad_arguments_are_named() {
    refuses("simulate", &["--scenario", "teleport"], 2, &["--scenario", "'teleport'", "payment", "echo"]);
    refuses("simulate", &["--seeds", "0"], 2, &["--seeds", "0"]);
    refuses("simulate", &["--seed", "x"], 2, &["--seed", "x"]);
    refuses("simulate", &["--seed", "1", "--seeds", "5"], 2, &["--seed", "--seeds"]);
    refuses("simulate", &["--scenario", "echo", "--repaired"], 2, &["--repaired", "echo"]);
    refuses("simulate", &["--threads", "0"], 2, &["--threads"]);
    refuses("simulate", &["--plan", "/nowhere.plan"], 2, &["--plan", "/nowhere.plan"]);
    let plan = file("bad.plan");
    fs::write(&plan, "2s crash bank\nsoon crash bank\n").unwrap();
    refuses("simulate", &["--plan", plan.to_str().unwrap()], 2, &[plan.to_str().unwrap(), "line 2", "soon"]);
    fs::remove_file(plan).unwrap();
}

#[test]
fn a_timeline_that_cannot_be_written_is_told() {
    refuses("simulate", &["--seed", "1", "--timeline", "/nowhere/t.jsonl"], 1, &["/nowhere/t.jsonl"]);
}

#[test]
fn the_list_names_all_programs() {
    let list = text(&run("simulate", &["--list"]));
    for name in ["payment", "lock", "leader", "echo", "rates", "webapp", "chat"] {
        assert!(list.lines().any(|line| line.starts_with(name)), "{name}: {list}");
    }
}

/// The lines below a heading that stand further to the right than it.
fn below<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with(heading));
    let heading = lines.next().unwrap_or_else(|| panic!("no {heading} in:\n{text}"));
    lines.take_while(|line| indent(line) > indent(heading)).map(str::trim).collect()
}

/// The seed of the book: over a slow network, one customer pays twice.
#[test]
fn a_seed_that_is_run_alone_is_told_in_words() {
    let told = text(&run("simulate", &["--seed", "27", "--last", "5"]));
    let planned = below(&told, "faults that were planned");
    let words = "# each packet between cid and bank takes 1ms to 279ms";
    assert!(
        planned.iter().any(|line| line.contains(" latency cid bank ") && line.ends_with(words)),
        "{told}"
    );
    assert!(planned.iter().all(|line| line.contains("  # ")), "{told}");
    let acted = below(&told, "faults that acted");
    assert!(
        acted.iter().any(|line| line.starts_with("Latency") && line.contains("# A packet took")),
        "{told}"
    );

    // Each host, what it did last, and when.
    for host in ["ann", "bank", "bob", "cid", "dora", "main"] {
        let last = below(&told, host);
        assert!((1..=5).contains(&last.len()), "{host}: {told}");
        assert!(last.iter().all(|line| line.starts_with(|first: char| first.is_ascii_digit())), "{told}");
    }
    assert!(below(&told, "main").last().unwrap().ends_with("main panics"), "{told}");
    let cid = below(&told, "cid").join("\n");
    assert!(
        cid.contains("main waits for something to read from cid:") && cid.contains(" to bank:80"),
        "{told}"
    );
    assert!(cid.ends_with("main has finished"), "{told}");
    let faults = below(&told, "(faults)");
    let line = "from now on: bob and cid can send each other 178000 bytes per second";
    assert!(faults.last().unwrap().ends_with(line), "{told}");
    refuses("simulate", &["--last", "5"], 2, &["--last", "--seed"]);
}

/// Shrinking keeps the words of a failure, and not its numbers.
#[test]
fn that_fewer_faults_lead_to_another_message_is_said() {
    let another = "this message is another one";
    let found = text(&run("simulate", &["--scenario", "payment", "--first", "27", "--seeds", "1"]));
    let first = found.lines().next().unwrap().split_once(": ").unwrap().1;
    let with_fewer = value(&found, "with them it fails after").split_once(": ").unwrap().1;
    assert_ne!(first, with_fewer);
    assert!(found.contains(another), "{found}");

    let plan = file("other.plan");
    fs::write(&plan, "129ms latency cid bank min=1ms max=279ms").unwrap();
    let plan_given = ["--seed", "27", "--plan", plan.to_str().unwrap()];
    let told = text(&run("simulate", &plan_given));
    assert!(told.contains(another) && told.trim_end().ends_with(first), "{told}");
    // With the seed's own plan it is the same.
    let own = below(&text(&run("simulate", &["--seed", "27"])), "faults that were planned").join("\n");
    fs::write(&plan, own).unwrap();
    let told = text(&run("simulate", &plan_given));
    assert!(!told.contains(another), "{told}");
    fs::write(&plan, "").unwrap();
    let told = text(&run("simulate", &plan_given));
    assert!(told.contains("as it should be") && told.contains(another), "{told}");
    fs::remove_file(plan).unwrap();
}

/// What the search finds, its plan gives again, with less that goes wrong; and its timeline can be read.
#[test]
fn what_is_found_can_be_seen_again() {
    for scenario in ["payment", "lock", "leader"] {
        let timeline = file(&format!("{scenario}.jsonl"));
        let found = run(
            "simulate",
            &["--scenario", scenario, "--seeds", "2000", "--timeline", timeline.to_str().unwrap()],
        );
        let told = text(&found);
        assert_eq!(found.status.code(), Some(1), "{told}");
        let again = value(&told, "again:").split_once("-- ").unwrap().1;
        let again: Vec<&str> = again.split(' ').collect();
        let seen = run("simulate", &again);
        assert_eq!(seen.status.code(), Some(1), "{}", text(&seen));
        let failure = value(&told, "with them it fails after").split_once(": ").unwrap().1;
        assert_eq!(value(&text(&seen), "result"), format!("failed: {failure}"));
        let taken = value(&told, "of ").split(' ').collect::<Vec<_>>();
        let (before, after): (usize, usize) = (taken[0].parse().unwrap(), taken[5].parse().unwrap());
        assert!(after <= before && after <= 6, "{before} faults, and of them it takes {after}: {told}");

        let events = fs::read_to_string(&timeline).unwrap();
        let events = json_trace::read(&events);
        let last = events.last().and_then(|event| event["at"].as_u64());
        assert!(last > Some(0), "nothing was recorded");
        let page = file(&format!("{scenario}.html"));
        let shown = run("timeline", &[timeline.to_str().unwrap(), "--out", page.to_str().unwrap()]);
        assert!(shown.status.success(), "{shown:?}");
        for file in [timeline, page] {
            fs::remove_file(file).unwrap();
        }

        let repaired = run("simulate", &["--scenario", scenario, "--repaired", "--seeds", "300"]);
        assert!(repaired.status.success(), "{}", text(&repaired));
    }
}

#[test]
fn a_seed_is_the_same_each_time_and_on_any_number_of_threads() {
    let args = ["--scenario", "payment", "--repaired", "--seeds", "200", "--check-determinism"];
    let hash = |threads| {
        let output = run("simulate", &[&args[..], &["--threads", threads]].concat());
        let told = text(&output);
        assert!(output.status.success(), "{told}");
        assert_eq!(value(&told, "runs differed"), "0");
        value(&told, "hash").to_string()
    };
    assert_eq!(hash("1"), hash("4"));
    let one = |args: &[&str]| value(&text(&run("simulate", args)), "hash").to_string();
    assert_eq!(one(&["--seed", "3", "--repaired"]), one(&["--seed", "3", "--repaired"]));
    assert_ne!(one(&["--seed", "3", "--repaired"]), one(&["--seed", "4", "--repaired"]));
    assert_ne!(one(&["--seed", "3", "--repaired"]), one(&["--seed", "3", "--repaired", "--fifo"]));
}

#[test]
fn the_workloads_bear_what_befalls_them() {
    let output = run("simulate", &["--workloads", "--seeds", "200"]);
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    for name in ["echo", "rates", "webapp", "chat"] {
        assert!(told.lines().any(|line| line == name), "{name}: {told}");
    }
}

/// With --all the search goes on, and counts.
#[test]
fn all_failures_are_counted() {
    let output = run("simulate", &["--seeds", "300", "--all"]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(value(&told, "seeds").starts_with("300 in"), "{told}");
    assert!(value(&told, "failed").parse::<u32>().unwrap() > 1, "{told}");
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_it_with_the_summary_so_far() {
    let mut command = crate::example_programs::command("simulate", &["--repaired", "--seeds", "100000000"]);
    command.stdout(std::process::Stdio::piped());
    let (code, told) = crate::example_programs::signalled(command, 0, nix::sys::signal::Signal::SIGINT);
    assert_eq!(code, Some(130), "{told}");
    assert!(told.contains("interrupted"), "{told}");
}
