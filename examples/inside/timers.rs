//! Timers near and far.

use std::time::Duration;

use anyhow::Result;
use cotask::time::{Instant, sleep, timeout};
use cotask::trace::{Event, Trace};

// ANCHOR: scene
pub(crate) async fn scene() -> Result<()> {
    let start = Instant::now();
    let lengths = [1, 63, 64, 100, 5_000, 100_000].map(Duration::from_millis);
    let tasks = lengths.map(|length| {
        cotask::spawn_named(&format!("{length:?}"), async move {
            sleep(length).await;
            println!("set to {length:?}: fired after {:?}", Instant::now() - start);
        })
    });
    // A time-out that is never needed: set, and cancelled when its future is ready.
    timeout(Duration::from_secs(60), cotask::yield_now()).await?;
    for task in tasks {
        task.await?;
    }
    Ok(())
}
// ANCHOR_END: scene

/// Says how often the thread slept in a recorded run.
pub(crate) fn count_sleeps(trace: &Trace) {
    let sleeps = trace.records.iter().filter(|record| matches!(record.event, Event::Parked { .. })).count();
    println!("the thread slept {sleeps} times");
}
