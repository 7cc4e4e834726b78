//! Step 3: one thread that never blocks. State machines and callbacks, by hand, on one
//! mio loop.
//!
//! `cargo run --example step03_callbacks`

mod help;

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use help::slow::{PAGES, Page, Server, request};
use help::{ms, record};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

// ANCHOR: state
/// Where a fetch has stopped. What step 1 kept in the position of its program and in
/// local variables stands here.
enum State {
    Connecting,
    /// So many bytes of the request are sent.
    Sending(usize),
    Receiving,
    Done,
}

struct Fetch<'a> {
    stream: TcpStream,
    request: String,
    answer: Vec<u8>,
    state: State,
    /// What to do with the answer. The caller has long gone on.
    then: Option<Box<dyn FnOnce(String) + 'a>>,
}
// ANCHOR_END: state

impl<'a> Fetch<'a> {
    fn start(
        address: SocketAddr,
        page: Page,
        then: impl FnOnce(String) + 'a,
    ) -> io::Result<Fetch<'a>> {
        // Returns at once: the connection is not there yet.
        let stream = TcpStream::connect(address)?;
        let then: Box<dyn FnOnce(String) + 'a> = Box::new(then);
        let (request, answer, then) = (request(page), Vec::new(), Some(then));
        Ok(Fetch { stream, request, answer, state: State::Connecting, then })
    }

    // ANCHOR: go_on
    /// Does what can be done without waiting, and notes where it stopped.
    fn go_on(&mut self) -> io::Result<()> {
        loop {
            let step = match self.state {
                State::Connecting => self.connected().map(|()| State::Sending(0)),
                State::Sending(sent) if sent == self.request.len() => {
                    Ok(State::Receiving)
                }
                State::Sending(sent) => self
                    .stream
                    .write(&self.request.as_bytes()[sent..])
                    .map(|more| State::Sending(sent + more)),
                State::Receiving => {
                    self.stream.read_to_end(&mut self.answer).map(|_| State::Done)
                }
                State::Done => return Ok(()),
            };
            match step {
                Ok(state) => self.state = state,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if let State::Done = self.state
                && let Some(then) = self.then.take()
            {
                then(String::from_utf8_lossy(&self.answer).into_owned());
            }
        }
    }
    // ANCHOR_END: go_on

    /// Whether the connection is made, refused, or still under way.
    fn connected(&mut self) -> io::Result<()> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        match self.stream.peer_addr() {
            Err(error) if error.kind() == ErrorKind::NotConnected => {
                Err(ErrorKind::WouldBlock.into())
            }
            other => other.map(|_| ()),
        }
    }
}

fn main() -> io::Result<()> {
    let _recording = help::begin("Step 3: one thread, no blocking, callbacks by hand");
    let server = Server::start()?;
    let begun = Instant::now();
    let answers = RefCell::new(Vec::new());

    // ANCHOR: loop
    let mut poll = Poll::new()?;
    let mut fetches = Vec::new();
    for (place, page) in PAGES.into_iter().enumerate() {
        let then = |answer| answers.borrow_mut().push(answer);
        let mut fetch = Fetch::start(server.address, page, then)?;
        poll.registry().register(
            &mut fetch.stream,
            Token(place),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        record::spawned(place as u64, page.0);
        fetches.push(fetch);
    }
    let mut events = Events::with_capacity(64);
    while answers.borrow().len() < PAGES.len() {
        record::parked(None);
        poll.poll(&mut events, None)?; // the one place where the thread sleeps
        record::unparked();
        for event in &events {
            let Token(place) = event.token();
            record::acting("reactor", || record::scheduled(place as u64));
            record::poll_began(place as u64);
            fetches[place].go_on()?;
            let done = matches!(fetches[place].state, State::Done);
            if done {
                // Otherwise the server's close would be one more event.
                poll.registry().deregister(&mut fetches[place].stream)?;
            }
            record::poll_ended(place as u64, if done { "finished" } else { "pending" });
        }
    }
    // ANCHOR_END: loop

    for answer in answers.borrow().iter() {
        println!("{}", answer.trim_end());
    }
    println!("one thread; all five took {}", ms(begun.elapsed()));
    println!("requests that waited at the same time, at most: {}", server.most_at_once());
    Ok(())
}
