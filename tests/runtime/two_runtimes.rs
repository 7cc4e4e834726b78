//! A wake finds the runtime of the task, whichever runtime's thread it comes from.
//!
//! In a process of its own, so that these are the first runtimes there: their numbers are 0 to 2, and their tasks have
//! equal slots and generations. Only the runtime's number in the key tells them apart.

use std::future::poll_fn;
use std::sync::mpsc::channel;
use std::task::{Poll, Waker};
use std::thread;

use cotask::{Builder, trace::Event};

use crate::alone::alone;

#[test]
fn each_wakes_the_tasks_of_the_others() {
    alone("two_runtimes::each_wakes_the_tasks_of_the_others", three_runtimes_wake_each_other);
}

fn three_runtimes_wake_each_other() {
    let (ready, wakers) = channel::<(usize, Waker)>();
    let mut threads = Vec::new();
    let mut tell = Vec::new();
    for place in 0..3 {
        let (others, told) = channel::<Waker>();
        tell.push(others);
        let ready = ready.clone();
        threads.push(thread::spawn(move || {
            let runtime = Builder::new().trace(1_000).build().unwrap();
            let mut polls = 0;
            runtime.block_on(poll_fn(|cx| {
                polls += 1;
                if polls == 1 {
                    // Blocks the thread on purpose: all three are inside of a poll when they wake each other.
                    ready.send((place, cx.waker().clone())).unwrap();
                    told.iter().for_each(Waker::wake);
                    return Poll::Pending;
                }
                Poll::Ready(())
            }));
            let trace = runtime.take_trace();
            trace.records.iter().filter(|record| matches!(record.event, Event::Scheduled { .. })).count()
        }));
    }
    let wakers: Vec<_> = wakers.iter().take(3).collect();
    for (place, waker) in wakers {
        // Each is woken by the next one's thread, and by no other.
        tell[(place + 1) % 3].send(waker).unwrap();
    }
    drop(tell);
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 2, "queued when it was made, and by its one wake");
    }
}
