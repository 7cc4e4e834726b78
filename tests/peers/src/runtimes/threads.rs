//! The threads of the standard library: what the same work costs without any runtime.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use super::BUFFER;
use crate::echo::{Announce, LOOPBACK};
use crate::rows::Row;
use crate::sample::{Sample, Stopwatch};

/// A thread costs a hundred times what a task does, and the figures are an operation each: a smaller number will do.
const FEWER: u64 = 50;

/// Enough for an echo, so that 1,000 connections take 64 MB of address space and not 2 GB.
const STACK: usize = 64 * 1024;

pub(super) fn measure(row: Row, operations: u64) -> Option<Sample> {
    let fewer = (operations / FEWER).max(1);
    Some(match row {
        Row::SpawnJoinBatch => spawn_join(fewer),
        Row::Yield2 => yields(fewer, 2),
        Row::Yield1000 => yields(fewer, 1_000),
        Row::PingpongOwn => pingpong(fewer),
        Row::WakeRemote => wake(fewer),
        _ => return None,
    })
}

/// Batches of 100 instead of 1,000: a thread's stack is not given back at once.
fn spawn_join(threads: u64) -> Sample {
    let stopwatch = Stopwatch::start();
    let mut sum = 0;
    for start in (0..threads).step_by(100) {
        let batch = start..(start + 100).min(threads);
        let handles: Vec<_> = batch.map(|number| thread::spawn(move || number)).collect();
        sum += handles.into_iter().map(|handle| handle.join().expect("the thread ends well")).sum::<u64>();
    }
    assert_eq!(sum, threads * (threads - 1) / 2, "a thread was lost");
    stopwatch.stop(threads)
}

fn yields(yields: u64, threads: u64) -> Sample {
    let each = (yields / threads).max(1);
    let stopwatch = Stopwatch::start();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..each).for_each(|_| thread::yield_now()));
        }
    });
    stopwatch.stop(each * threads)
}

fn pingpong(round_trips: u64) -> Sample {
    let (ping, pings) = sync_channel::<u64>(1);
    let (pong, pongs) = sync_channel::<u64>(1);
    let stopwatch = Stopwatch::start();
    thread::scope(|scope| {
        scope.spawn(move || pings.into_iter().try_for_each(|number| pong.send(number + 1)));
        for number in 0..round_trips {
            ping.send(number).expect("the echoing thread lives");
            assert_eq!(pongs.recv(), Ok(number + 1));
        }
        drop(ping);
    });
    stopwatch.stop(round_trips)
}

/// Two threads that park until the other has counted on.
fn wake(round_trips: u64) -> Sample {
    let asked = Arc::new(AtomicU64::new(0));
    let answered = Arc::new(AtomicU64::new(0));
    let asker = thread::current();
    let answering = {
        let (asked, answered) = (Arc::clone(&asked), Arc::clone(&answered));
        thread::spawn(move || {
            for round in 1..=round_trips {
                while asked.load(Ordering::SeqCst) < round {
                    thread::park();
                }
                answered.store(round, Ordering::SeqCst);
                asker.unpark();
            }
        })
    };
    let stopwatch = Stopwatch::start();
    for round in 1..=round_trips {
        asked.store(round, Ordering::SeqCst);
        answering.thread().unpark();
        while answered.load(Ordering::SeqCst) < round {
            thread::park();
        }
    }
    let sample = stopwatch.stop(round_trips);
    answering.join().expect("the answering thread ends well");
    sample
}

pub(super) fn serve(announce: Announce) -> io::Result<()> {
    let listener = TcpListener::bind(LOOPBACK)?;
    announce(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        thread::Builder::new().stack_size(STACK).spawn(move || echo(stream))?;
    }
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length])?,
        }
    }
}
