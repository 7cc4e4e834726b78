//! One thread and a state machine by hand: a table of connections, and what each still has to send.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use anyhow::Result;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use super::BUFFER;
use crate::common::accept_ready;

const LISTENER: Token = Token(usize::MAX);

/// A connection between two of its events.
struct Connection {
    stream: TcpStream,
    /// What was read and could not be sent yet.
    unsent: Vec<u8>,
}

pub(super) fn serve(listener: TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = mio::net::TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut connections = Slab::new();
    let mut again = None;
    loop {
        match poll.poll(&mut events, again) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        if again.is_some() {
            accept(&listener, &poll, &mut connections, &mut again)?;
        }
        // Slots are given out again only after the batch: an event in it may be for a connection that has gone.
        let mut gone = Vec::new();
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut connections, &mut again)?;
                continue;
            }
            let key = event.token().0;
            if let Some(connection) = connections.get_mut(key)
                && !gone.contains(&key)
                && !matches!(Connection::advance(connection), Ok(true))
            {
                gone.push(key);
            }
        }
        for key in gone {
            connections.remove(key);
        }
    }
}

/// Accepts all connections that are waiting: edge-triggered polling does not report the rest again.
fn accept(
    listener: &mio::net::TcpListener,
    poll: &Poll,
    connections: &mut Slab<Connection>,
    again: &mut Option<Duration>,
) -> Result<()> {
    while let Some(mut stream) = accept_ready(listener, again) {
        stream.set_nodelay(true)?;
        let entry = connections.vacant_entry();
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(entry.key()), both)?;
        entry.insert(Connection { stream, unsent: Vec::new() });
    }
    Ok(())
}

impl Connection {
    /// Reads and sends until one of the two would block. `false` once the client has closed.
    fn advance(&mut self) -> std::io::Result<bool> {
        let mut buffer = [0; BUFFER];
        loop {
            while !self.unsent.is_empty() {
                match self.stream.write(&self.unsent) {
                    Ok(sent) => drop(self.unsent.drain(..sent)),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(read) => match self.stream.write(&buffer[..read]) {
                    Ok(sent) => self.unsent.extend_from_slice(&buffer[sent..read]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.unsent.extend_from_slice(&buffer[..read]);
                    }
                    Err(error) => return Err(error),
                },
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
