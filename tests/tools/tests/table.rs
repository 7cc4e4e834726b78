//! The table on one exhibit, whose bug is a memory ordering: loom alone can see it on this kind of machine.

use std::process::Command;

#[test]
fn a_missing_ordering_is_for_loom() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tools"));
    let output = command.args(["relaxed_publish", "--runs", "20", "--seconds", "2"]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{table}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(table.contains("the right versions: 0 false alarms"), "{table}");
    for version in ["relaxed_publish ", "relaxed_publish/release_alone ", "relaxed_publish/acquire_alone "] {
        let row = table
            .lines()
            .find(|line| line.starts_with(version))
            .unwrap_or_else(|| panic!("{version}: {table}"));
        let cells: Vec<&str> = row.split_whitespace().skip(1).collect();
        // Shuttle takes every ordering for SeqCst.
        assert_eq!(cells[3..5], ["-", "-"], "{table}");
        assert!(cells[5].parse::<u32>().is_ok_and(|execution| execution > 0), "{table}");
    }
}

#[test]
fn an_exhibit_that_is_not_there_is_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tools"));
    let output = command.arg("no_such_thing").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no_such_thing"));
}
