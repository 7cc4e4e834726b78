//! The rooms beside the heart: budget, channels and locks, coroutines, the recorder.

use std::cell::Cell;
use std::io::stdout;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use coroutine::{Coroutine, State};
use cotask::sync::{Semaphore, mpsc};
use cotask::time::{sleep, timeout};
use futures::FutureExt;

// ANCHOR: budget
pub(crate) async fn budget() -> Result<()> {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    for number in 0..300 {
        sender.send(number)?;
    }
    let turns = Rc::new(Cell::new(0));
    let seen = Rc::clone(&turns);
    // It awaits 300 times, and not once is there a reason to wait.
    let greedy = cotask::spawn_named("greedy", async move {
        let mut before = seen.get();
        for received in 0..300 {
            receiver.recv().await;
            if seen.get() != before {
                println!("after {received} messages the other task had its turn");
                before = seen.get();
            }
        }
    });
    let polite = cotask::spawn_named("polite", async move {
        loop {
            turns.set(turns.get() + 1);
            cotask::yield_now().await;
        }
    });
    greedy.await?;
    polite.abort();
    Ok(())
}
// ANCHOR_END: budget

// ANCHOR: handoff
pub(crate) async fn handoff() -> Result<()> {
    let permits = Rc::new(Semaphore::new(1));
    let held = permits.acquire().await?;
    let hasty = cotask::spawn_named("hasty", {
        let permits = Rc::clone(&permits);
        async move {
            let mut acquire = Box::pin(permits.acquire());
            // Two looks. The permit comes between them, and the second never happens.
            assert!((&mut acquire).now_or_never().is_none());
            sleep(Duration::from_millis(2)).await;
            println!("hasty: gives up its place, with the permit that it was handed and has not seen");
        }
    });
    let patient = cotask::spawn_named("patient", {
        let permits = Rc::clone(&permits);
        async move {
            let got = timeout(Duration::from_secs(1), permits.acquire()).await;
            println!("patient: has the permit: {}", matches!(got, Ok(Ok(_))));
        }
    });
    sleep(Duration::from_millis(1)).await;
    println!("the permit is given back; hasty is first in line");
    drop(held);
    hasty.await?;
    patient.await?;
    Ok(())
}
// ANCHOR_END: handoff

// ANCHOR: coroutine
pub(crate) fn coroutine() -> Result<()> {
    let mut averager = Coroutine::new(async |yielder| {
        let (mut sum, mut count) = (0.0, 0.0);
        while let Some(number) = yielder.receive().await {
            sum += number;
            count += 1.0;
            yielder.yield_(sum / count).await;
        }
        count
    });
    for number in [10.0, 20.0, 60.0] {
        println!("sent {number}, the mean so far is {:?}", averager.resume(number));
    }
    match averager.close() {
        State::Complete(count) => println!("closed: it had seen {count} numbers"),
        more => println!("it goes on after its input has ended: {more:?}"),
    }
    Ok(())
}
// ANCHOR_END: coroutine

// ANCHOR: record
pub(crate) fn record() -> Result<()> {
    let runtime = cotask::Builder::new().virtual_time().trace(100).name("clerk").build()?;
    runtime.block_on(async {
        let napper = cotask::spawn_named("napper", sleep(Duration::from_millis(3)));
        napper.await
    })?;
    runtime.take_trace().write_json_lines(stdout())?;
    Ok(())
}
// ANCHOR_END: record
