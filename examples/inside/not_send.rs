//! Does not compile: what a runtime that moves tasks between threads says of a guard that is held across an await. The book
//! shows the message.
//!
//! ```text
//! cargo check -p workloads --example not_send --features does-not-compile
//! ```

// ANCHOR: main
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What `tokio::spawn` asks of a task: any thread of the pool may poll it next.
fn spawn<F: Future<Output = ()> + Send + 'static>(future: F) -> tokio::task::JoinHandle<()> {
    tokio::spawn(future)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words = Arc::new(Mutex::new(vec!["one"]));
    let writer = spawn(async move {
        let mut locked = words.lock().unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
        locked.push("two");
    });
    writer.await.unwrap();
}
// ANCHOR_END: main
