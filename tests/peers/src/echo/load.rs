//! The client: opens connections and keeps one request of each under way.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use mio::{Events, Interest, Poll, Token};
use rustix::process::{Resource, getrlimit};

use super::MESSAGE;
use super::server::Server;
use crate::rows::Row;
use crate::runtimes::Peer;
use crate::sample::{Sample, Stopwatch};

/// Descriptors that either process needs beside its connections.
const SPARE_DESCRIPTORS: u64 = 64;

/// So long without any answer, and the server is taken to be stuck.
const STALLED: Duration = Duration::from_secs(5);

/// Measures one row that has a server.
pub(crate) fn measure(row: Row, peer: Peer, operations: u64) -> Result<Sample> {
    let connections = row.connections().with_context(|| format!("{} has no server", row.name()))?;
    let mut server = Server::start(peer)?;
    match row {
        Row::IdleConnectionBytes => idle_bytes(&mut server, connections.min(operations as usize)),
        _ => echo(&mut server, connections, operations),
    }
}

/// Connects, and has one message echoed, so that the server has accepted the connection and started its task.
/// The server's backlog is therefore never more than one, however short a runtime's default is.
fn connect(server: &Server) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(server.address)
        .with_context(|| format!("cannot connect to {}", server.address))?;
    stream.set_nodelay(true)?;
    // Closed by a reset: ports of closed connections are free at once and are not used up by the rounds.
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
    stream.set_read_timeout(Some(STALLED))?;
    let mut message = [7; MESSAGE];
    stream.write_all(&message)?;
    stream.read_exact(&mut message).context("the server did not echo a connection's first message")?;
    Ok(stream)
}

/// The memory that one more connection takes, over many of them.
fn idle_bytes(server: &mut Server, wanted: usize) -> Result<Sample> {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = usize::try_from(limit.saturating_sub(SPARE_DESCRIPTORS)).unwrap_or(usize::MAX);
    if most < wanted {
        eprintln!(
            "idle_connection_bytes: {most} connections in place of {wanted}, the limit is {limit} descriptors"
        );
    }
    let count = wanted.min(most);
    ensure!(count > 0, "a limit of {limit} descriptors leaves none for connections");

    // The first connection pays for what the runtime makes once.
    let mut open = vec![connect(server)?];
    let before = server.resident_bytes()?;
    for _ in 0..count {
        open.push(connect(server)?);
    }
    let after = server.resident_bytes()?;
    ensure!(after > before, "{count} connections took no memory: {before} bytes before, {after} after");
    Ok(Sample { value: (after - before) as f64 / count as f64, wall: None })
}

/// One of the connections, with how much of its answer has come.
struct Connection {
    stream: mio::net::TcpStream,
    received: usize,
}

impl Connection {
    fn ask(&mut self) -> Result<()> {
        // A socket that has just been emptied takes 64 bytes whole.
        self.stream.write_all(&[7; MESSAGE]).context("cannot send a request")
    }

    /// Reads what is there; `true` once the answer is whole.
    fn answered(&mut self) -> Result<bool> {
        let mut buffer = [0; MESSAGE];
        while self.received < MESSAGE {
            match self.stream.read(&mut buffer[self.received..]) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(length) => self.received += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error).context("cannot read an answer"),
            }
        }
        self.received = 0;
        Ok(true)
    }
}

/// The server's CPU time a request, with one request of each connection under way.
fn echo(server: &mut Server, count: usize, requests: u64) -> Result<Sample> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut connections = Vec::with_capacity(count);
    for number in 0..count {
        let stream = connect(server)?;
        stream.set_nonblocking(true)?;
        let mut stream = mio::net::TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        connections.push(Connection { stream, received: 0 });
    }

    let warm_up = (requests / 10).max(1);
    let mut answers = 0;
    let mut started = None;
    for connection in &mut connections {
        connection.ask()?;
    }
    loop {
        poll.poll(&mut events, Some(STALLED))?;
        ensure!(!events.is_empty(), "the server gave no answer for {} s", STALLED.as_secs());
        for event in &events {
            let connection = &mut connections[event.token().0];
            if !connection.answered()? {
                continue;
            }
            answers += 1;
            if answers == warm_up {
                started = Some((Stopwatch::start(), server.cpu()?));
            }
            if answers == warm_up + requests
                && let Some((stopwatch, before)) = started
            {
                let spent = server.cpu()?.saturating_sub(before);
                return Ok(stopwatch.stop_with_cpu(spent, requests));
            }
            connection.ask()?;
        }
    }
}
