//! Step 2: a thread for each page. They wait at the same time. What does a thread cost?
//!
//! `cargo run --example step02_threads`

mod help;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use help::slow::{PAGES, Page, Server, request};
use help::{cpu_time, ms};

/// As in step 1.
fn fetch(address: SocketAddr, page: Page) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request(page).as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

// ANCHOR: fetch_all
fn fetch_all(address: SocketAddr) -> io::Result<Vec<String>> {
    let threads = PAGES.map(|page| thread::spawn(move || fetch(address, page)));
    threads.into_iter().map(|thread| thread.join().expect("no panic in fetch")).collect()
}
// ANCHOR_END: fetch_all

// ANCHOR: cost
/// What `count` threads cost that only wait.
struct Cost {
    wall: Duration,
    cpu: Duration,
    /// In use, and addresses reserved, in KiB for each thread.
    memory: (u64, u64),
}

fn cost_of_waiting(count: usize) -> Cost {
    let (begun, cpu, before) = (Instant::now(), cpu_time(), memory());
    // All of them wait here, and we with them, until all are there; then again, until
    // we have looked.
    let gate = Barrier::new(count + 1);
    let mut with = before;
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| {
                gate.wait();
                gate.wait();
            });
        }
        gate.wait();
        with = memory();
        gate.wait();
    });
    let each = |with: u64, before: u64| with.saturating_sub(before) / count as u64;
    let memory = (each(with.0, before.0), each(with.1, before.1));
    Cost { wall: begun.elapsed(), cpu: cpu_time() - cpu, memory }
}
// ANCHOR_END: cost

// ANCHOR: shared
/// Threads that share something must agree on who has it. Each of these adds one,
/// `rounds` times.
fn count_together(threads: u64, rounds: u64) -> u64 {
    let total = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..rounds).for_each(|_| *total.lock().unwrap() += 1));
        }
    });
    total.into_inner().unwrap()
}
// ANCHOR_END: shared

/// KiB of memory that this process uses, and of addresses that it has reserved; zeros
/// where the system does not tell.
fn memory() -> (u64, u64) {
    #[cfg(target_os = "linux")]
    if let Ok(status) =
        procfs::process::Process::myself().and_then(|process| process.status())
    {
        return (status.vmrss.unwrap_or(0), status.vmsize.unwrap_or(0));
    }
    (0, 0)
}

fn main() -> io::Result<()> {
    let _recording = help::begin("Step 2: a thread for each page, and what that costs");
    let server = Server::start()?;
    let begun = Instant::now();
    for answer in fetch_all(server.address)? {
        println!("{}", answer.trim_end());
    }
    let longest = PAGES.iter().map(|(_, delay)| delay).max().expect("there are pages");
    println!("the longest delay is {longest} ms; all five took {}", ms(begun.elapsed()));
    println!("requests that waited at the same time, at most: {}", server.most_at_once());

    let cost = cost_of_waiting(1_000);
    println!("\n1000 threads that only wait:");
    println!("  to start and end them    {}, CPU {}", ms(cost.wall), ms(cost.cpu));
    println!("  memory in use            {} KiB each", cost.memory.0);
    println!("  addresses reserved       {} KiB each", cost.memory.1);

    let begun = Instant::now();
    let total = count_together(4, 100_000);
    let together = begun.elapsed();
    let begun = Instant::now();
    let alone = count_together(1, 400_000);
    println!(
        "\n4 threads that share a total: {total}, in {}; one thread: {alone}, in {}",
        ms(together),
        ms(begun.elapsed())
    );
    Ok(())
}
