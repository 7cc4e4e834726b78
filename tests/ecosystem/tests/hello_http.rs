//! `hello_http` is the first of these programs that a reader runs: what it takes to build it, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// As its documentation and README.md build it.
const BUILD: [&str; 5] = ["-p", "ecosystem", "--no-default-features", "--example", "hello_http"];

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    cargo
}

#[test]
fn it_needs_the_crates_of_no_other_guest() {
    let tree = ["tree", "--offline", "--prefix", "none", "--edges", "all", BUILD[0], BUILD[1], BUILD[2]];
    let output = cargo().args(tree).output().expect("cargo starts");
    let crates = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && crates.contains("hyper v"), "{crates}");
    let others = [
        "axum",
        "async-rs",
        "async-tungstenite",
        "rustls",
        "ring",
        "lapin",
        "quinn",
        "redis",
        "tokio-postgres",
        "smol",
    ];
    for other in others {
        assert!(!crates.lines().any(|line| line.split(' ').next() == Some(other)), "{other}: {crates}");
    }
    // And the texts say so.
    for text in [
        include_str!("../../../README.md"),
        include_str!("../README.md"),
        include_str!("../examples/hello_http.rs"),
    ] {
        assert!(text.contains(&format!("cargo run --release {}", BUILD.join(" "))));
    }
}

/// Builds the program without the other guests, starts it, and returns it with its address.
fn start() -> (Child, String) {
    // Builds where the test was built, so that only what differs is built again.
    let test = std::env::current_exe().expect("the test's own file");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let target: PathBuf = profile.parent().expect("target/PROFILE").into();
    let status = cargo().args(["build", "--quiet", "--target-dir"]).arg(target).args(BUILD).status();
    assert!(status.expect("cargo starts").success(), "it does not build");
    let mut server = Command::new(profile.parent().expect("target").join("debug/examples/hello_http"));
    let server = server.args(["--address", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = server.spawn().expect("it starts");
    let mut line = String::new();
    let mut out = BufReader::new(server.stdout.take().expect("it was asked for"));
    out.read_line(&mut line).expect("text");
    let address =
        line.strip_prefix("http://").and_then(|line| line.split_once('/')).expect("an address").0.into();
    server.stdout = Some(out.into_inner());
    (server, address)
}

fn ctrl_c(server: &Child) {
    let killed = Command::new("kill").args(["-INT", &server.id().to_string()]).status();
    assert!(killed.expect("`kill` is there").success());
}

/// Opens a connection and sends `part` of a request. Waits until the server has read it: a later one has its answer.
fn connection(address: &str, part: &[u8]) -> TcpStream {
    let mut open = TcpStream::connect(address).expect("it listens");
    open.write_all(part).expect("it reads");
    let mut asks = TcpStream::connect(address).expect("it listens");
    asks.write_all(b"GET /hello HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    asks.read_to_string(&mut answer).expect("it answers");
    assert!(answer.contains("hello from hyper"), "{answer}");
    open
}

#[test]
fn after_ctrl_c_it_says_what_it_waits_for_and_a_second_one_ends_it() {
    let (mut server, address) = start();
    let open = connection(&address, b"GET /hello HTTP/1.1\r\nHost: here\r\n");
    ctrl_c(&server);
    let mut error = BufReader::new(server.stderr.take().expect("it was asked for"));
    let mut line = String::new();
    error.read_line(&mut line).expect("text");
    assert!(line.contains("still open") && line.contains("10s") && line.contains("Ctrl-C"), "{line}");
    ctrl_c(&server);
    // The end without the second Ctrl-C has code 0.
    assert_eq!(server.wait().expect("it ends").code(), Some(130));
    drop(open);
}

/// Browsers open such connections before they need them.
#[test]
fn a_connection_without_a_request_does_not_hold_it_up() {
    let (mut server, address) = start();
    let open = connection(&address, b"");
    ctrl_c(&server);
    let mut said = String::new();
    server.stderr.take().expect("it was asked for").read_to_string(&mut said).expect("text");
    assert_eq!(server.wait().expect("it ends").code(), Some(0));
    assert!(!said.contains("10s after"), "{said}");
    drop(open);
}
