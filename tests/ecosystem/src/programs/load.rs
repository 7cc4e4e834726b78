//! A bounded load for each guest, to measure what it costs here.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_tungstenite::tungstenite::Message;
use bytes::Bytes;
use futures::channel::{mpsc, oneshot};
use futures::future::try_join;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::service::TowerToHyperService;

use super::host::{Spawnable, TcpListener, TcpStream, executor, hyper_io, spawn};
use super::http::{Gate, Server, Version, answer};
use super::http_client::{ask, get};
use super::{cache, chat, database, notes, quic, tls, work};
use crate::adapters::hyper::Io;
use crate::cost::{Guest, measured};

/// Runs so many operations and returns the CPU time that they took.
///
/// # Errors
/// When the guest's program fails.
pub async fn run(guest: Guest, operations: u64, server: Option<SocketAddr>) -> Result<Duration> {
    let server = server.context("the server that this guest asks");
    match guest {
        Guest::Http2 => http2(operations).await,
        Guest::Axum => axum(operations).await,
        Guest::Websocket => websocket(operations).await,
        Guest::Tls => tls(operations).await,
        Guest::Quic => quic(operations).await,
        Guest::Redis => redis(operations, server?).await,
        Guest::Postgres => postgres(operations, server?).await,
        Guest::Rabbitmq => rabbitmq(operations, server?).await,
    }
}

/// Runs so many tasks to their end.
async fn tasks<F: Future<Output = Result<()>> + Spawnable + 'static>(
    count: usize,
    make: impl Fn(usize) -> F,
) -> Result<()> {
    let running: Vec<_> = (0..count).map(|number| spawn(make(number))).collect();
    for task in running {
        task.await??;
    }
    Ok(())
}

async fn http2(operations: u64) -> Result<Duration> {
    let server = Server::bind("127.0.0.1:0", Version::Http2).await?;
    let stream = TcpStream::connect(server.address()?).await?;
    let (_stop, stopped) = oneshot::channel::<()>();
    let (told, _) = mpsc::unbounded();
    spawn(server.serve(service_fn(|request| answer(request, Gate::default())), stopped, told));
    stream.set_nodelay(true)?;
    let (sender, connection) = http2::handshake(executor(), hyper_io(stream)).await?;
    spawn(connection);
    measured(operations, async |count| {
        tasks(50, |_| {
            let mut sender = sender.clone();
            async move {
                for _ in 0..count / 50 {
                    let request = Request::get("http://localhost/hello").body(Empty::<Bytes>::new())?;
                    let response = sender.send_request(request).await?;
                    ensure!(response.status() == StatusCode::OK, "{}", response.status());
                    response.into_body().collect().await?;
                }
                Ok(())
            }
        })
        .await
    })
    .await
}

