//! The servers that the tests start: none of their processes outlives the process that started it.

mod support;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ecosystem::servers::{Kind, Server};
use support::{PATIENCE, server};

const ALL: [Kind; 3] = [Kind::Redis, Kind::PostgreSql, Kind::RabbitMq];
const OWNER: &str = "ECOSYSTEM_OWNER";

/// Returns the processes of the server with this folder, which is their home.
fn residents(folder: &Path) -> Vec<String> {
    let home = format!("HOME={}", folder.display());
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten().map(|process| process.path());
    let at_home = |process: &PathBuf| {
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable == home.as_bytes())
    };
    let command = |process: PathBuf| std::fs::read_to_string(process.join("cmdline")).unwrap_or_default();
    processes.filter(at_home).map(command).collect()
}

/// Waits until no process is at home any more: a killed process needs a moment to end.
fn deserted(folder: &Path) {
    let start = Instant::now();
    while !residents(folder).is_empty() {
        assert!(start.elapsed() < PATIENCE, "still there: {:?}", residents(folder));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_server_that_is_dropped_leaves_nothing() {
    for kind in ALL {
        let Some(server) = server(kind) else { continue };
        let (folder, address) = (server.folder().to_owned(), server.address());
        assert!(!residents(&folder).is_empty());
        drop(server);
        deserted(&folder);
        assert!(!folder.exists(), "{kind:?} has left {}", folder.display());
        assert!(TcpStream::connect(address).is_err(), "{kind:?} still listens");
    }
}

#[test]
fn a_server_ends_with_whoever_started_it() {
    for kind in ALL {
        if kind.installed().is_none() {
            continue;
        }
        let mut owner = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "the_owner", "--ignored", "--nocapture"])
            .env(OWNER, kind.package())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the owner starts");
        let output = BufReader::new(owner.stdout.take().expect("it was asked for"));
        let folder =
            output.lines().map_while(Result::ok).find_map(|line| Some(line.strip_prefix("at ")?.into()));
        let folder: PathBuf = folder.expect("the owner says where its server is at home");
        assert!(!residents(&folder).is_empty());
        owner.kill().expect("it is there");
        owner.wait().expect("it was killed");
        deserted(&folder);
        // A killed process cannot clean up.
        std::fs::remove_dir_all(folder).expect("it is there");
    }
}

/// Starts a server, in the process that the test above starts and kills.
#[test]
#[ignore = "is the other half of the test above"]
fn the_owner() {
    let Ok(package) = std::env::var(OWNER) else { return };
    let kind = ALL.into_iter().find(|kind| kind.package() == package).expect("one of them");
    let server = Server::start(kind).expect("it starts");
    // The harness has begun a line.
    println!("\nat {}", server.folder().display());
    // Until the test kills us, or is gone.
    let _ = std::io::stdin().read(&mut [0]);
}
