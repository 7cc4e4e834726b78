//! A hand-written mio loop: the floor under every runtime on epoll.
//!
//! As little as an echo can be: one shared buffer, no read after a short one, and an answer that the socket's own
//! buffer always has room for, because the client sends 64 bytes and waits.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use super::BUFFER;
use crate::echo::{Announce, LOOPBACK};

const LISTENER: Token = Token(usize::MAX);

pub(super) fn serve(announce: Announce) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut listener = TcpListener::bind(LOOPBACK)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    announce(listener.local_addr()?);

    let mut connections = Slab::new();
    let mut buffer = [0; BUFFER];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut connections)?;
                continue;
            }
            let key = event.token().0;
            let Some(stream) = connections.get_mut(key) else { continue };
            if !echo(stream, &mut buffer) {
                connections.remove(key);
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, connections: &mut Slab<TcpStream>) -> io::Result<()> {
    loop {
        let (mut stream, _) = match listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            accepted => accepted?,
        };
        stream.set_nodelay(true)?;
        let slot = connections.vacant_entry();
        poll.registry().register(&mut stream, Token(slot.key()), Interest::READABLE)?;
        slot.insert(stream);
    }
}

/// Answers all that can be read now; `false` once the connection has ended.
fn echo(stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
    loop {
        match stream.read(buffer) {
            Ok(0) => return false,
            Ok(length) => {
                if stream.write_all(&buffer[..length]).is_err() {
                    return false;
                }
                if length < buffer.len() {
                    return true;
                }
            }
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}
