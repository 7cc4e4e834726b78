//! Step 1: blocking, one at a time. Where does the time go?
//!
//! `cargo run --example step01_blocking`

mod help;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use help::slow::{PAGES, Page, Server, request};
use help::{cpu_time, ms, record};

// ANCHOR: fetch
/// Asks for one page and waits for it. While it waits, so does everything behind it.
fn fetch(address: SocketAddr, page: Page) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request(page).as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?; // here the thread stands still
    Ok(answer)
}
// ANCHOR_END: fetch

fn main() -> io::Result<()> {
    let _recording = help::begin("Step 1: blocking, one at a time");
    let server = Server::start()?;
    let (begun, cpu) = (Instant::now(), cpu_time());

    // ANCHOR: main
    for (number, page) in PAGES.into_iter().enumerate() {
        let asked = Instant::now();
        let answer = told(number as u64, page, || fetch(server.address, page))?;
        println!("{:<22} took {}", answer.trim_end(), ms(asked.elapsed()));
    }
    // ANCHOR_END: main

    let sum: u64 = PAGES.iter().map(|(_, delay)| delay).sum();
    println!("the delays add up to {sum} ms; the program took {}", ms(begun.elapsed()));
    println!("of which it computed for {}", ms(cpu_time() - cpu));
    println!("requests that waited at the same time, at most: {}", server.most_at_once());
    Ok(())
}

/// Tells the book's timeline that the thread sleeps while it fetches.
fn told<T>(number: u64, (name, _): Page, fetch: impl FnOnce() -> T) -> T {
    record::spawned(number, name);
    record::scheduled(number);
    record::poll_began(number);
    record::poll_ended(number, "pending");
    record::parked(None);
    let answer = fetch();
    record::unparked();
    record::acting("reactor", || record::scheduled(number));
    record::poll_began(number);
    record::poll_ended(number, "finished");
    answer
}
