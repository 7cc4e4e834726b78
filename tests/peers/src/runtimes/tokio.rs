//! tokio on its current-thread scheduler.

#[path = "../workloads.rs"]
mod workloads;

use std::future::Future;
use std::io;

use ::tokio::io::{AsyncReadExt, AsyncWriteExt};
use ::tokio::net::{TcpListener, TcpStream};
use ::tokio::runtime::{Builder, Runtime};
use ::tokio::task::{JoinError, spawn, yield_now};
use ::tokio::{sync::mpsc::channel, time::sleep};

use super::BUFFER;
use crate::echo::{Announce, LOOPBACK};
pub(super) use workloads::measure;

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn run<F>(work: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    let runtime = runtime().expect("tokio's runtime starts");
    runtime.block_on(async { value(spawn(work).await) })
}

fn value<T>(joined: Result<T, JoinError>) -> T {
    joined.expect("the task ends well")
}

pub(super) fn serve(announce: Announce) -> io::Result<()> {
    runtime()?.block_on(async move {
        spawn(async move {
            let listener = TcpListener::bind(LOOPBACK).await?;
            announce(listener.local_addr()?);
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                spawn(echo(stream));
            }
        })
        .await
        .map_err(io::Error::from)?
    })
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length]).await?,
        }
    }
}
