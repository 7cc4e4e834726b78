//! A test in a process of its own.

use std::process::Command;

/// Runs a test in a process of its own: for what belongs to the process as a whole, such as its descriptors
/// and its limits. `test` is the test's path in this program.
pub fn alone(test: &str, body: impl FnOnce()) {
    const MARK: &str = "COTASK_TEST_ALONE";
    if std::env::var_os(MARK).is_some() {
        return body();
    }
    let program = std::env::current_exe().expect("the test's own file");
    let output = Command::new(program)
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(MARK, "1")
        .output()
        .expect("the test's own file starts");
    let told = String::from_utf8_lossy(&output.stdout);
    print!("{told}");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{test} alone: {}\n{told}\n{error}", output.status);
    assert!(told.contains("1 passed"), "there is no test {test}\n{told}");
}
