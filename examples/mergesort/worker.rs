//! A worker process: it listens, takes one connection, and sorts every chunk that comes over it. The
//! end of its standard input ends it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};

use anyhow::{Context, Result};

use super::numbers::{merge_sort, timed};
use super::wire;
use crate::common::{Peer, peer, worker};

/// The worker's side.
pub(crate) fn serve() -> Result<()> {
    peer::end_with_parent();
    let listener = TcpListener::bind("127.0.0.1:0").context("a worker cannot listen on 127.0.0.1")?;
    peer::announce(listener.local_addr()?);
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    while let Some(numbers) = wire::read_chunk(&mut stream).context("a worker lost its connection")? {
        let (sorted, took) = timed(|| merge_sort(&numbers));
        stream.write_all(&wire::answer(&sorted, took)).context("a worker lost its connection")?;
    }
    // The process that started this one ends it.
    loop {
        std::thread::park();
    }
}

/// A worker process, seen from here.
pub(crate) struct Worker {
    peer: Peer,
    pub(crate) address: SocketAddr,
}

impl Worker {
    /// Starts so many of them.
    pub(crate) fn start(count: usize) -> Result<Vec<Worker>> {
        let peers = (0..count).map(|_| worker::start()).collect::<Result<Vec<_>>>()?;
        let listening = |mut peer: Peer| Ok(Worker { address: peer.address()?, peer });
        peers.into_iter().map(listening).collect()
    }

    pub(crate) fn finish(self) -> Result<()> {
        worker::dismiss(self.peer)
    }
}
