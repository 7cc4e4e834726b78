//! monoio on io_uring, or on epoll where the kernel does not allow that.

#[path = "../workloads.rs"]
mod workloads;

use std::future::Future;
use std::io;

use ::monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use ::monoio::net::{TcpListener, TcpStream};
use ::monoio::time::sleep;
use ::monoio::{FusionDriver, RuntimeBuilder, spawn};
// monoio has neither a yield nor a channel of its own; its users take these crates'.
use ::smol::future::yield_now;
use async_channel::bounded as channel;

use super::BUFFER;
use crate::echo::{Announce, LOOPBACK};
pub(super) use workloads::measure;

fn run<F: Future + 'static>(work: F) -> F::Output {
    let runtime = RuntimeBuilder::<FusionDriver>::new().enable_timer().build();
    runtime.expect("monoio's runtime starts").block_on(async { spawn(work).await })
}

/// A monoio task's output is the future's own.
fn value<T>(joined: T) -> T {
    joined
}

pub(super) fn serve(announce: Announce) -> io::Result<()> {
    run(async move {
        let listener = TcpListener::bind(LOOPBACK)?;
        announce(listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            spawn(echo(stream));
        }
    })
}

/// The kernel owns a buffer while it works on it, so that one is passed to and fro.
async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        let (read, filled) = stream.read(buffer).await;
        if read? == 0 {
            return Ok(());
        }
        let (written, mut emptied) = stream.write_all(filled).await;
        written?;
        emptied.clear();
        buffer = emptied;
    }
}
