//! What stays where it is: a future that points into itself, a box that moves, and a wrapper that passes the pin on.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use anyhow::Result;
use cotask::yield_now;
use futures::FutureExt;
use pin_project::pin_project;

pub(crate) async fn scene() -> Result<()> {
    inside().await;
    moved().await;
    println!("\nthe wrapper:   (output, polls) = {:?}", Counted { future: three_polls(), polls: 0 }.await);
    Ok(())
}

// ANCHOR: inside
/// Both variables are needed after the await, so both lie in the future. The second points to the first.
async fn inside() {
    let number = 7_u32;
    let reference = &number;
    let before = std::ptr::from_ref(reference).addr();
    yield_now().await;
    let after = std::ptr::from_ref(&number).addr();
    println!(
        "in the future: its reference still points to its number after an await: {}",
        before == after && *reference == 7
    );
}
// ANCHOR_END: inside

// ANCHOR: moved
async fn three_polls() -> &'static str {
    yield_now().await;
    yield_now().await;
    "ready"
}

/// Where a future lies, as a number to compare with.
fn address<F>(future: Pin<&mut F>) -> usize {
    std::ptr::from_ref(&*future).addr()
}

async fn moved() {
    // Not polled yet: a value like any other.
    let future = three_polls();
    let in_a_vec = vec![future];
    let future = in_a_vec.into_iter().next().expect("it was put in");

    // Pinned in a box. What moves from here on is the pointer.
    let mut boxed = Box::pin(future);
    let before = address(boxed.as_mut());
    assert!((&mut boxed).now_or_never().is_none(), "it waits at its first await");
    let mut in_a_vec = vec![boxed];
    let mut boxed = in_a_vec.remove(0);
    println!(
        "\nin a box:      moved to a vector and back, and at the same address: {}",
        before == address(boxed.as_mut())
    );
    println!("               polled to its end there: {}", boxed.await);

    // Pinned on the stack of this function, which is itself in a future.
    let mut here = pin!(three_polls());
    let before = address(here.as_mut());
    assert!(here.as_mut().now_or_never().is_none(), "it waits at its first await");
    println!("\non the stack:  at the same address after a poll: {}", before == address(here.as_mut()));
}
// ANCHOR_END: moved

// ANCHOR: counted
/// A future that counts its polls.
#[pin_project]
struct Counted<F> {
    /// Pinned as long as this is.
    #[pin]
    future: F,
    /// Free to move, and to change.
    polls: u32,
}

impl<F: Future> Future for Counted<F> {
    type Output = (F::Output, u32);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // `this.future` is a `Pin<&mut F>`, `this.polls` a `&mut u32`.
        *this.polls += 1;
        this.future.poll(cx).map(|output| (output, *this.polls))
    }
}
// ANCHOR_END: counted
