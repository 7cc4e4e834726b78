//! The server as other programs see it: curl, wrk, h2load and a browser, each where it is installed.

mod support;

use std::process::{Command, Output};

use ecosystem::on_cotask::http::{PAGE, Version};
use support::{Background, installed, skipped};

/// Runs a program, if it is there, and gives what it wrote.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let Some(file) = installed(program) else {
        skipped(program, "it is not installed");
        return None;
    };
    let Output { status, stdout, stderr } = Command::new(file).args(arguments).output().expect("it starts");
    let text = String::from_utf8_lossy(&stdout).into_owned();
    assert!(
        status.success(),
        "{program} {arguments:?}: {status}\n{text}\n{}",
        String::from_utf8_lossy(&stderr)
    );
    Some(text)
}

#[test]
fn curl_asks_over_both_versions() {
    for (version, flag) in [(Version::Http1, "--http1.1"), (Version::Http2, "--http2-prior-knowledge")] {
        let server = Background::serve(version);
        let url = |path: &str| format!("http://{}{path}", server.address);
        let told = "%{http_version} %{http_code} %{num_connects}\n";
        let ask =
            |arguments: &[&str]| run("curl", &[&["--silent", "--max-time", "60", flag], arguments].concat());
        let Some(page) = ask(&[&url("/")]) else { return };
        assert_eq!(page, PAGE);
        if version == Version::Http1 {
            // Two requests, one connection: it was kept alive. (curl 7.88 cannot do this by prior knowledge of HTTP/2.)
            let twice =
                ask(&["--write-out", told, &url("/hello"), &url("/count/3")]).expect("it is installed");
            assert_eq!(twice, "hello from hyper\n1.1 200 1\n1\n2\n3\n1.1 200 0\n");
        }
        let echo = ask(&["--data", "sent and sent back", &url("/echo")]).expect("it is installed");
        assert_eq!(echo, "sent and sent back");
        assert_eq!(server.end(), Vec::<String>::new());
    }
}

#[test]
fn wrk_asks_for_a_second() {
    let server = Background::serve(Version::Http1);
    let url = format!("http://{}/hello", server.address);
    let Some(report) = run("wrk", &["--threads=1", "--connections=32", "--duration=1s", &url]) else {
        return;
    };
    assert!(report.contains("requests in"), "{report}");
    assert!(!report.contains("Socket errors") && !report.contains("Non-2xx"), "{report}");
    server.end();
}

#[test]
fn h2load_asks_many_things_at_once() {
    let server = Background::serve(Version::Http2);
    let url = format!("http://{}/hello", server.address);
    let Some(report) =
        run("h2load", &["--requests=5000", "--clients=10", "--max-concurrent-streams=32", &url])
    else {
        return;
    };
    assert!(report.contains("5000 done, 5000 succeeded, 0 failed, 0 errored, 0 timeout"), "{report}");
    server.end();
}

/// The page's script asks the server again, and puts the answers into the page.
#[test]
fn a_browser_shows_the_page() {
    let server = Background::serve(Version::Http1);
    let url = format!("http://{}/", server.address);
    let profile = tempfile::tempdir().expect("a folder for its profile");
    let profile = format!("--user-data-dir={}", profile.path().display());
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        &profile,
        "--virtual-time-budget=5000",
        "--dump-dom",
        &url,
    ];
    let Some(page) = run("chromium", &arguments) else { return };
    assert!(page.contains("200 OK: hello from hyper"), "{page}");
    assert!(page.contains("200 OK: 1\n2\n3\n4\n5"), "{page}");
    server.end();
}
