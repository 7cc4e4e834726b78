//! Step 8, before the reactor: an edge is reported once. Two ways to miss it.
//!
//! `cargo run --example step08_edges`

mod help;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

// ANCHOR: watched
/// A socket that has received data, and a poller that has reported it.
struct Watched {
    poll: Poll,
    events: Events,
    receiver: TcpStream,
    /// The peer, unless it has closed.
    _sender: Option<std::net::TcpStream>,
}

fn watched(text: &[u8], then_closed: bool) -> io::Result<Watched> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut sender = std::net::TcpStream::connect(listener.local_addr()?)?;
    let (receiver, _) = listener.accept()?;
    receiver.set_nonblocking(true)?;
    let mut receiver = TcpStream::from_std(receiver);
    sender.write_all(text)?;
    let sender = Some(sender).filter(|_| !then_closed);

    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(8));
    poll.registry().register(&mut receiver, Token(0), Interest::READABLE)?;
    poll.poll(&mut events, None)?;
    Ok(Watched { poll, events, receiver, _sender: sender })
}

impl Watched {
    /// Counts the events that follow. Without the limit this would never return.
    fn more_events(&mut self) -> io::Result<usize> {
        self.poll.poll(&mut self.events, Some(Duration::from_millis(200)))?;
        Ok(self.events.iter().count())
    }
}
// ANCHOR_END: watched

// ANCHOR: part
/// WRONG: reads a part, and waits for an event that reports the rest.
fn reads_a_part() -> io::Result<(usize, usize, usize)> {
    let mut socket = watched(b"twelve bytes", false)?;
    let read = socket.receiver.read(&mut [0; 4])?;
    let more = socket.more_events()?;
    Ok((read, more, socket.receiver.read(&mut [0; 64])?))
}
// ANCHOR_END: part

// ANCHOR: end
/// WRONG: reads less than there is room for, takes the socket for empty, and waits. But
/// the end of the stream came with the same edge.
fn overlooks_the_end() -> io::Result<(bool, usize, usize, usize)> {
    let mut socket = watched(b"bye", true)?;
    let told = socket.events.iter().any(|event| event.is_read_closed());
    let read = socket.receiver.read(&mut [0; 64])?;
    let more = socket.more_events()?;
    Ok((told, read, more, socket.receiver.read(&mut [0; 64])?))
}
// ANCHOR_END: end

fn main() -> io::Result<()> {
    let _recording = help::begin("Step 8, before the reactor: two ways to miss an edge");
    let (read, more, lay_there) = reads_a_part()?;
    println!(
        "wrong: read {read} of 12, then {more} more events, while {lay_there} lay there"
    );
    let (told, read, more, end) = overlooks_the_end()?;
    println!(
        "wrong: read {read} of 64, then {more} more events, while the end lay there: {}",
        end == 0
    );
    println!("right: the first event had reported the end: {told}");
    Ok(())
}
