//! compio on io_uring, or on epoll where the kernel does not allow that.

#[path = "../workloads.rs"]
mod workloads;

use std::future::Future;
use std::io;

use ::compio::buf::BufResult;
use ::compio::io::{AsyncRead, AsyncWriteExt};
use ::compio::net::{TcpListener, TcpStream};
use ::compio::runtime::{Runtime, spawn};
use ::compio::time::sleep;
// compio has neither a yield nor a channel of its own; its users take these crates'.
use ::smol::future::yield_now;
use async_channel::bounded as channel;

use super::BUFFER;
use crate::echo::{Announce, LOOPBACK};
pub(super) use workloads::measure;

fn run<F: Future + 'static>(work: F) -> F::Output {
    let runtime = Runtime::new().expect("compio's runtime starts");
    runtime.block_on(async { value(spawn(work).await) })
}

fn value<T, E: std::fmt::Debug>(joined: Result<T, E>) -> T {
    joined.expect("the task ends well")
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

/// The kernel owns a buffer while it works on it, so that one is passed to and fro.
async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        let BufResult(read, filled) = stream.read(buffer).await;
        if read? == 0 {
            return Ok(());
        }
        let BufResult(written, mut emptied) = stream.write_all(filled).await;
        written?;
        emptied.clear();
        buffer = emptied;
    }
}
