//! The server as other programs see it: curl, wrk, h2load and a browser, each where it is installed.

mod support;

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::mpsc;

use async_tungstenite::tungstenite::Message;
use cotask::net::TcpListener;
use cotask::sync::Notify;
use ecosystem::on_cotask::chat;
use ecosystem::on_cotask::http::{PAGE, Server, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use support::{Background, installed, skipped};

/// Runs a program, if it is installed, and returns what it wrote.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let Some(file) = installed(program) else {
        skipped(program, "it is not installed");
        return None;
    };
    Some(support::run(&file, arguments))
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
    let Some(page) = browse(&format!("http://{}/", server.address)) else { return };
    assert!(page.contains("200 OK: hello from hyper"), "{page}");
    assert!(page.contains("200 OK: 1\n2\n3\n4\n5"), "{page}");
    server.end();
}

/// Returns a browser's view of a page after ten seconds of the page's own clock, which stands still while it loads.
fn browse(url: &str) -> Option<String> {
    let profile = tempfile::tempdir().expect("a folder for its profile");
    let profile = format!("--user-data-dir={}", profile.path().display());
    let headless =
        ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000", "--dump-dom"];
    run("chromium", &[&headless[..], &[&profile, url]].concat())
}

/// The page sends a message to the room, and shows the answer of another member.
#[test]
fn a_browser_takes_part_in_the_chat() {
    let (announce, announced) = mpsc::channel();
    let servers = std::thread::spawn(move || {
        cotask::block_on(async {
            let room = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = room.local_addr().unwrap();
            let (told, _) = futures::channel::mpsc::unbounded();
            cotask::spawn(chat::open(room, told.clone()));
            let mut guest = chat::enter(address).await.unwrap();
            assert_eq!(chat::hear(&mut guest).await.unwrap(), "1 has come");

            let server = Server::bind("127.0.0.1:0", Version::Http1).await.unwrap();
            announce.send(server.address().unwrap()).unwrap();
            let answered = Rc::new(Notify::new());
            let answer = Rc::clone(&answered);
            // The page's clock stands still as long as this picture is missing, and so until the answer is under way.
            let page = service_fn(move |request: Request<Incoming>| {
                let answered = Rc::clone(&answered);
                async move {
                    if request.uri().path() == "/answered" {
                        answered.notified().await;
                    }
                    let (parts, body) = chat::page(address).into_parts();
                    let page = body.collect().await?.to_bytes();
                    let page = [&page[..], b"<img src='/answered' alt=''>"].concat();
                    Ok::<_, Infallible>(Response::from_parts(parts, Full::new(Bytes::from(page))))
                }
            });
            cotask::spawn(server.serve(page, std::future::pending::<()>(), told));
            while chat::hear(&mut guest).await.unwrap() != "2: hello from the page" {}
            guest.send(Message::text("welcome, page")).await.unwrap();
            answer.notify_one();
            // Waits until the browser closes.
            while chat::hear(&mut guest).await.is_ok_and(|heard| !heard.starts_with("2 ")) {}
        });
    });
    let address = announced.recv().expect("the servers start");
    let Some(page) = browse(&format!("http://{address}/?say=hello%20from%20the%20page")) else { return };
    assert!(page.contains("<li>2: hello from the page</li>"), "{page}");
    assert!(page.contains("<li>1: welcome, page</li>"), "{page}");
    servers.join().expect("the servers end when the browser has left");
}
