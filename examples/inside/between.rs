//! The four types of `sync` that are built on the queue of waiters: what each keeps for a waiter that is not there yet, or
//! not there any more.

use std::future::Future;
use std::time::Duration;

use anyhow::Result;
use cotask::sync::oneshot::{self, error::RecvError};
use cotask::sync::{Mutex, Notify, mpsc};
use cotask::time::{sleep, timeout};

pub(crate) async fn scene() -> Result<()> {
    notify().await;
    channel().await?;
    answer().await?;
    lock().await
}

/// The wait ends now, or it is given up after a second. No time passes for real: the clock is virtual.
async fn wait(for_it: impl Future) -> &'static str {
    let ended = timeout(Duration::from_secs(1), for_it).await;
    if ended.is_ok() { "goes on" } else { "still waits a second later" }
}

// ANCHOR: notify
/// A consumer looks, finds nothing, and waits. The change comes between the look and the wait.
async fn notify() {
    let changed = Notify::new();

    changed.notify_one();
    println!("notify_one, then the wait:       {}", wait(changed.notified()).await);

    changed.notify_waiters();
    println!("notify_waiters, then the wait:   {}", wait(changed.notified()).await);

    // The future is made before the look.
    let notified = changed.notified();
    changed.notify_waiters();
    println!("made before notify_waiters:      {}", wait(notified).await);

    // Two consumers, two changes. One permit is all that is stored.
    let (first, second) = (changed.notified(), changed.notified());
    changed.notify_one();
    changed.notify_one();
    println!("two made, two notify_one:        {}, {}", wait(first).await, wait(second).await);

    // The same, and each takes its place in the queue before it looks.
    let (mut first, mut second) = (Box::pin(changed.notified()), Box::pin(changed.notified()));
    first.as_mut().enable();
    second.as_mut().enable();
    changed.notify_one();
    changed.notify_one();
    println!("two enabled, two notify_one:     {}, {}", wait(first).await, wait(second).await);
}
// ANCHOR_END: notify

// ANCHOR: channel
async fn channel() -> Result<()> {
    let moment = Duration::from_millis(1);
    let (sender, mut receiver) = mpsc::channel(1);
    println!("\nnew:                              {sender:?}");

    sender.send("first").await?;
    println!("\"first\" is sent:                  {sender:?}");

    // There is no room, so this send waits, and its future owns the value.
    let given_up = timeout(moment, sender.send("second")).await.is_err();
    println!("the send of \"second\" is given up: {given_up}");

    // This wait owns no value. What it gets is room, and the room is kept until it is used.
    let taker = cotask::spawn_named("taker", async move { (receiver.recv().await, receiver) });
    let room = sender.reserve().await?;
    println!("room is reserved:                 {sender:?}");
    room.send("third");
    let (first, mut receiver) = taker.await?;
    println!("received:                         {first:?}, {:?}", receiver.recv().await);
    Ok(())
}
// ANCHOR_END: channel

// ANCHOR: oneshot
async fn answer() -> Result<()> {
    let (sender, receiver) = oneshot::channel::<u32>();
    drop(sender);
    println!("\nthe sender is dropped:            the receiver gets {:?}", receiver.await);

    let (sender, receiver) = oneshot::channel();
    drop(receiver);
    println!("the receiver is dropped:          send returns {:?}", sender.send(7));

    let (sender, mut receiver) = oneshot::channel();
    receiver.close();
    println!("the receiver is closed first:     send returns {:?}", sender.send(7));

    let (sender, mut receiver) = oneshot::channel();
    let sent = sender.send(7);
    receiver.close();
    println!("the receiver is closed too late:  send was {sent:?}, the receiver gets {:?}", receiver.await);

    // Whether it will ever be answered is known before the answer is computed.
    let (mut sender, receiver) = oneshot::channel::<u32>();
    let worker = cotask::spawn_named("worker", async move {
        sender.closed().await;
        "the worker stops, because no task waits for its answer"
    });
    let asked: Result<Result<u32, RecvError>, _> = timeout(Duration::from_millis(5), receiver).await;
    println!("the question times out:           {}; {}", asked.is_err(), worker.await?);
    Ok(())
}
// ANCHOR_END: oneshot

// ANCHOR: mutex
async fn lock() -> Result<()> {
    let words = std::rc::Rc::new(Mutex::new(vec!["held"]));
    let guard = words.lock().await;
    let waiter = |name| {
        let words = std::rc::Rc::clone(&words);
        cotask::spawn_named(name, async move {
            let mut guard = words.lock().await;
            // Across an await: other tasks run meanwhile, and the lock stays held.
            sleep(Duration::from_millis(1)).await;
            guard.push(name);
        })
    };
    let (second, third) = (waiter("second"), waiter("third"));
    cotask::yield_now().await;
    drop(guard);
    println!("\nfree, but promised to `second`:   {:?}", words.try_lock().err());
    second.await?;
    third.await?;
    println!("in the order of asking:           {:?}", words.lock().await);

    std::mem::forget(words.lock().await);
    println!("its guard was leaked:             lock {}", wait(words.lock()).await);
    Ok(())
}
// ANCHOR_END: mutex
