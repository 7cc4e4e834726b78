//! How tasks end, and how they take turns.

use std::time::Duration;

use anyhow::Result;
use cotask::time::sleep;

/// Says so when it is dropped.
// ANCHOR: endings
struct Owned(&'static str);

impl Drop for Owned {
    fn drop(&mut self) {
        println!("  what `{}` owned is dropped", self.0);
    }
}

pub(crate) async fn endings() -> Result<()> {
    // The panic below is meant, and its message would only be in the way.
    std::panic::set_hook(Box::new(|_| ()));
    let finished = cotask::spawn_named("finished", async { 6 * 7 });
    println!("finished: {:?}", finished.await);

    let panicked = cotask::spawn_named("panicked", async {
        let _owned = Owned("panicked");
        panic!("out of luck")
    });
    let result: Result<(), _> = panicked.await;
    println!("panicked: {result:?}");

    let aborted = cotask::spawn_named("aborted", async {
        let _owned = Owned("aborted");
        sleep(Duration::from_secs(3_600)).await;
    });
    cotask::yield_now().await;
    println!("abort is called");
    aborted.abort();
    println!("abort has returned");
    println!("aborted: {:?}", aborted.await);

    drop(cotask::spawn_named("detached", async {
        sleep(Duration::from_millis(5)).await;
        println!("detached: it goes on without a handle");
    }));
    sleep(Duration::from_millis(10)).await;
    Ok(())
}
// ANCHOR_END: endings

// ANCHOR: turns
pub(crate) async fn turns() -> Result<()> {
    let tasks = ["a", "b", "c"].map(|name| {
        cotask::spawn_named(name, async move {
            for round in 1..=3 {
                println!("{name}: round {round}");
                cotask::yield_now().await;
            }
            sleep(Duration::from_millis(5)).await;
            println!("{name}: rested");
        })
    });
    for task in tasks {
        task.await?;
    }
    Ok(())
}
// ANCHOR_END: turns
