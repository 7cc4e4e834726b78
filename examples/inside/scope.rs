//! What is left of a function's tasks when the function has returned.

use std::time::Duration;

use anyhow::{Result, bail};
use cotask::time::sleep;
use cotask::{JoinSet, spawn_named};
use futures::future::{Either, select};

const MOMENT: Duration = Duration::from_millis(1);

pub(crate) async fn scene() -> Result<()> {
    for (name, style) in
        [("detached", 0), ("a set that is dropped", 1), ("a set that is awaited", 2), ("no tasks", 3)]
    {
        println!("{name}:");
        let result = match style {
            0 => detached().await,
            1 => dropped_set().await,
            2 => awaited_set().await,
            _ => no_tasks().await,
        };
        println!("    the function returned: {}", result.is_err());
        // Long enough for all that is left.
        sleep(10 * MOMENT).await;
    }
    goodbyes().await
}

// ANCHOR: child
/// Says when it ends, and how.
struct Child(&'static str, bool);

impl Drop for Child {
    fn drop(&mut self) {
        println!(
            "    {} {}",
            self.0,
            if self.1 { "has finished" } else { "is dropped in the middle of its work" }
        );
    }
}

async fn child(name: &'static str) {
    let mut child = Child(name, false);
    sleep(3 * MOMENT).await;
    child.1 = true;
}

async fn fails() -> Result<()> {
    sleep(MOMENT).await;
    bail!("the third part of the work failed")
}
// ANCHOR_END: child

// ANCHOR: detached
async fn detached() -> Result<()> {
    spawn_named("one", child("one"));
    spawn_named("two", child("two"));
    fails().await
}
// ANCHOR_END: detached

// ANCHOR: dropped
async fn dropped_set() -> Result<()> {
    let mut set = JoinSet::new();
    set.spawn(child("one"));
    set.spawn(child("two"));
    fails().await
    // Here the set is dropped, which aborts its tasks.
}
// ANCHOR_END: dropped

// ANCHOR: awaited
async fn awaited_set() -> Result<()> {
    let mut set = JoinSet::new();
    set.spawn(child("one"));
    set.spawn(child("two"));
    let result = fails().await;
    set.abort_all();
    while set.join_next().await.is_some() {}
    result
}
// ANCHOR_END: awaited

// ANCHOR: no_tasks
async fn no_tasks() -> Result<()> {
    let children = Box::pin(futures::future::join(child("one"), child("two")));
    match select(children, Box::pin(fails())).await {
        Either::Left((_, fails)) => fails.await,
        Either::Right((result, _children)) => result,
    }
}
// ANCHOR_END: no_tasks

// ANCHOR: goodbye
/// Ought to say goodbye to its peer, and that takes a moment.
struct Connection(&'static str);

impl Connection {
    async fn say_goodbye(name: &'static str) {
        sleep(MOMENT).await;
        println!("    {name}: the peer has heard goodbye");
    }

    /// The way to end it. Awaited, and so neither hidden nor in vain.
    async fn close(self) {
        Connection::say_goodbye(self.0).await;
        std::mem::forget(self);
    }
}

impl Drop for Connection {
    /// Cannot await. It may leave the work to a task, which needs a runtime that is not about to end.
    fn drop(&mut self) {
        println!("    {}: dropped, a task is to say goodbye", self.0);
        drop(spawn_named("goodbye", Connection::say_goodbye(self.0)));
    }
}

async fn goodbyes() -> Result<()> {
    println!("a connection:");
    Connection("closed").close().await;
    drop(Connection("dropped"));
    sleep(2 * MOMENT).await;
    println!("    block_on returns");
    let _last = Connection("dropped at the end");
    Ok(())
}
// ANCHOR_END: goodbye
