//! Step 8: the reactor. Readiness of sockets becomes wakes of tasks.
//!
//! `cargo run --example step08_reactor`; the executor is step 7's, in `tasks.rs`.

mod help;
mod tasks;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

use help::slow::{PAGES, Page, Server, request};
use help::{ms, record};
use mio::net::TcpStream;
use mio::{Events, Interest, Token};
use tasks::{Park, Unpark, block_on, spawn};

// ANCHOR: reactor
struct Reactor {
    poll: RefCell<mio::Poll>,
    /// The waker of the task that waits for each socket.
    waiting: RefCell<BTreeMap<Token, Waker>>,
    next: Cell<usize>,
    unpark: Arc<mio::Waker>,
}

const UNPARK: Token = Token(usize::MAX);

impl Reactor {
    fn new() -> io::Result<Rc<Reactor>> {
        let poll = mio::Poll::new()?;
        let unpark = Arc::new(mio::Waker::new(poll.registry(), UNPARK)?);
        let (poll, waiting, next) =
            (RefCell::new(poll), RefCell::default(), Cell::new(0));
        Ok(Rc::new(Reactor { poll, waiting, next, unpark }))
    }
}

impl Park for Reactor {
    fn park(&self) {
        let mut events = Events::with_capacity(64);
        record::parked(None);
        match self.poll.borrow_mut().poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            polled => polled.expect("without its poller the program can wake no task"),
        }
        record::unparked();
        for event in &events {
            // Out of the map before it is called; nothing is borrowed while foreign
            // code runs.
            let waker = self.waiting.borrow_mut().remove(&event.token());
            if let Some(waker) = waker {
                record::acting("reactor", || waker.wake());
            }
        }
    }

    fn unparker(&self) -> Unpark {
        let unpark = Arc::clone(&self.unpark);
        Box::new(move || unpark.wake().expect("an eventfd can be written"))
    }
}
// ANCHOR_END: reactor

// ANCHOR: stream
struct Stream {
    io: TcpStream,
    token: Token,
    reactor: Rc<Reactor>,
}

impl Stream {
    async fn connect(reactor: &Rc<Reactor>, address: SocketAddr) -> io::Result<Stream> {
        let mut io = TcpStream::connect(address)?;
        let token = Token(reactor.next.replace(reactor.next.get() + 1));
        reactor.poll.borrow().registry().register(
            &mut io,
            token,
            Interest::READABLE | Interest::WRITABLE,
        )?;
        let stream = Stream { io, token, reactor: Rc::clone(reactor) };
        stream.when_ready(connected).await?;
        Ok(stream)
    }

    /// Tries first, and waits only when the system says that there is nothing: then the
    /// next edge is still to come.
    async fn when_ready<T>(
        &self,
        mut act: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        poll_fn(|cx| {
            loop {
                match act(&self.io) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        let waker = cx.waker().clone();
                        let before =
                            self.reactor.waiting.borrow_mut().insert(self.token, waker);
                        // Foreign code, as the clone is: with nothing borrowed.
                        drop(before);
                        return Poll::Pending;
                    }
                    done => return Poll::Ready(done),
                }
            }
        })
        .await
    }

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.when_ready(|mut io| io.write(bytes)).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    async fn read_to_string(&self) -> io::Result<String> {
        let (mut text, mut part) = (Vec::new(), [0; 512]);
        loop {
            match self.when_ready(|mut io| io.read(&mut part)).await? {
                0 => return String::from_utf8(text).map_err(io::Error::other),
                read => text.extend_from_slice(&part[..read]),
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.reactor.poll.borrow().registry().deregister(&mut self.io);
        let waker = self.reactor.waiting.borrow_mut().remove(&self.token);
        drop(waker);
    }
}
// ANCHOR_END: stream

/// Whether the connection is made, refused, or still under way.
fn connected(io: &TcpStream) -> io::Result<()> {
    if let Some(error) = io.take_error()? {
        return Err(error);
    }
    match io.peer_addr() {
        Err(error) if error.kind() == ErrorKind::NotConnected => {
            Err(ErrorKind::WouldBlock.into())
        }
        other => other.map(|_| ()),
    }
}

// ANCHOR: fetch
/// Step 1's function, line by line; but what waits is the task, and not the thread.
async fn fetch(
    reactor: Rc<Reactor>,
    address: SocketAddr,
    page: Page,
) -> io::Result<String> {
    let stream = Stream::connect(&reactor, address).await?;
    stream.write_all(request(page).as_bytes()).await?;
    let answer = stream.read_to_string().await?;
    Ok(answer)
}
// ANCHOR_END: fetch

fn main() -> io::Result<()> {
    let _recording = help::begin("Step 8: sockets wake tasks");
    let server = Server::start()?;
    let begun = Instant::now();
    // ANCHOR: main
    let reactor = Reactor::new()?;
    let answers = block_on(&*reactor, async {
        let fetches = PAGES
            .map(|page| spawn(page.0, fetch(Rc::clone(&reactor), server.address, page)));
        let mut answers = Vec::new();
        for fetch in fetches {
            answers.push(fetch.await?);
        }
        io::Result::Ok(answers)
    })?;
    // ANCHOR_END: main
    for answer in answers {
        println!("{}", answer.trim_end());
    }
    println!("one thread; all five took {}", ms(begun.elapsed()));
    println!("requests that waited at the same time, at most: {}", server.most_at_once());
    Ok(())
}
