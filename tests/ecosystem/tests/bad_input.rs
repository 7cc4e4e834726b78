//! Clients that send nonsense, or nothing: the server serves the others, reports the error and leaves nothing behind.

mod support;

use std::time::{Duration, Instant};

use cotask::net::TcpStream;
use cotask::spawn;
use cotask::time::{sleep, timeout};
use ecosystem::on_cotask;
use ecosystem::on_cotask::http::{Gate, Server, Version, answer};
use ecosystem::on_cotask::http_client::{ask, get};
use futures::channel::{mpsc, oneshot};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use hyper::StatusCode;
use hyper::service::service_fn;
use support::{PATIENCE, alone, leaves_nothing};

/// Serves a client that misbehaves, while others send proper requests. Returns the output of `client`, and the errors
/// that the server reported.
fn beside_others<T>(patience: Duration, client: impl AsyncFnOnce(TcpStream) -> T) -> (T, Vec<String>) {
    let _alone = alone();
    leaves_nothing(async || {
        let mut server = Server::bind("127.0.0.1:0", Version::Http1).await.unwrap();
        server.patience = patience;
        let address = server.address().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (told, heard) = mpsc::unbounded();
        let service = service_fn(|request| answer(request, Gate::default()));
        let server = spawn(server.serve(service, stopped, told));

        let greeted = async || {
            let answers = ask(address, [get("/hello").unwrap(), get("/hello").unwrap()]).await.unwrap();
            assert_eq!(answers.len(), 2);
            assert!(answers.iter().all(|(status, _)| *status == StatusCode::OK), "{answers:?}");
        };
        greeted().await;
        let bad = TcpStream::connect(address).await.unwrap();
        // The server has accepted it by now, but received nothing yet.
        greeted().await;
        let output = timeout(PATIENCE, client(bad)).await.expect("the client is dealt with");
        greeted().await;

        drop(stop);
        assert_eq!(server.await.unwrap(), 4, "connections served");
        (output, heard.collect().await)
    })
}

async fn sends(mut stream: TcpStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_malformed_request_is_refused_and_told() {
    for nonsense in
        ["NONSENSE\r\n\r\n", "GET / HTTP/1.1\r\nhost localhost\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n"]
    {
        let (answer, told) = beside_others(PATIENCE, async |stream| sends(stream, nonsense.as_bytes()).await);
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{nonsense:?}: {answer}");
        assert!(told.len() == 1 && told[0].contains("invalid HTTP"), "{nonsense:?}: {told:?}");
    }
}

#[test]
fn a_request_whose_headers_are_too_large_is_refused_and_told() {
    let large = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(1 << 20));
    // Unread bytes of the request may reset the connection before the client reads the answer.
    let (_, told) = beside_others(PATIENCE, async |mut stream| {
        let _ = stream.write_all(large.as_bytes()).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    assert!(told.len() == 1 && told[0].contains("message head is too large"), "{told:?}");
}

#[test]
fn a_body_that_breaks_off_is_told() {
    let (_, told) = beside_others(PATIENCE, async |mut stream| {
        stream
            .write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nno more")
            .await
            .unwrap();
        // The echo begins at once. Then the rest does not come.
        let mut begin = [0; 15];
        stream.read_exact(&mut begin).await.unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200 OK");
    });
    assert!(told.len() == 1 && told[0].contains("error from user's Body stream"), "{told:?}");
}

/// The client sends one byte at a time, each in good time, and never ends.
#[test]
fn a_client_that_never_ends_its_headers_is_given_up() {
    const PATIENCE: Duration = Duration::from_secs(1);
    let (waited, told) = beside_others(PATIENCE, async |mut stream| {
        let start = Instant::now();
        stream.write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await.unwrap();
        while stream.write_all(b"w").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
        start.elapsed()
    });
    // The clock of a connection starts when it is accepted, which was before the client began.
    assert!(waited >= PATIENCE / 2, "given up after {waited:?}");
    assert!(told.len() == 1 && told[0].contains("read header from client timeout"), "{told:?}");
}

/// Their tours meet garbage in place of a handshake, a client that vanishes, and one that trusts no certificate.
#[test]
fn guests_that_meet_garbage_leave_nothing() {
    let _alone = alone();
    leaves_nothing(async || on_cotask::chat::tour().await.unwrap());
    leaves_nothing(async || on_cotask::tls::tour().await.unwrap());
    leaves_nothing(async || on_cotask::quic_client::tour().await.unwrap());
}
