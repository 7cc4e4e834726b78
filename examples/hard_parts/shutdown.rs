//! Shutdown: accept nothing new, let running requests finish, wait for them within a limit, then drop the rest.
//!
//! `cargo run --example shutdown`

#[macro_use]
#[path = "../common/print.rs"]
mod print;
mod stage;

use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use cotask::JoinSet;
use cotask::sync::{Notify, mpsc};
use cotask::time::{Instant, sleep, timeout};
use futures::future::{Either, select};
use stage::say;

/// How long request number `n` takes.
const TAKES: [u64; 5] = [30, 60, 45, 500, 20];
const GRACE: Duration = Duration::from_millis(100);

/// Prints how a request ended, even if it is dropped before it finishes.
struct Request {
    start: Instant,
    number: usize,
    done: bool,
}

impl Drop for Request {
    fn drop(&mut self) {
        let how = if self.done { "answered" } else { "dropped: connection closed, nothing half written" };
        say(self.start, &format!("request {} {how}", self.number));
    }
}

async fn serve(start: Instant, number: usize) {
    let mut request = Request { start, number, done: false };
    sleep(Duration::from_millis(TAKES[number])).await;
    request.done = true;
}

// ANCHOR: server
async fn server(start: Instant, mut arrivals: mpsc::Receiver<usize>, stop: Rc<Notify>) {
    let mut running = JoinSet::new();
    // 1. Serve, until the signal to stop. `select` polls its first future first: if arrivals stood there, a client that
    //    never pauses would hide the signal.
    let stopped = stop.notified();
    futures::pin_mut!(stopped);
    loop {
        let arrival = std::pin::pin!(arrivals.recv());
        match select(stopped.as_mut(), arrival).await {
            Either::Right((Some(number), _)) => {
                say(start, &format!("request {number} accepted"));
                running.spawn(serve(start, number));
            }
            Either::Right((None, _)) | Either::Left(_) => break,
        }
    }
    // 2. Accept nothing new. A request that arrives now is refused at once, instead of being left without an answer.
    drop(arrivals);
    say(start, "stopping: nothing new is accepted");
    // 3. Let the running requests finish, but not without a limit.
    let drained = timeout(GRACE, async { while running.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        say(start, &format!("the grace period has ended: {} still running", running.len()));
    }
    // 4. Drop the set. Each future that is left is dropped on this thread, and its destructors run.
}
// ANCHOR_END: server

async fn visitors(start: Instant, to: mpsc::Sender<usize>) {
    for number in 0..TAKES.len() {
        sleep(Duration::from_millis(20)).await;
        if to.send(number).await.is_err() {
            say(start, &format!("request {number} refused"));
        }
    }
}

fn main() -> ExitCode {
    stage::play("A server that stops without losing what it has promised", async {
        let start = Instant::now();
        let (to, arrivals) = mpsc::channel(1);
        let stop = Rc::new(Notify::new());
        let serving = cotask::spawn_named("server", server(start, arrivals, Rc::clone(&stop)));
        let visiting = cotask::spawn_named("visitors", visitors(start, to));
        sleep(Duration::from_millis(85)).await;
        say(start, "told to stop");
        stop.notify_one();
        serving.await.expect("the server does not panic");
        say(start, "the server has ended");
        visiting.await.expect("the visitors do not panic");
    })
}
