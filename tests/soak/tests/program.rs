//! The program as a whole: a short run is flat and says so.

use std::process::{Command, Output};

fn soak(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_soak")).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8")
}

#[test]
#[cfg(target_os = "linux")]
fn a_short_run_is_flat() {
    let output = soak(&["--time", "2s", "--every", "500ms"]);
    let (report, trouble) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{report}{trouble}");
    assert!(report.starts_with("seed ") && report.contains("descriptors and tasks flat"), "{report}");
    // The panics of the load are planned, and not shown.
    assert_eq!(trouble, "");
}

#[test]
fn a_time_that_is_none_is_refused_by_name() {
    let output = soak(&["--time", "soon"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("'soon' for '--time <TIME>'"), "{}", text(&output.stderr));
}
