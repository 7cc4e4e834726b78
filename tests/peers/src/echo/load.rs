//! The client: opens connections and keeps one request of each under way.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use mio::{Events, Interest, Poll, Token};
use rustix::process::{Resource, getrlimit};

use super::Exchange;
use super::server::Server;
use crate::rows::Row;
use crate::runtimes::Peer;
use crate::sample::{Sample, Stopwatch};

/// Descriptors that either process needs beside its connections.
const SPARE_DESCRIPTORS: u64 = 64;

/// So long without any answer, and the server is taken to be stuck.
const STALLED: Duration = Duration::from_secs(5);

/// Measures one row that has a server.
pub(crate) fn measure(row: Row, peer: Peer, operations: u64, cores: NonZeroUsize) -> Result<Sample> {
    let connections = row.connections().with_context(|| format!("{} has no server", row.name()))?;
    let exchange = if row == Row::HyperHello { &Exchange::HELLO } else { &Exchange::ECHO };
    let mut server = Server::start(peer, exchange, (row == Row::Cores2).then_some(cores))?;
    match row {
        Row::IdleConnectionBytes => idle_bytes(&mut server, connections.min(operations as usize)),
        // As many requests as the busiest thread answers in its time, the whole server answers in that time.
        Row::Cores2 => echo(&mut server, Server::busiest_thread_cpu, connections, operations),
        _ => echo(&mut server, Server::cpu, connections, operations),
    }
}

/// Connects, and has one request answered, so that the server has accepted the connection and started its task.
/// The server's backlog is therefore never more than one, however short a runtime's default is.
fn connect(server: &Server) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(server.address)
        .with_context(|| format!("cannot connect to {}", server.address))?;
    stream.set_nodelay(true)?;
    // Closed by a reset: ports of closed connections are free at once and are not used up by the rounds.
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
    stream.set_read_timeout(Some(STALLED))?;
    stream.write_all(server.exchange.request)?;
    let mut answer = vec![0; server.exchange.answer_length];
    stream.read_exact(&mut answer).context("the server did not answer a connection's first request")?;
    ensure!(answer.ends_with(server.exchange.answer_end), "an answer: {}", String::from_utf8_lossy(&answer));
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

/// The connections, each with its part of the work.
struct Load {
    poll: Poll,
    events: Events,
    exchange: &'static Exchange,
    connections: Vec<Connection>,
}

struct Connection {
    stream: mio::net::TcpStream,
    /// How much of the answer has come that is waited for.
    received: usize,
    answers_left: u64,
}

/// The server's CPU time a request, with one request of each connection under way.
fn echo(
    server: &mut Server,
    cpu_of: fn(&mut Server) -> Result<Duration>,
    count: usize,
    requests: u64,
) -> Result<Sample> {
    let mut load = Load::connect(server, count)?;
    let each = (requests / count as u64).max(1);
    load.exchange((each / 10).max(1))?;
    cpu_of(server)?;
    let stopwatch = Stopwatch::start();
    load.exchange(each)?;
    Ok(stopwatch.stop_with_cpu(cpu_of(server)?, each * count as u64))
}

impl Load {
    fn connect(server: &Server, count: usize) -> Result<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(count);
        for number in 0..count {
            let stream = connect(server)?;
            stream.set_nonblocking(true)?;
            let mut stream = mio::net::TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            connections.push(Connection { stream, received: 0, answers_left: 0 });
        }
        Ok(Load { poll, events: Events::with_capacity(1024), exchange: server.exchange, connections })
    }

    /// Has `each` requests of every connection answered.
    fn exchange(&mut self, each: u64) -> Result<()> {
        for connection in &mut self.connections {
            connection.answers_left = each;
            connection.ask(self.exchange)?;
        }
        let mut busy = self.connections.len();
        while busy > 0 {
            self.poll.poll(&mut self.events, Some(STALLED))?;
            ensure!(!self.events.is_empty(), "the server gave no answer for {} s", STALLED.as_secs());
            for event in &self.events {
                let connection = &mut self.connections[event.token().0];
                if !connection.answered(self.exchange)? {
                    continue;
                }
                connection.answers_left -= 1;
                match connection.answers_left {
                    0 => busy -= 1,
                    _ => connection.ask(self.exchange)?,
                }
            }
        }
        Ok(())
    }
}

impl Connection {
    fn ask(&mut self, exchange: &Exchange) -> Result<()> {
        // A socket that has just been emptied takes so few bytes whole.
        self.stream.write_all(exchange.request).context("cannot send a request")
    }

    /// Reads what is there; `true` once the answer is whole.
    fn answered(&mut self, exchange: &Exchange) -> Result<bool> {
        let mut buffer = [0; Exchange::LONGEST];
        while self.received < exchange.answer_length {
            match self.stream.read(&mut buffer[self.received..exchange.answer_length]) {
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