async fn axum(operations: u64) -> Result<Duration> {
    let server = Server::bind("127.0.0.1:0", Version::Http1).await?;
    let address = server.address()?;
    let (_stop, stopped) = oneshot::channel::<()>();
    let (told, _) = mpsc::unbounded();
    spawn(server.serve(TowerToHyperService::new(notes::routes()), stopped, told));
    let note = Request::post("/notes").header(HOST, "localhost").header(CONTENT_TYPE, "application/json");
    ask(address, [note.body(r#"{"text":"poll it again"}"#.to_owned())?]).await?;
    measured(operations, async |count| {
        tasks(16, |_| async move {
            let requests = (0..count / 16).map(|_| get("/notes?containing=again"));
            let answers = ask(address, requests.collect::<Result<Vec<_>>>()?).await?;
            ensure!(answers.iter().all(|(status, _)| *status == StatusCode::OK), "not all were answered");
            Ok(())
        })
        .await
    })
    .await
}

async fn websocket(operations: u64) -> Result<Duration> {
    const MEMBERS: u64 = 8;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (told, _) = mpsc::unbounded();
    spawn(chat::open(listener, told));
    measured(operations, async |count| {
        let mut members = Vec::new();
        for _ in 0..MEMBERS {
            members.push(chat::enter(address).await?);
            // Every member, the new one included, hears that a member has come.
            for member in &mut members {
                chat::hear(member).await?;
            }
        }
        let talking = members.into_iter().map(|mut member| {
            spawn(async move {
                for _ in 0..count / MEMBERS / MEMBERS {
                    member.send(Message::text("what one says, everybody hears")).await?;
                    for _ in 0..MEMBERS {
                        chat::hear(&mut member).await?;
                    }
                }
                anyhow::Ok(member)
            })
        });
        let talking: Vec<_> = talking.collect();
        // No member leaves before all are done: the others would hear of it.
        let mut done = Vec::new();
        for member in talking {
            done.push(member.await??);
        }
        Ok(())
    })
    .await
}

async fn tls(operations: u64) -> Result<Duration> {
    let identity = tls::Identity::new()?;
    let trust = identity.trust.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (told, _) = mpsc::unbounded();
    spawn(tls::serve(listener, identity, told));
    measured(operations, async |count| {
        tasks(16, |_| {
            let trust = trust.clone();
            async move {
                let stream = tls::shake(address, trust, tls::HTTP1).await?;
                let (mut sender, connection) = http1::handshake(Io(stream)).await?;
                let connection = spawn(connection);
                for _ in 0..count / 16 {
                    sender.ready().await?;
                    let response = sender.send_request(get("/hello")?).await?;
                    ensure!(response.status() == StatusCode::OK, "{}", response.status());
                    response.into_body().collect().await?;
                }
                drop(sender);
                Ok(connection.await??)
            }
        })
        .await
    })
    .await
}

async fn quic(operations: u64) -> Result<Duration> {
    let identity = tls::Identity::new()?;
    let server = quic::server(SocketAddr::from(([127, 0, 0, 1], 0)), &identity)?;
    let address = server.local_addr()?;
    let (told, _) = mpsc::unbounded();
    let serving = spawn(quic::serve(server.clone(), told));
    let mut client = quic::client()?;
    client.set_default_client_config(quic::trusting(identity.trust)?);
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(client.connect(address, "localhost")?.await?);
    }
    let time = measured(operations, async |count| {
        tasks(32, |number| {
            let connection = connections[number % 4].clone();
            async move {
                for _ in 0..count / 32 {
                    let (answered, _) = quic::ask(&connection, "GET /hello", b"").await?;
                    ensure!(answered == 200, "{answered}");
                }
                Ok(())
            }
        })
        .await
    })
    .await?;
    client.close(0_u32.into(), b"done");
    server.close(0_u32.into(), b"enough");
    serving.await?;
    Ok(time)
}

async fn redis(operations: u64, server: SocketAddr) -> Result<Duration> {
    const TASKS: i64 = 50;
    let (redis, _) = cache::connect(server).await?;
    measured(operations, async |count| {
        cache::many(&redis, TASKS, i64::try_from(count)? / TASKS / 2).await?;
        Ok(())
    })
    .await
}

async fn postgres(operations: u64, server: SocketAddr) -> Result<Duration> {
    let (client, _) = database::connect(server, &database::cotask()).await?;
    measured(operations, async |count| {
        for _ in 0..count / 100 {
            database::many(&client, 100).await?;
        }
        Ok(())
    })
    .await
}

async fn rabbitmq(operations: u64, server: SocketAddr) -> Result<Duration> {
    let connection = work::connect(server).await?;
    let channel = work::queue(&connection, work::QUEUE).await?;
    let mut worker = work::worker(&connection, "worker", 100).await?;
    let time = measured(operations, async |count| {
        let done = async {
            for _ in 0..count {
                let (_, delivery) = work::next(&mut worker).await?;
                work::done_with(delivery).await?;
            }
            Ok(())
        };
        try_join(work::publish(&channel, u32::try_from(count)?), done).await?;
        Ok(())
    })
    .await?;
    drop((channel, worker));
    work::end(connection).await?;
    Ok(time)
}
