//! The part of the table that does not depend on chance: loom finds every bug that has threads; the simulator finds
//! those that lie between the turns of two tasks; no tool that takes each ordering for the strongest finds one that
//! is too weak; and no tool complains of a right version.

use std::collections::BTreeMap;
use std::process::Command;

/// What the table prints with these arguments.
fn table(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tools")).args(arguments).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{table}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(table.contains("the right versions: 0 false alarms"), "{table}");
    table
}

/// Its rows: of each bug, what each tool has.
fn rows(table: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut lines = table.lines().take_while(|line| !line.starts_with("found, of"));
    let header = lines.next().unwrap().strip_prefix("the run in which the bug showed").unwrap();
    let tools: Vec<&str> = header.split_whitespace().collect();
    let mut exhibit = String::new();
    let row = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut bug = words.next().unwrap();
        match bug.strip_prefix('/') {
            Some(version) => bug = format!("{exhibit}/{version}"),
            None => exhibit = bug.split(['/', '*']).next().unwrap().to_owned(),
        }
        let cells: Vec<String> = words.collect();
        assert_eq!(cells.len(), tools.len(), "{table}");
        (bug, tools.iter().map(|tool| tool.to_string()).zip(cells).collect())
    };
    lines.map(row).collect()
}

/// Whether a cell says that the bug was found.
fn is_found(cell: &str) -> bool {
    !["-", "n/a"].contains(&cell)
}

#[test]
fn what_the_whole_table_says_that_is_no_chance() {
    let table = table(&["--runs", "100", "--seconds", "10"]);
    let rows = rows(&table);
    assert_eq!(rows.len(), 30, "{table}");
    for (bug, cells) in &rows {
        let has_threads = !bug.ends_with('*');
        let cell = |tool: &str| cells[tool].as_str();
        for tool in ["stress", "pauses", "random", "pct", "loom"] {
            assert_eq!(cell(tool) != "n/a", has_threads, "{bug}, {tool}: {table}");
        }
        match has_threads {
            true => assert!(cell("loom").parse::<u32>().is_ok_and(|run| run > 0), "{bug}: {table}"),
            false => assert_eq!(cell("once"), "1", "{bug}: {table}"),
        }
        let weak = ["relaxed_publish", "sleep_without_recheck/no_fence", "sleep_without_recheck/fence_on"];
        if weak.iter().any(|weak| bug.starts_with(weak)) {
            for tool in ["random", "pct", "proptest"] {
                assert_eq!(cell(tool), "-", "{bug}, {tool}: {table}");
            }
        }
        // A leak is nothing that a run can show to itself.
        if bug == "waker_cycle" {
            assert!(cells.iter().all(|(tool, cell)| is_found(cell) == (tool == "loom")), "{table}");
        }
    }
    let simulated = rows.iter().filter(|(_, cells)| is_found(&cells["sim"]));
    let expected = [
        "cancelled_receive",
        "dropped_permit",
        "first_waker_kept*",
        "notify_before_the_wait",
        "panic_without_an_answer*",
        "two_tasks_one_slot",
    ];
    assert_eq!(simulated.map(|(bug, _)| bug.as_str()).collect::<Vec<_>>(), expected, "{table}");
    let missed = rows.iter().filter(|(_, cells)| cells["sim"] == "-");
    let expected = ["pending_without_a_look", "waker_after_check"];
    assert_eq!(missed.map(|(bug, _)| bug.as_str()).collect::<Vec<_>>(), expected, "{table}");
}

#[test]
fn proptest_says_what_it_cannot_leave_out() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tools"));
    let output = command.args(["run", "proptest", "dropped_permit", "broken"]).output().unwrap();
    assert!(!output.status.success());
    // One change of thread, between two calls.
    assert!(String::from_utf8_lossy(&output.stdout).lines().any(|line| line == "least 1"), "{output:?}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("it takes no more than this: at step 5 the other thread 1"), "{errors}");
}

#[test]
fn an_exhibit_that_is_not_there_is_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tools"));
    let output = command.arg("no_such_thing").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no_such_thing"));
}
