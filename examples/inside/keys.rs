//! Keys go stale, and wakers outlive their tasks.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use anyhow::Result;

/// A task that leaves its waker behind at its first poll, and counts its polls.
// ANCHOR: leaver
fn leaver(left: Rc<Cell<Option<Waker>>>, polls: Rc<Cell<u32>>, until: u32) -> impl Future<Output = ()> {
    poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        left.set(Some(cx.waker().clone()));
        if polls.get() == until { Poll::Ready(()) } else { Poll::Pending }
    })
}
// ANCHOR_END: leaver

// ANCHOR: scene
pub(crate) async fn scene() -> Result<()> {
    let left = Rc::new(Cell::new(None));
    let polls = Rc::new(Cell::new(0));
    let first = cotask::spawn_named("first", leaver(Rc::clone(&left), Rc::clone(&polls), 2));
    println!("the first task is {}", first.id());
    cotask::yield_now().await;
    let waker = left.take().expect("the first poll has left it");

    for _ in 0..1_000 {
        waker.wake_by_ref();
    }
    first.await?;
    println!("woken 1,000 times before its turn came: {} more poll", polls.get() - 1);

    polls.set(0);
    let second = cotask::spawn_named("second", leaver(left, Rc::clone(&polls), u32::MAX));
    println!("the second task is {}: the same slot, another generation", second.id());
    cotask::yield_now().await;
    waker.wake();
    cotask::yield_now().await;
    println!("the first one's waker was called again: the second was polled {} time", polls.get());
    second.abort();
    Ok(())
}
// ANCHOR_END: scene
