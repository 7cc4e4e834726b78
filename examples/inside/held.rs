//! What is held across an await: a borrow, a lock that blocks, and a lock that waits.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use cotask::time::sleep;

const MOMENT: Duration = Duration::from_millis(1);

pub(crate) async fn scene() -> Result<()> {
    borrow().await?;
    blocking_lock().await?;
    released_first().await?;
    waiting_lock().await
}

// ANCHOR: borrow
async fn borrow() -> Result<()> {
    let words = Rc::new(RefCell::new(vec!["one"]));
    let writer = cotask::spawn_named("writer", {
        let words = Rc::clone(&words);
        #[expect(clippy::await_holding_refcell_ref, reason = "to show what it does")]
        async move {
            let mut borrowed = words.borrow_mut();
            // The borrow lasts until the task is polled again, and other tasks run meanwhile.
            sleep(2 * MOMENT).await;
            borrowed.push("two");
        }
    });
    sleep(MOMENT).await;
    println!("RefCell, borrowed across an await:     {:?}", words.try_borrow());
    writer.await?;
    Ok(())
}
// ANCHOR_END: borrow

// ANCHOR: blocking
async fn blocking_lock() -> Result<()> {
    let words = Arc::new(Mutex::new(vec!["one"]));
    let writer = cotask::spawn_named("writer", {
        let words = Arc::clone(&words);
        #[expect(clippy::await_holding_lock, reason = "to show what it does")]
        async move {
            let mut locked = words.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            sleep(2 * MOMENT).await;
            locked.push("two");
        }
    });
    sleep(MOMENT).await;
    // `lock` would put this thread to sleep, and with it the only task that can unlock.
    println!(
        "std's Mutex, locked across an await:   {}",
        if words.try_lock().is_err() { "locked" } else { "free" }
    );
    writer.await?;
    Ok(())
}
// ANCHOR_END: blocking

// ANCHOR: released
async fn released_first() -> Result<()> {
    let words = Arc::new(Mutex::new(vec!["one"]));
    let writer = cotask::spawn_named("writer", {
        let words = Arc::clone(&words);
        async move {
            sleep(2 * MOMENT).await;
            // In a block without an await: no other task can see it locked.
            words.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push("two");
        }
    });
    sleep(MOMENT).await;
    println!(
        "std's Mutex, unlocked before an await: {}",
        if words.try_lock().is_err() { "locked" } else { "free" }
    );
    writer.await?;
    Ok(())
}
// ANCHOR_END: released

// ANCHOR: waiting
async fn waiting_lock() -> Result<()> {
    let words = Rc::new(cotask::sync::Mutex::new(vec!["one"]));
    let writer = cotask::spawn_named("writer", {
        let words = Rc::clone(&words);
        async move {
            let mut locked = words.lock().await;
            sleep(2 * MOMENT).await;
            locked.push("two");
        }
    });
    sleep(MOMENT).await;
    println!(
        "cotask's Mutex, locked across an await: the task waits, and then reads {:?}",
        words.lock().await
    );
    writer.await?;
    Ok(())
}
// ANCHOR_END: waiting
