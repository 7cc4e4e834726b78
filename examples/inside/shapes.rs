//! Shapes that async code takes: streams and sinks, closures, traits, trait objects, recursion.

use std::future::{Future, ready};
use std::pin::{Pin, pin};
use std::time::Duration;

use anyhow::Result;
use cotask::sync::mpsc;
use cotask::time::{Instant, sleep};
use futures::FutureExt;
use futures::sink::{SinkExt, unfold};
use futures::stream::{self, StreamExt};

const MOMENT: Duration = Duration::from_millis(1);

pub(crate) async fn scene() -> Result<()> {
    streams().await;
    asleep().await;
    sinks().await?;
    closures().await;
    traits().await;
    recursion().await;
    Ok(())
}

// ANCHOR: streams
/// Answers after so many milliseconds.
async fn ask(millis: u64) -> u64 {
    sleep(Duration::from_millis(millis)).await;
    millis
}

async fn streams() {
    println!("six questions that take 3, 1, 2, 1, 3 and 1 ms:");
    for style in ["one by one", "two at a time, in order", "two at a time, as they come"] {
        let questions = stream::iter([3, 1, 2, 1, 3, 1]);
        let start = Instant::now();
        let answers: Vec<u64> = match style {
            "one by one" => questions.then(ask).collect().await,
            "two at a time, in order" => questions.map(ask).buffered(2).collect().await,
            _ => questions.map(ask).buffer_unordered(2).collect().await,
        };
        println!("    {style:29} {answers:?} after {:?}", start.elapsed());
    }

    // A stream does nothing until it is asked for the next element, and nothing after it was dropped.
    let counted = stream::iter(1..).map(|number| {
        println!("    made {number}");
        number
    });
    let two: Vec<i32> = counted.take(2).collect().await;
    println!("    two of endlessly many: {two:?}");
}
// ANCHOR_END: streams

// ANCHOR: asleep
/// Answers in four steps of a millisecond.
async fn ask_in_steps(number: u32) -> u32 {
    for _ in 0..4 {
        sleep(MOMENT).await;
    }
    number
}

/// While the loop's body awaits, the stream is not polled, and so are none of the futures in it.
async fn asleep() {
    println!("\nfour questions of four steps, two at a time, and a loop body of 4 ms:");
    for style in ["futures in the stream", "tasks in the stream"] {
        let start = Instant::now();
        let questions = stream::iter(1..=4_u32);
        let mut answers: Pin<Box<dyn stream::Stream<Item = u32>>> = match style {
            "futures in the stream" => Box::pin(questions.map(ask_in_steps).buffered(2)),
            _ => Box::pin(
                questions.map(|number| cotask::spawn(ask_in_steps(number)).map(Result::unwrap)).buffered(2),
            ),
        };
        while let Some(_answer) = answers.next().await {
            sleep(4 * MOMENT).await;
        }
        println!("    {style:29} {:?}", start.elapsed());
    }
}
// ANCHOR_END: asleep

// ANCHOR: sinks
/// A sink is the other end: a place that takes values, and may have to wait before it takes one.
async fn sinks() -> Result<()> {
    let (sender, receiver) = mpsc::channel(2);
    let writing = cotask::spawn_named("writing", async move {
        let sink =
            unfold(sender, |sender, line: String| async move { sender.send(line).await.map(|()| sender) });
        let mut sink = pin!(sink.with(|number: u32| ready(anyhow::Ok(format!("line {number}")))));
        for number in 1..=3 {
            sink.send(number).await?;
        }
        sink.close().await
    });
    let lines: Vec<String> = receiver.collect().await;
    println!("\na sink of numbers into a channel of lines: {lines:?}");
    writing.await?
}
// ANCHOR_END: sinks

// ANCHOR: closures
/// Tries up to three times. The closure may borrow from its environment in each of its futures.
async fn retry(mut attempt: impl AsyncFnMut(u32) -> Option<u32>) -> Option<u32> {
    for number in 1..=3 {
        if let Some(answer) = attempt(number).await {
            return Some(answer);
        }
    }
    None
}

async fn closures() {
    let mut log = Vec::new();
    let answer = retry(async |number| {
        log.push(number);
        sleep(MOMENT).await;
        (number == 2).then_some(42)
    });
    let answer = answer.await;
    println!("\nan async closure: {answer:?}, after the attempts {log:?}");
}
// ANCHOR_END: closures

// ANCHOR: traits
trait Storage {
    fn load(&self, key: u32) -> impl Future<Output = u32>;
}

/// The same for trait objects: each call allocates its future.
trait DynStorage {
    fn load<'a>(&'a self, key: u32) -> Pin<Box<dyn Future<Output = u32> + 'a>>;
}

impl<S: Storage> DynStorage for S {
    fn load<'a>(&'a self, key: u32) -> Pin<Box<dyn Future<Output = u32> + 'a>> {
        Box::pin(Storage::load(self, key))
    }
}

struct Memory;
struct Disk([u8; 1_000]);

impl Storage for Memory {
    async fn load(&self, key: u32) -> u32 {
        key
    }
}

impl Storage for Disk {
    async fn load(&self, key: u32) -> u32 {
        let buffer = self.0;
        sleep(MOMENT).await;
        key + u32::from(buffer[0])
    }
}

async fn traits() {
    let (memory, disk) = (Memory, Disk([1; 1_000]));
    println!(
        "\nbytes of a future: {} and {}",
        size_of_val(&Storage::load(&memory, 1)),
        size_of_val(&Storage::load(&disk, 1))
    );
    let all: [&dyn DynStorage; 2] = [&memory, &disk];
    for storage in all {
        let future = storage.load(7);
        println!("    as a trait object: {}, with the answer {}", size_of_val(&future), future.await);
    }
}
// ANCHOR_END: traits

// ANCHOR: recursion
struct Folder {
    files: u32,
    folders: Vec<Folder>,
}

/// Without the box, the future would contain itself.
async fn count(folder: &Folder) -> u32 {
    let mut files = folder.files;
    for inner in &folder.folders {
        files += Box::pin(count(inner)).await;
    }
    sleep(MOMENT).await;
    files
}

async fn recursion() {
    let leaf = |files| Folder { files, folders: Vec::new() };
    let root = Folder { files: 1, folders: vec![leaf(2), Folder { files: 3, folders: vec![leaf(4)] }] };
    println!("\nfiles in four folders: {}", count(&root).await);
}
// ANCHOR_END: recursion
