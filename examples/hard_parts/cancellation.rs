//! Cancellation: to stop awaiting a future is to drop it. What is lost with it depends on where it kept what it had.
//!
//! `cargo run --example cancellation`

#[macro_use]
#[path = "../common/print.rs"]
mod print;
mod stage;

use std::process::ExitCode;
use std::time::Duration;

use cotask::sync::mpsc::{self, Receiver};
use cotask::time::{Instant, sleep, timeout};
use stage::say;

const PATIENCE: Duration = Duration::from_millis(50);

// ANCHOR: sender
/// Two words, each in two pieces that are 40 ms apart.
async fn send_pieces(to: mpsc::Sender<&'static str>) {
    for piece in ["can", "cel;", "re", "try;"] {
        sleep(Duration::from_millis(40)).await;
        if to.send(piece).await.is_err() {
            return;
        }
    }
}
// ANCHOR_END: sender

// ANCHOR: local
/// Reads until a word is whole. The pieces that it has so far are its own: they go when it is dropped.
async fn read_word(from: &mut Receiver<&'static str>) -> Option<String> {
    let mut word = String::new();
    while let Some(piece) = from.recv().await {
        word.push_str(piece);
        if word.ends_with(';') {
            return Some(word);
        }
    }
    None
}
// ANCHOR_END: local

// ANCHOR: reader
/// Reads words. The pieces that it has so far outlive each call of `word`.
struct Reader {
    from: Receiver<&'static str>,
    pieces: String,
}

impl Reader {
    async fn word(&mut self) -> Option<String> {
        while let Some(piece) = self.from.recv().await {
            self.pieces.push_str(piece);
            if self.pieces.ends_with(';') {
                return Some(std::mem::take(&mut self.pieces));
            }
        }
        None
    }
}
// ANCHOR_END: reader

// ANCHOR: loops
async fn impatient_with_a_local_buffer(start: Instant) {
    let (to, mut from) = mpsc::channel(4);
    cotask::spawn_named("sender", send_pieces(to));
    loop {
        match timeout(PATIENCE, read_word(&mut from)).await {
            Ok(Some(word)) => say(start, &format!("read {word:?}")),
            Ok(None) => break,
            Err(_) => say(start, "no word yet, asking again"),
        }
    }
}

async fn impatient_with_a_reader(start: Instant) {
    let (to, from) = mpsc::channel(4);
    cotask::spawn_named("sender", send_pieces(to));
    let mut reader = Reader { from, pieces: String::new() };
    loop {
        match timeout(PATIENCE, reader.word()).await {
            Ok(Some(word)) => say(start, &format!("read {word:?}")),
            Ok(None) => break,
            Err(_) => say(start, "no word yet, asking again"),
        }
    }
}
// ANCHOR_END: loops

// ANCHOR: guard
/// Tells when it is dropped: as a file is closed, a lock given back, a counter put right.
struct Guard(Instant, &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        say(self.0, &format!("{}: cleaned up", self.1));
    }
}

async fn work(start: Instant, who: &'static str) {
    let _guard = Guard(start, who);
    sleep(Duration::from_millis(100)).await;
    say(start, &format!("{who}: done"));
}

async fn three_ways_to_let_go(start: Instant) {
    let aborted = cotask::spawn_named("aborted", work(start, "aborted"));
    let detached = cotask::spawn_named("detached", work(start, "detached"));
    let dropped = work(start, "never polled");
    sleep(Duration::from_millis(30)).await;

    aborted.abort();
    let error = aborted.await.expect_err("it cannot have been done by now");
    say(start, &format!("aborted: its join says {error}"));
    drop(detached);
    say(start, "detached: its handle is dropped");
    drop(dropped);
    say(start, "never polled: its future is dropped");
    sleep(Duration::from_millis(100)).await;
}
// ANCHOR_END: guard

fn main() -> ExitCode {
    stage::play("What is lost when a future is dropped before its end", async {
        println!("A buffer inside the future that is dropped:");
        impatient_with_a_local_buffer(Instant::now()).await;
        println!("\nA buffer that outlives it:");
        impatient_with_a_reader(Instant::now()).await;
        println!("\nThree ways to let go of work:");
        three_ways_to_let_go(Instant::now()).await;
    })
}
