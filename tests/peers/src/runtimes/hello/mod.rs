//! hyper with each of two hosts: the same service, the same settings, one connection a task.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::echo::{Announce, LOOPBACK};

/// The adapters that `tests/ecosystem` explains, as they stand there. HTTP/1.1 needs not all of them.
#[allow(dead_code)]
#[path = "../../../../ecosystem/src/adapters"]
mod adapters {
    pub mod here;
    pub mod hyper;
}

async fn greet(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"hello\n"))))
}

pub(super) fn on_cotask(announce: Announce) -> io::Result<()> {
    ::cotask::block_on(async move {
        let listener = ::cotask::net::TcpListener::bind(LOOPBACK).await?;
        announce(listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let mut builder = http1::Builder::new();
            builder.timer(adapters::hyper::Timer);
            ::cotask::spawn(builder.serve_connection(adapters::hyper::Io(stream), service_fn(greet)));
        }
    })
}

pub(super) fn on_tokio(announce: Announce) -> io::Result<()> {
    let runtime = ::tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = ::tokio::net::TcpListener::bind(LOOPBACK).await?;
        announce(listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new());
            ::tokio::spawn(builder.serve_connection(TokioIo::new(stream), service_fn(greet)));
        }
    })
}
