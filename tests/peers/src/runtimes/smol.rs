//! smol: its `LocalExecutor`, with async-io's reactor and timers.

#[path = "../workloads.rs"]
mod workloads;

use std::future::Future;
use std::io;
use std::time::Duration;

use ::smol::channel::bounded as channel;
use ::smol::future::yield_now;
use ::smol::io::{AsyncReadExt, AsyncWriteExt};
use ::smol::net::{TcpListener, TcpStream};
use ::smol::{LocalExecutor, Task, Timer};

use super::BUFFER;
use crate::echo::{Announce, LOOPBACK};
pub(super) use workloads::measure;

thread_local! {
    static EXECUTOR: LocalExecutor<'static> = const { LocalExecutor::new() };
}

fn run<F: Future + 'static>(work: F) -> F::Output {
    EXECUTOR.with(|executor| ::smol::block_on(executor.run(executor.spawn(work))))
}

fn spawn<F: Future + 'static>(work: F) -> Task<F::Output> {
    EXECUTOR.with(|executor| executor.spawn(work))
}

/// A smol task's output is the future's own.
fn value<T>(joined: T) -> T {
    joined
}

fn sleep(duration: Duration) -> Timer {
    Timer::after(duration)
}

pub(super) fn serve(announce: Announce) -> io::Result<()> {
    run(async move {
        let listener = TcpListener::bind(LOOPBACK).await?;
        announce(listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            spawn(echo(stream)).detach();
        }
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
