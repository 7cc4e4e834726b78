//! One thread and a state machine by hand: each member has a message half read, a queue, and a message half written.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Result;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::{FRAME, Frame, House, Policy, WELCOME, frame, keep_little};

const LISTENER: Token = Token(0);

/// A member between two events.
struct Member {
    stream: TcpStream,
    /// A message of which this much was read.
    incoming: Box<[u8; FRAME]>,
    read: usize,
    /// What is to be written, and how much of the first message was.
    outgoing: VecDeque<Frame>,
    written: usize,
}

struct Server {
    house: House,
    /// Tokens are never reused, so a late event finds no member rather than a wrong one.
    next: usize,
    members: HashMap<Token, Member>,
    /// Members that are not read from until every member has room for one more message.
    held: Vec<Token>,
}

pub(super) fn serve(house: House, listener: TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = mio::net::TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server { house, next: 1, members: HashMap::new(), held: Vec::new() };
    let mut events = Events::with_capacity(1024);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                server.accept(&mut listener, &poll)?;
                continue;
            }
            server.write_to(event.token());
            server.read_from(event.token());
        }
        // Edge-triggered: no later event will report that these can be read.
        for held in std::mem::take(&mut server.held) {
            server.read_from(held);
        }
    }
}

impl Server {
    fn accept(&mut self, listener: &mut mio::net::TcpListener, poll: &Poll) -> Result<()> {
        loop {
            match listener.accept() {
                Ok((mut stream, _)) => {
                    keep_little(&stream)?;
                    let token = Token(self.next);
                    self.next += 1;
                    poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
                    let outgoing = VecDeque::from([frame(WELCOME)]);
                    let incoming = Box::new([0; FRAME]);
                    self.members.insert(token, Member { stream, incoming, read: 0, outgoing, written: 0 });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads messages from a member, and passes them on, for as long as there are any and everybody has room.
    fn read_from(&mut self, token: Token) {
        loop {
            let full = |(other, member): (&Token, &Member)| {
                *other != token && member.outgoing.len() >= self.house.queue
            };
            if self.house.policy == Policy::Wait && self.members.iter().any(full) {
                self.held.push(token);
                return;
            }
            let Some(member) = self.members.get_mut(&token) else { return };
            match member.stream.read(&mut member.incoming[member.read..]) {
                Ok(0) => return self.leave(token),
                Ok(read) => member.read += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.leave(token),
            }
            if member.read == FRAME {
                member.read = 0;
                let message = Arc::new(*member.incoming);
                self.tell_all_but(token, &message);
            }
        }
    }

    fn tell_all_but(&mut self, speaker: Token, message: &Frame) {
        let others: Vec<Token> = self.members.keys().copied().filter(|token| *token != speaker).collect();
        for token in others {
            let Some(member) = self.members.get_mut(&token) else { continue };
            if self.house.policy == Policy::Cut && member.outgoing.len() >= self.house.queue {
                self.leave(token);
                continue;
            }
            member.outgoing.push_back(message.clone());
            self.write_to(token);
        }
    }

    /// Writes what a member is to hear, until it has no room.
    fn write_to(&mut self, token: Token) {
        let Some(member) = self.members.get_mut(&token) else { return };
        while let Some(message) = member.outgoing.front() {
            match member.stream.write(&message[member.written..]) {
                Ok(written) => member.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.leave(token),
            }
            if member.written == FRAME {
                member.written = 0;
                member.outgoing.pop_front();
            }
        }
    }

    fn leave(&mut self, token: Token) {
        self.members.remove(&token);
    }
}
