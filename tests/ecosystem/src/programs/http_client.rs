//! A client of the server in `http.rs`, and the answers that it gets.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::channel::oneshot;
use futures::future::try_join_all;
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Body, Frame};
use hyper::client::conn::{http1, http2};
use hyper::header::HOST;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};

use super::host::{Spawnable, TcpStream, executor, hyper_io, spawn};
use super::http::{Gate, Server, Version, answer};

/// An answer: its status and its body.
pub type Answer = (StatusCode, Bytes);

/// Sends requests over one HTTP/1.1 connection, one after the other. Returns the answers.
///
/// # Errors
/// When there is no connection, or no answer.
pub async fn ask<B>(
    address: SocketAddr,
    requests: impl IntoIterator<Item = Request<B>>,
) -> Result<Vec<Answer>>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Spawnable + 'static,
{
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(hyper_io(stream)).await?;
    let connection = spawn(connection);
    let mut answers = Vec::new();
    for request in requests {
        sender.ready().await.context("the server has closed the connection")?;
        let response = sender.send_request(request).await?;
        answers.push((response.status(), response.into_body().collect().await?.to_bytes()));
    }
    drop(sender);
    connection.await??;
    Ok(answers)
}

/// Returns a request without a body.
///
/// # Errors
/// When the path is not valid.
pub fn get(path: &str) -> Result<Request<Empty<Bytes>>> {
    Ok(Request::get(path).header(HOST, "localhost").body(Empty::new())?)
}

/// Sends requests of all kinds over both versions. Returns the answers in words, the same on every host.
///
/// # Errors
/// When a connection fails, or an answer is not what it must be.
pub async fn tour() -> Result<Vec<String>> {
    let mut told = Vec::new();
    for version in [Version::Http1, Version::Http2] {
        let gate = Gate::default();
        let server = Server::bind("127.0.0.1:0", version).await?;
        let address = server.address()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (errors, heard) = futures::channel::mpsc::unbounded();
        let service = service_fn({
            let gate = gate.clone();
            move |request| answer(request, gate.clone())
        });
        let server = spawn(server.serve(service, stopped, errors));

        match version {
            Version::Http1 => one_after_the_other(address, &mut told).await?,
            Version::Http2 => all_at_once(address, &mut told).await?,
        }

        match version {
            // Graceful: the server still answers the request that is under way when it is asked to end.
            Version::Http1 => {
                let held = spawn(async move { ask(address, [get("/held")?]).await });
                gate.begun.notified().await;
                drop(stop);
                while TcpStream::connect(address).await.is_ok() {}
                gate.open.notify_one();
                let (status, body) = held.await??.remove(0);
                told.push(format!("while ending: {status} {:?}", String::from_utf8_lossy(&body)));
            }
            // To an HTTP/2 server, a client of HTTP/1.1 speaks nonsense.
            Version::Http2 => {
                ensure!(ask(address, [get("/hello")?]).await.is_err(), "HTTP/1.1 was answered by HTTP/2");
                drop(stop);
            }
        }
        server.await?;
        let errors: Vec<String> = heard.collect().await;
        told.push(format!("{version:?}: {} connections went wrong", errors.len()));
    }
    Ok(told)
}

async fn one_after_the_other(address: SocketAddr, told: &mut Vec<String>) -> Result<()> {
    let paths = ["/hello", "/count/5", "/nowhere", "/"];
    let requests = paths.iter().map(|path| get(path)).collect::<Result<Vec<_>>>()?;
    for (path, (status, body)) in paths.iter().zip(ask(address, requests).await?) {
        told.push(format!("HTTP/1.1 GET {path}: {status}, {} bytes", body.len()));
    }
    // A body that is sent bit by bit, and comes back while it is still being sent.
    let pieces =
        stream::iter(0..200_u8).map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![piece; 4096]))));
    let request = Request::post("/echo").header(HOST, "localhost").body(StreamBody::new(pieces))?;
    let (status, body) = ask(address, [request]).await?.remove(0);
    let whole = (0..200_u8).flat_map(|piece| [piece; 4096]);
    ensure!(body.iter().copied().eq(whole), "the echo is not what was sent");
    told.push(format!("HTTP/1.1 POST /echo: {status}, {} bytes", body.len()));
    Ok(())
}

async fn all_at_once(address: SocketAddr, told: &mut Vec<String>) -> Result<()> {
    let stream = TcpStream::connect(address).await?;
    let (sender, connection) = http2::handshake(executor(), hyper_io(stream)).await?;
    let connection = spawn(connection);
    let fifty = (0..50).map(|number| {
        let mut sender = sender.clone();
        async move {
            let request =
                Request::builder().method(Method::GET).uri(format!("http://localhost/count/{number}"));
            let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
            let body = response.into_body().collect().await?.to_bytes();
            ensure!(body.iter().filter(|&&byte| byte == b'\n').count() == number, "{number}: {body:?}");
            Ok(body.len())
        }
    });
    let lengths = try_join_all(fifty).await?;
    told.push(format!("HTTP/2, 50 at once: {} bytes in all", lengths.iter().sum::<usize>()));
    drop(sender);
    connection.await??;
    Ok(())
}
