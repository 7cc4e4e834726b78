//! Step 10: channels. A task waits for another; and what is lost when a future is
//! dropped in the middle.
//!
//! `cargo run --example step10_channels`; the executor is step 7's, in `tasks.rs`.

mod help;
mod tasks;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::{Either, select};
use help::record;
use tasks::{JoinHandle, ThisThread, block_on, spawn};

// ANCHOR: channel
struct Channel<T> {
    values: VecDeque<T>,
    receiver: Option<Waker>,
    open: bool,
}

struct Sender<T>(Rc<RefCell<Channel<T>>>);
struct Receiver<T>(Rc<RefCell<Channel<T>>>);

fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Rc::new(RefCell::new(Channel {
        values: VecDeque::new(),
        receiver: None,
        open: true,
    }));
    (Sender(Rc::clone(&channel)), Receiver(channel))
}

impl<T> Sender<T> {
    fn send(&self, value: T) {
        self.change(|channel| {
            channel.values.push_back(value);
            record::channel("sent", 1, channel.values.len());
        });
    }

    /// Changes the channel, and then, with nothing borrowed, wakes who waits for a
    /// change.
    fn change(&self, change: impl FnOnce(&mut Channel<T>)) {
        let mut channel = self.0.borrow_mut();
        change(&mut channel);
        let receiver = channel.receiver.take();
        drop(channel);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.change(|channel| channel.open = false);
    }
}

impl<T> Receiver<T> {
    /// The next value; `None` when the sender is gone and nothing is left.
    ///
    /// Cancel safety: a value leaves the channel in the poll that hands it out. So a
    /// caller that drops this future before it is ready loses none.
    async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let waker = cx.waker().clone();
        let mut channel = self.0.borrow_mut();
        if let Some(value) = channel.values.pop_front() {
            record::channel("received", 1, channel.values.len());
            return Poll::Ready(Some(value));
        }
        if !channel.open {
            return Poll::Ready(None);
        }
        // The last one given is the one to wake.
        let before = channel.receiver.replace(waker);
        drop(channel);
        drop(before);
        record::waits("channel 1", "value");
        Poll::Pending
    }
}
// ANCHOR_END: channel

// ANCHOR: wrong_pair
/// WRONG to drop in the middle: between its two awaits it holds a value that is in no
/// channel any more.
async fn pair(values: &mut Receiver<u32>) -> Option<(u32, u32)> {
    let first = values.recv().await?;
    let second = values.recv().await?;
    Some((first, second))
}
// ANCHOR_END: wrong_pair

// ANCHOR: right_pair
/// What must outlive a drop does not live in the future, but here.
struct Pairs {
    values: Receiver<u32>,
    first: Option<u32>,
}

impl Pairs {
    async fn next(&mut self) -> Option<(u32, u32)> {
        if self.first.is_none() {
            self.first = Some(self.values.recv().await?);
        }
        let second = self.values.recv().await?;
        Some((self.first.take()?, second))
    }
}
// ANCHOR_END: right_pair

// ANCHOR: cancel
/// Waits for a future, but only until the task has finished. A future that is not ready
/// by then is dropped where it stands.
async fn until<T>(task: JoinHandle<T>, future: impl Future) -> T {
    match select(pin!(future), task).await {
        Either::Left(_) => panic!("one value was sent, and a pair needs two"),
        Either::Right((output, _dropped_here)) => output,
    }
}

/// Waits for a pair, gives up after the first value, and then receives what is still to
/// come.
async fn interrupted(right: bool) -> Vec<u32> {
    let (sender, values) = channel();
    let mut pairs = Pairs { values, first: None };
    let sends_one = spawn("sends one", async move {
        sender.send(1);
        sender
    });
    let sender = match right {
        false => until(sends_one, pair(&mut pairs.values)).await,
        true => until(sends_one, pairs.next()).await,
    };
    spawn("sends three", async move { (2..=4).for_each(|value| sender.send(value)) });
    let mut received: Vec<u32> = pairs.first.into_iter().collect();
    while let Some(value) = pairs.values.recv().await {
        received.push(value);
    }
    received
}
// ANCHOR_END: cancel

// ANCHOR: wrong_waker
#[derive(Default)]
struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A future is polled by one task, and then by another. Who is woken? `keep` is how it
/// keeps its waker.
fn who_is_called(keep: impl Fn(&mut Option<Waker>, Waker)) -> [bool; 2] {
    let mut kept = None;
    let tasks = [Arc::new(Called::default()), Arc::new(Called::default())];
    for task in &tasks {
        keep(&mut kept, Waker::from(Arc::clone(task)));
    }
    kept.expect("one is kept").wake();
    tasks.map(|task| task.0.load(Ordering::Relaxed))
}
// ANCHOR_END: wrong_waker

fn main() {
    let _recording = help::begin("Step 10: channels, and cancellation by drop");
    let first = who_is_called(|kept, waker| {
        kept.get_or_insert(waker);
    });
    let last = who_is_called(|kept, waker| *kept = Some(waker));
    println!(
        "wrong: keeps the first waker: called, of the old and the new task: {first:?}"
    );
    println!(
        "right: keeps the last waker:  called, of the old and the new task: {last:?}"
    );
    let received = block_on(&ThisThread, interrupted(false));
    println!(
        "wrong: sent [1, 2, 3, 4], pair() dropped in the middle, received {received:?}"
    );
    record::restart();
    let received = block_on(&ThisThread, interrupted(true));
    println!(
        "right: sent [1, 2, 3, 4], next() dropped in the middle, received {received:?}"
    );
}
