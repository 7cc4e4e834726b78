//! 10,000 connections that are kept alive and say nothing.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use cotask::{spawn, spawn_blocking};
use ecosystem::on_cotask::http::{Gate, Server, Version, answer};
use futures::StreamExt;
use futures::channel::{mpsc, oneshot};
use hyper::service::service_fn;
use rustix::process::{Resource, getrlimit, setrlimit};
use support::{descriptors, leaves_nothing, skipped};

const WANTED: usize = 10_000;
/// Descriptors that either process needs beside its connections.
const SPARE: u64 = 100;
const CROWD: &str = "ECOSYSTEM_CROWD";

/// Raises the limit on descriptors as far as possible, and returns how many connections it allows.
fn allowed() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a limit may be raised to its maximum");
    let limit = limit.current.unwrap_or(u64::MAX);
    let count = WANTED.min(usize::try_from(limit.saturating_sub(SPARE)).unwrap_or(usize::MAX));
    if count < WANTED {
        skipped(
            "the whole crowd",
            &format!("{count} connections in place of {WANTED}, the limit is {limit} descriptors"),
        );
    }
    count
}

#[test]
fn hyper_holds_a_crowd_of_idle_connections() {
    let count = allowed();
    leaves_nothing(async || {
        let before = descriptors();
        let mut server = Server::bind("127.0.0.1:0", Version::Http1).await.unwrap();
        server.patience = Duration::from_secs(3_600);
        let address = server.address().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (told, heard) = mpsc::unbounded();
        let service = service_fn(|request| answer(request, Gate::default()));
        let server = spawn(server.serve(service, stopped, told));

        // The clients are another process, because the limit on descriptors is per process.
        let mut clients = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "the_clients", "--ignored", "--nocapture"])
            .env(CROWD, format!("{address} {count}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the clients start");
        // Read on a thread: the runtime must go on serving while the clients are at work.
        let (line_read, mut lines) = mpsc::unbounded();
        let output = clients.stdout.take().expect("it was asked for");
        std::thread::spawn(move || {
            BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| line_read.unbounded_send(line))
        });
        let mut said = async |words| {
            while let Some(line) = lines.next().await {
                if line.contains(words) {
                    return;
                }
            }
            panic!("the clients never said {words:?}");
        };

        said("all have been answered").await;
        let held = descriptors() - before;
        assert!(held >= count, "{held} descriptors for {count} connections");
        clients.stdin.as_mut().expect("it was asked for").write_all(b"again\n").expect("the clients listen");
        said("all have been answered again").await;
        drop(clients.stdin.take());
        let status = spawn_blocking(move || clients.wait()).await.unwrap().expect("the clients end");
        assert!(status.success(), "{status}");

        drop(stop);
        assert_eq!(server.await.unwrap(), count);
        assert_eq!(heard.collect::<Vec<String>>().await, Vec::<String>::new());
    });
}

/// Runs the clients, in the process that the test above starts.
#[test]
#[ignore = "is the other half of the test above"]
fn the_clients() {
    let Ok(crowd) = std::env::var(CROWD) else { return };
    let (address, count) = crowd.split_once(' ').expect("an address and a number");
    let address: SocketAddr = address.parse().expect("an address");
    let count = allowed().min(count.parse().expect("a number"));
    let mut streams: Vec<TcpStream> =
        (0..count).map(|_| greeted(TcpStream::connect(address).unwrap())).collect();
    println!("all have been answered");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("the test says when");
    streams = streams.into_iter().map(greeted).collect();
    println!("all have been answered again");
    // Waits until the test has read the line.
    let _ = std::io::stdin().read_line(&mut line);
    drop(streams);
}

fn greeted(mut stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(support::PATIENCE)).expect("a time-out");
    stream.write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("the request is sent");
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello from hyper\n") {
        let mut bytes = [0; 256];
        let length = stream.read(&mut bytes).expect("the server answers");
        assert!(length > 0, "the server closed: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&bytes[..length]);
    }
    stream
}
