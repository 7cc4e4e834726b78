//! One thread and a state machine by hand. What the coroutine keeps in its local variables (which query it has come to,
//! what is answered so far, which visitor waits) must stand in tables here, and every answer must find its visitor.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Error, Result, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::protocol::{Incoming, Page, Query, Reply, busy, response};
use super::{LONGEST, Site};
use crate::common::{Deadlines, accept_ready};

const LISTENER: Token = Token(0);

/// A visitor between two events.
struct Visitor {
    stream: TcpStream,
    request: Incoming,
    /// The answers that have come; `None` for one that is still to come.
    key: Option<u64>,
    orders: Option<u64>,
    friends: Option<u64>,
    /// The outer `None`: still to come. The inner one: given up.
    ad: Option<Option<u64>>,
}

/// A query between two events.
struct Question {
    stream: TcpStream,
    visitor: Token,
    query: Query,
    key: u64,
    sent: bool,
    reply: Reply,
}

struct Server<'a> {
    site: &'a Site,
    poll: Poll,
    /// Tokens are never reused, so a late event finds no connection rather than a wrong one.
    next: usize,
    visitors: HashMap<Token, Visitor>,
    questions: HashMap<Token, Question>,
    /// When to give up the advertisement of which visitor, and when the visitor.
    ads: Deadlines<Token>,
    visits: Deadlines<Token>,
}

pub(super) fn serve(site: &Site, listener: TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = mio::net::TcpListener::from_std(listener);
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server {
        site,
        poll,
        next: 1,
        visitors: HashMap::new(),
        questions: HashMap::new(),
        ads: Deadlines::new(site.patience),
        visits: Deadlines::new(LONGEST),
    };
    let mut events = Events::with_capacity(1024);
    let mut again = None;
    loop {
        let waits = [server.ads.wait(), server.visits.wait(), again];
        match server.poll.poll(&mut events, waits.into_iter().flatten().min()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        if again.is_some() {
            server.accept(&listener, &mut again)?;
        }
        for event in &events {
            match event.token() {
                LISTENER => server.accept(&listener, &mut again)?,
                token if server.visitors.contains_key(&token) => server.visitor_ready(token),
                token => server.question_ready(token),
            }
        }
        server.give_up_late_ads();
        server.give_up_late_visitors();
    }
}

impl Server<'_> {
    fn accept(&mut self, listener: &mio::net::TcpListener, again: &mut Option<Duration>) -> Result<()> {
        while let Some(mut stream) = accept_ready(listener, again) {
            if self.visitors.len() >= self.site.at_once as usize {
                // It may have gone already.
                let _ = stream.write(&busy());
                continue;
            }
            let token = self.token();
            self.poll.registry().register(&mut stream, token, Interest::READABLE)?;
            let request = Incoming::new();
            let visitor = Visitor { stream, request, key: None, orders: None, friends: None, ad: None };
            self.visitors.insert(token, visitor);
            self.visits.set(token);
        }
        Ok(())
    }

    fn token(&mut self) -> Token {
        self.next += 1;
        Token(self.next)
    }

    /// A visitor has sent something, or has gone.
    fn visitor_ready(&mut self, token: Token) {
        let Some(visitor) = self.visitors.get_mut(&token) else { return };
        loop {
            let read = match visitor.stream.read(visitor.request.room()) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => 0,
            };
            match visitor.request.user(read) {
                Ok(None) => {}
                Ok(Some(user)) => return self.ask(token, Query::User, user),
                Err(_) => {
                    self.visitors.remove(&token);
                    return;
                }
            }
        }
    }

    /// Starts a query for a visitor. Its answer will come to [`answered`](Self::answered).
    fn ask(&mut self, visitor: Token, query: Query, key: u64) {
        let token = self.token();
        let connect = || -> std::io::Result<TcpStream> {
            let mut stream = TcpStream::connect(self.site.database)?;
            self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(stream)
        };
        match connect() {
            Ok(stream) => {
                let question = Question { stream, visitor, query, key, sent: false, reply: Reply::default() };
                self.questions.insert(token, question);
            }
            Err(error) => self.answered(visitor, query, Err(error.into())),
        }
    }

    /// The database can be written to, or has answered.
    fn question_ready(&mut self, token: Token) {
        let Some(question) = self.questions.get_mut(&token) else { return };
        let answer = match question.advance() {
            Ok(None) => return,
            Ok(Some(number)) => Ok(number),
            Err(error) => Err(error),
        };
        let (visitor, query) = (question.visitor, question.query);
        self.questions.remove(&token);
        self.answered(visitor, query, answer);
    }

    /// A query has its answer: the next step of the visitor it was for.
    fn answered(&mut self, token: Token, query: Query, answer: Result<u64>) {
        // The page may have gone out without it, or the visitor may have gone.
        let Some(visitor) = self.visitors.get_mut(&token) else { return };
        match (query, answer) {
            (Query::User, Ok(key)) => {
                visitor.key = Some(key);
                self.ads.set(token);
                self.ask(token, Query::Orders, key);
                self.ask(token, Query::Friends, key);
                self.ask(token, Query::Ad, key);
            }
            (Query::Orders, Ok(orders)) => visitor.orders = Some(orders),
            (Query::Friends, Ok(friends)) => visitor.friends = Some(friends),
            // One that failed is as good as one that is late.
            (Query::Ad, ad) => visitor.ad = visitor.ad.or(Some(ad.ok())),
            (_, Err(error)) => return self.respond(token, &Err(error)),
        }
        self.respond_if_complete(token);
    }

    fn give_up_late_ads(&mut self) {
        while let Some((_, token)) = self.ads.next_due() {
            if let Some(visitor) = self.visitors.get_mut(&token) {
                visitor.ad = visitor.ad.or(Some(None));
                self.respond_if_complete(token);
            }
        }
    }

    fn give_up_late_visitors(&mut self) {
        while let Some((_, token)) = self.visits.next_due() {
            // Most have been served long ago.
            self.visitors.remove(&token);
        }
    }

    fn respond_if_complete(&mut self, token: Token) {
        let Some(Visitor {
            key: Some(key), orders: Some(orders), friends: Some(friends), ad: Some(ad), ..
        }) = self.visitors.get(&token)
        else {
            return;
        };
        let page = Page { key: *key, orders: *orders, friends: *friends, ad: *ad };
        self.respond(token, &Ok(page));
    }

    fn respond(&mut self, token: Token, page: &Result<Page>) {
        if let Some(mut visitor) = self.visitors.remove(&token) {
            // A page is far smaller than the buffer of a fresh socket; the visitor may have gone already.
            let _ = visitor.stream.write(&response(page));
        }
    }
}

impl Question {
    /// Does what can be done without waiting, and returns the number once it is there.
    fn advance(&mut self) -> Result<Option<u64>> {
        if !self.sent {
            // Writable may mean that connecting failed; the error is kept in the socket.
            if let Some(error) = self.stream.take_error()? {
                return Err(error.into());
            }
            let line = self.query.line(self.key);
            match self.stream.write(&line) {
                Ok(sent) => ensure!(sent == line.len(), "a fresh socket took half a query"),
                Err(error) => return not_yet(error),
            }
            self.sent = true;
        }
        loop {
            match self.stream.read(self.reply.room()) {
                Ok(read) => {
                    if let Some(number) = self.reply.number(read)? {
                        return Ok(Some(number));
                    }
                }
                Err(error) => return not_yet(error),
            }
        }
    }
}

fn not_yet(error: std::io::Error) -> Result<Option<u64>> {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::NotConnected => Ok(None),
        _ => Err(Error::from(error)),
    }
}
