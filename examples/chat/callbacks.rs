//! One thread and a state machine by hand: each member has a message half read, a queue, and a message half written.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::{FRAME, Frame, House, LONGEST, Policy, WELCOME, frame, keep_little};
use crate::common::{Deadlines, accept_ready};

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
    /// When the member counts as gone, unless it has taken this message by then. `None` while it has room.
    deadline: Option<Instant>,
}

struct Server {
    house: House,
    /// Tokens are never reused, so a late event finds no member rather than a wrong one.
    next: usize,
    members: BTreeMap<Token, Member>,
    /// Members that are not read from until every member has room for one more message.
    held: Vec<Token>,
    deadlines: Deadlines<Token>,
}

pub(super) fn serve(house: House, listener: TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = mio::net::TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (members, held, deadlines) = (BTreeMap::new(), Vec::new(), Deadlines::new(LONGEST));
    let mut server = Server { house, next: 1, members, held, deadlines };
    let mut events = Events::with_capacity(1024);
    let mut again = None;
    loop {
        let waits = [server.deadlines.wait(), again];
        match poll.poll(&mut events, waits.into_iter().flatten().min()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        if again.is_some() {
            server.accept(&listener, &poll, &mut again)?;
        }
        for event in &events {
            if event.token() == LISTENER {
                server.accept(&listener, &poll, &mut again)?;
                continue;
            }
            server.write_to(event.token());
            server.read_from(event.token());
        }
        server.give_up_late_members();
        // Edge-triggered: no later event will report that these can be read.
        for held in std::mem::take(&mut server.held) {
            server.read_from(held);
        }
    }
}

impl Server {
    fn accept(
        &mut self,
        listener: &mio::net::TcpListener,
        poll: &Poll,
        again: &mut Option<Duration>,
    ) -> Result<()> {
        while let Some(mut stream) = accept_ready(listener, again) {
            if keep_little(&stream).is_err() {
                // It has gone already.
                continue;
            }
            let token = Token(self.next);
            self.next += 1;
            poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            let outgoing = VecDeque::from([frame(WELCOME)]);
            let incoming = Box::new([0; FRAME]);
            let member = Member { stream, incoming, read: 0, outgoing, written: 0, deadline: None };
            self.members.insert(token, member);
        }
        Ok(())
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
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    member.deadline.get_or_insert_with(|| self.deadlines.set(token));
                    return;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.leave(token),
            }
            if member.written == FRAME {
                member.written = 0;
                member.deadline = None;
                member.outgoing.pop_front();
            }
        }
    }

    fn give_up_late_members(&mut self) {
        while let Some((at, token)) = self.deadlines.next_due() {
            if self.members.get(&token).is_some_and(|member| member.deadline == Some(at)) {
                self.leave(token);
            }
        }
    }

    fn leave(&mut self, token: Token) {
        self.members.remove(&token);
    }
}
