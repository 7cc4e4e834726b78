//! The program as a whole, at sizes that measure nothing: that every row of every peer runs, and what is written.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const PEERS: [&str; 7] = ["cotask", "tokio", "smol", "monoio", "compio", "raw_mio", "threads"];

fn peers(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peers")).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8")
}

fn rows() -> Vec<String> {
    let listed = text(&peers(&["--list"]).stdout);
    listed.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn every_row_of_every_peer_gives_a_positive_figure() {
    let rows = rows();
    assert!(rows.len() >= 15, "{rows:?}");
    for row in rows.iter().filter(|row| *row != "recorder_off") {
        for peer in PEERS {
            let output = peers(&["measure", row, peer, "500"]);
            let trouble = text(&output.stderr);
            if trouble.starts_with(&format!("error: {peer} has no row {row}: ")) {
                assert!(peer != "cotask" && (peer != "tokio" || row == "cores_2"), "{trouble}");
                continue;
            }
            assert!(output.status.success(), "{row} of {peer}: {trouble}");
            let sample: Value = serde_json::from_slice(&output.stdout).expect("a sample is JSON");
            assert!(sample["value"].as_f64() > Some(0.0), "{row} of {peer}: {sample}");
            let timed = row != "idle_connection_bytes";
            assert_eq!(sample["wall"].as_f64() > Some(0.0), timed, "{row} of {peer}: {sample}");
        }
    }
}

#[test]
fn the_json_has_every_key_and_null_where_there_is_no_figure() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers.json");
    let path = file.to_str().expect("the path is UTF-8");
    let rows = "--rows=pingpong_own,echo_64";
    let output = peers(&[rows, "--quick", "--rounds=2", "--operations=500", "--json", path]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("| echo_64 "), "the table: {}", text(&output.stdout));

    let json: Value =
        serde_json::from_slice(&std::fs::read(&file).expect("the file is there")).expect("JSON");
    let rows = json["rows"].as_array().expect("rows are a list");
    assert_eq!(rows.iter().map(|row| &row["row"]).collect::<Vec<_>>(), ["pingpong_own", "echo_64"]);
    for row in rows {
        for key in PEERS.iter().chain(&["unit", "ratio_tokio", "ratio_spread", "reach", "met"]) {
            assert!(row.get(key).is_some(), "{key} is missing: {row}");
        }
        assert!(row["ratio_tokio"].as_f64() > Some(0.0), "{row}");
        assert_eq!(row["unit"], "ns");
    }
    assert_eq!(rows[0]["raw_mio"], Value::Null);
    assert_eq!(rows[0]["absent"]["raw_mio"], "a loop over sockets, without tasks");
    assert!(rows[1]["raw_mio"].as_f64() > Some(0.0));
    for name in ["cotask", "tokio", "smol", "monoio", "compio", "mio"] {
        assert!(json["versions"][name][0].as_str().is_some_and(|version| version.contains('.')), "{json}");
    }
}

#[test]
fn an_unknown_row_is_named_with_the_known_ones() {
    let output = peers(&["--rows", "yield_2,yield_3"]);
    assert_eq!(output.status.code(), Some(2));
    let trouble = text(&output.stderr);
    assert!(trouble.contains("'yield_3'") && trouble.contains("yield_1000"), "{trouble}");
}

#[test]
fn a_peer_without_a_row_says_why() {
    let output = peers(&["measure", "timer_fire_1m", "raw_mio", "10"]);
    assert_eq!(output.status.code(), Some(1));
    let trouble = text(&output.stderr);
    assert_eq!(trouble, "error: raw_mio has no row timer_fire_1m: a loop over sockets, without tasks\n");
}

#[test]
fn a_json_file_that_cannot_be_written_is_named() {
    let output =
        peers(&["--rows=yield_2", "--rounds=1", "--operations=10", "--json", "/no/such/folder/peers.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("cannot write /no/such/folder/peers.json: "),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn fewer_descriptors_mean_fewer_idle_connections_and_a_message() {
    let script = format!(
        "ulimit -n 264 && exec {} measure idle_connection_bytes tokio 10000",
        env!("CARGO_BIN_EXE_peers")
    );
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell starts");
    let trouble = text(&output.stderr);
    assert!(output.status.success(), "{trouble}");
    assert_eq!(
        trouble,
        "idle_connection_bytes: 200 connections in place of 10000, the limit is 264 descriptors\n"
    );
}

#[test]
fn a_server_ends_when_its_input_does() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let mut server = Command::new(env!("CARGO_BIN_EXE_peers"))
        .args(["serve", "raw_mio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).expect("the server says its port");
    assert!(port.trim().parse::<u16>().is_ok_and(|port| port > 0), "{port:?}");
    drop(server.stdin.take());
    assert!(server.wait().expect("the server can be waited for").success());
}

#[test]
fn two_builds_are_measured_in_turn() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("against.json");
    let path = file.to_str().expect("the path is UTF-8");
    let program = env!("CARGO_BIN_EXE_peers");
    let rows = "--rows=yield_2,recorder_off";
    let output = peers(&["--against-program", program, rows, "--operations=500", "--json", path]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.contains("| yield_2 ") && table.contains(&format!("before: {program}")), "{table}");

    let json: Value =
        serde_json::from_slice(&std::fs::read(&file).expect("the file is there")).expect("JSON");
    let measured = &json["rows"][0];
    let rounds = measured["rounds"].as_u64().expect("rounds are counted");
    // A row that looks worse, as one of two equal builds may, gets twice as many rounds more.
    assert!(rounds == 9 || rounds == 27, "{measured}");
    assert!(measured["ratio"].as_f64() > Some(0.0), "{measured}");
    assert!(json["rows"][1]["absent"].as_str().is_some_and(|why| why.contains("yield_1000")), "{json}");
}

#[test]
fn a_comparison_of_builds_that_cannot_be_made_says_why() {
    for (arguments, why) in [
        (
            &["--against", "no-such-commit"][..],
            "--against no-such-commit: this repository has no such commit",
        ),
        (
            &["--against-program", "/no/such/program"],
            "--against-program /no/such/program: there is no such file",
        ),
        (&["--against-program", env!("CARGO_BIN_EXE_peers"), "--rounds=3"], "needs at least 9"),
    ] {
        let output = peers(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
}
