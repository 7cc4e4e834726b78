//! cotask, this repository's runtime.

#[path = "../workloads.rs"]
mod workloads;

use std::future::Future;
use std::io;
use std::num::NonZeroUsize;
use std::thread;

use ::cotask::net::{TcpListener, TcpStream};
use ::cotask::{JoinError, block_on, spawn, yield_now};
use ::cotask::{sync::mpsc::channel, time::sleep};
use futures::io::{AsyncReadExt, AsyncWriteExt};

use super::BUFFER;
use crate::echo::{Announce, LOOPBACK};
pub(super) use workloads::measure;

fn run<F: Future + 'static>(work: F) -> F::Output {
    block_on(async { value(spawn(work).await) })
}

fn value<T>(joined: Result<T, JoinError>) -> T {
    joined.expect("the task ends well")
}

pub(super) fn serve(announce: Announce) -> io::Result<()> {
    run(async move {
        let listener = TcpListener::bind(LOOPBACK).await?;
        announce(listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            spawn(echo(stream));
        }
    })
}

/// The same on several cores.
pub(super) fn serve_on(cores: NonZeroUsize, announce: Announce) -> io::Result<()> {
    let handler = async |stream: TcpStream| match stream.set_nodelay(true) {
        // A connection that ends in an error is over as well.
        Ok(()) => drop(echo(stream).await),
        Err(error) => eprintln!("cannot set TCP_NODELAY: {error}"),
    };
    let server = ::cotask::cores::serve(LOOPBACK, cores, handler)?;
    announce(server.local_addr());
    loop {
        thread::park();
    }
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
