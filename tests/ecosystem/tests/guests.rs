//! Each guest's program, on cotask and on tokio: it runs, and both hosts return the same answers.

mod support;

use std::net::SocketAddr;

use ecosystem::cost::Guest;
use ecosystem::servers::Kind;
use ecosystem::{on_cotask, on_tokio};
use support::{PATIENCE, server};

/// Runs a program on both hosts and returns what it reports, which must be the same.
macro_rules! on_both {
    ($program:ident $(, $server:expr)?) => {{
        let ours = on_cotask::host::block_on(async {
            on_cotask::host::timeout(PATIENCE, on_cotask::$program::tour($($server)?)).await
        });
        let theirs = on_tokio::host::block_on(async {
            on_tokio::host::timeout(PATIENCE, on_tokio::$program::tour($($server)?)).await
        });
        let ours = ours.expect("in good time, on cotask").expect("on cotask");
        let theirs = theirs.expect("in good time, on tokio").expect("on tokio");
        assert_eq!(ours, theirs, "cotask and tokio answer alike");
        ours
    }};
}

/// Runs a little of the load that `examples/cost.rs` measures, on both hosts.
fn load(guest: Guest, server: Option<SocketAddr>) {
    let ours = on_cotask::host::block_on(on_cotask::load::run(guest, 640, server)).expect("on cotask");
    let theirs = on_tokio::host::block_on(on_tokio::load::run(guest, 640, server)).expect("on tokio");
    assert!(!ours.is_zero() && !theirs.is_zero(), "{guest:?}");
}

#[test]
fn what_needs_no_server_can_be_measured() {
    for guest in [Guest::Http2, Guest::Axum, Guest::Websocket, Guest::Tls, Guest::Quic] {
        load(guest, None);
    }
}

#[test]
fn hyper_serves_and_asks() {
    let told = on_both!(http_client);
    let page = format!("HTTP/1.1 GET /: 200 OK, {} bytes", on_cotask::http::PAGE.len());
    assert_eq!(
        told,
        [
            "HTTP/1.1 GET /hello: 200 OK, 17 bytes",
            "HTTP/1.1 GET /count/5: 200 OK, 10 bytes",
            "HTTP/1.1 GET /nowhere: 404 Not Found, 22 bytes",
            &page,
            "HTTP/1.1 POST /echo: 200 OK, 819200 bytes",
            "while ending: 200 OK \"held, and let go\\n\"",
            "Http1: 0 connections went wrong",
            "HTTP/2, 50 at once: 3270 bytes in all",
            "Http2: 1 connections went wrong",
        ]
    );
}

#[test]
fn axum_routes() {
    let told = on_both!(notes);
    assert_eq!(
        told,
        [
            "POST /notes: 201 /notes/1",
            "POST /notes: 201 /notes/2",
            r#"GET /notes: 200 [{"text":"wake the task"},{"text":"poll it again"}]"#,
            r#"GET /notes?containing=poll: 200 [{"text":"poll it again"}]"#,
            r#"GET /notes/1: 200 {"text":"wake the task"}"#,
            "GET /notes/9: 404 there are 2 notes",
            "GET /notes/first: 400 Invalid URL: Cannot parse `first` to a `u64`",
            "POST /notes: 400 Failed to parse the request body as JSON: text: EOF while parsing a value at line 1 column 8",
            "DELETE /notes: 405 ",
            "1 connection",
        ]
    );
}

#[test]
fn a_chat_over_websocket() {
    let told = on_both!(chat);
    assert_eq!(
        told,
        [
            "1 has come",
            "2 has come",
            "2 has come",
            "both heard [300023, 300023] bytes",
            "no WebSocket: handshake: No \"Connection: upgrade\" header",
            "3 has come",
            "3 is gone",
            "told: member 3: Connection reset without closing handshake",
            "2 has left",
        ]
    );
}

#[test]
fn hyper_over_tls() {
    let told = on_both!(tls);
    let lines: String = (1..20).map(|number| format!("{number}\\n")).collect();
    assert_eq!(
        told,
        [
            r#"HTTP/1.1 200 "hello from hyper\n""#,
            r#"HTTP/1.1 200 "1\n2\n3\n""#,
            "client: invalid peer certificate: UnknownIssuer",
            "server: handshake: received corrupt message of type InvalidContentType",
            &format!("HTTP/2, 20 at once, the last: HTTP/2.0 200 \"{lines}\""),
        ]
    );
}

#[test]
fn an_echo_over_quic() {
    let told = on_both!(quic_client);
    assert_eq!(
        told,
        [
            "GET /hello: 200 \"hello over QUIC\\n\"",
            "GET /count/3: 200 \"1\\n2\\n3\\n\"",
            "GET /nowhere: 404 \"there is no such page\\n\"",
            "4 connections with 32 streams each: 812800 bytes",
            "POST /echo: 200, 8388608 bytes",
            "client: the cryptographic handshake failed: error 48: invalid peer certificate: UnknownIssuer",
            "server: handshake: aborted by peer: the cryptographic handshake failed: error 48: \
             invalid peer certificate: UnknownIssuer",
            "client: read error: stream reset by peer: error 1; the next request: 200",
            "server: stream: stream reset by peer: error 7",
            "garbage: the server lists the versions that it speaks",
            "after it: 200 on an old connection, 200 on a new one",
            "server: connection: timed out",
            "server: stream: connection lost: timed out",
            "7 connections",
        ]
    );
}

#[test]
fn redis_answers_many_tasks_over_one_connection() {
    let Some(server) = server(Kind::Redis) else { return };
    let told = on_both!(cache, server.address());
    load(Guest::Redis, Some(server.address()));
    assert_eq!(
        told,
        [
            "2000 calls of 50 tasks, the sum: 499500",
            "a transaction: 1, then 42",
            "misused: WRONGTYPE: Operation against a key holding the wrong kind of value",
            "after a call that was dropped: 42",
            "1 heard \"the cache is warm\"",
            "1001 keys are gone again",
        ]
    );
}

#[test]
fn postgresql_keeps_its_transactions() {
    let Some(server) = server(Kind::PostgreSql) else { return };
    let told = on_both!(database, server.address());
    load(Guest::Postgres, Some(server.address()));
    assert_eq!(
        told,
        [
            "the statement takes [Text, Int4]",
            "3 rows changed: 345 polls in the transaction, 45 after it was rolled back",
            "3 rows after one that was dropped",
            "100 queries at once, the sum: 9900",
            "twice the same: 23505 duplicate key value violates unique constraint \"tasks_pkey\"",
            "no SQL: 42601 syntax error at or near \"SELEKT\"",
            "news: the table is full",
            "given up: the next is answered",
        ]
    );
}

#[test]
fn rabbitmq_gives_the_jobs_of_the_dead_to_another() {
    let Some(server) = server(Kind::RabbitMq) else { return };
    let told = on_both!(work, server.address());
    load(Guest::Rabbitmq, Some(server.address()));
    assert_eq!(
        told,
        [
            "100 jobs are published and confirmed",
            "to nowhere: 312 NO_ROUTE",
            "the first worker has done 30, and dies",
            "the second gets [30, 31, 32, 33, 34, 35, 36, 37, 38, 39] again, and does the rest",
            "asked for nowhere: protocol error: AMQP soft error: NOT-FOUND: NOT_FOUND - no queue 'nowhere' in vhost '/'",
            "0 jobs are left",
        ]
    );
}
