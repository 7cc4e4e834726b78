//! Shutdown: take nothing new, let what runs come to its end, wait for it no longer than one can, then let go.
//!
//! `cargo run --example shutdown`

mod stage;

use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use cotask::JoinSet;
use cotask::sync::{Notify, mpsc};
use cotask::time::{Instant, sleep, timeout};
use futures::future::{Either, select};
use stage::say;

/// How long a request takes that came as number `n`.
const TAKES: [u64; 5] = [30, 60, 45, 500, 20];
const GRACE: Duration = Duration::from_millis(100);

/// Says how a request ended, also when nobody lets it come to its end.
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
    // 1. Serve, until told to stop.
    let stopped = stop.notified();
    futures::pin_mut!(stopped);
    loop {
        let arrival = std::pin::pin!(arrivals.recv());
        match select(arrival, stopped.as_mut()).await {
            Either::Left((Some(number), _)) => {
                say(start, &format!("request {number} taken"));
                running.spawn(serve(start, number));
            }
            Either::Left((None, _)) | Either::Right(_) => break,
        }
    }
    // 2. Take nothing new. Who comes now gets an error at once, instead of silence later.
    drop(arrivals);
    say(start, "stopping: nothing new is taken");
    // 3. Let them come to their end, but not for ever.
    let drained = timeout(GRACE, async { while running.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        say(start, &format!("the grace is over: {} still running", running.len()));
    }
    // 4. Let go. What is left in the set is dropped with it, each future on this thread, and cleans up as it goes.
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
        say(start, "the server is gone");
        visiting.await.expect("the visitors do not panic");
    })
}
