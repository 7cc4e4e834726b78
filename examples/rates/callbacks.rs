//! One thread and a state machine by hand: what an async runtime does for you, written out.
//!
//! Between two events a connection exists only as its entry in the table. What a blocking program keeps in its stack frame
//! (where it stands, what it has read) must be put there by hand.

use std::io::{ErrorKind, Read, Write};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::Job;
use super::protocol::{Incoming, Pair, Quote, request};

/// A connection between two of its events.
struct Connection {
    pair: Pair,
    stream: TcpStream,
    state: State,
}

enum State {
    /// The connection is being made; then the request is to be sent.
    Connecting,
    /// The request is sent, its answer is on its way.
    Reading(Box<Incoming>),
}

pub(super) fn fetch_all(job: &Job) -> Result<Vec<Quote>> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut connections = Vec::new();
    for pair in job.pairs() {
        let start = || -> std::io::Result<Connection> {
            let mut stream = TcpStream::connect(job.server)?;
            let token = Token(connections.len());
            poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(Connection { pair, stream, state: State::Connecting })
        };
        connections.push(Some(start().with_context(|| job.failed(pair))?));
    }

    let mut quotes = Vec::with_capacity(connections.len());
    let deadline = Instant::now() + job.timeout;
    while quotes.len() < connections.len() {
        let left = deadline.saturating_duration_since(Instant::now());
        ensure!(!left.is_zero(), "{} rates did not come in time", connections.len() - quotes.len());
        match poll.poll(&mut events, Some(left)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let entry = &mut connections[event.token().0];
            // An event for a connection that is done and gone may still be in the batch.
            let Some(connection) = entry else { continue };
            if let Some(price) = connection.advance().with_context(|| job.failed(connection.pair))? {
                quotes.push(job.quote(connection.pair, price));
                *entry = None;
            }
        }
    }
    Ok(quotes)
}

impl Connection {
    /// Does what can be done without waiting, and returns the price once it is there.
    fn advance(&mut self) -> Result<Option<u64>> {
        loop {
            match &mut self.state {
                State::Connecting => {
                    // Writable may mean that connecting failed; the error is kept in the socket.
                    if let Some(error) = self.stream.take_error()? {
                        return Err(error.into());
                    }
                    let request = request(self.pair);
                    match self.stream.write(&request) {
                        Ok(sent) => ensure!(sent == request.len(), "a fresh socket took half a request"),
                        Err(error) if not_yet(error.kind()) => return Ok(None),
                        Err(error) => return Err(error.into()),
                    }
                    self.state = State::Reading(Box::new(Incoming::new()));
                }
                State::Reading(answer) => match self.stream.read(answer.room()) {
                    Ok(read) => {
                        if let Some(price) = answer.price(read)? {
                            return Ok(Some(price));
                        }
                    }
                    // Edge-triggered: only after this error will there be another event.
                    Err(error) if not_yet(error.kind()) => return Ok(None),
                    Err(error) => return Err(error.into()),
                },
            }
        }
    }
}

fn not_yet(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted)
}
