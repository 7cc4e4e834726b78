//! Several futures in one task: who is polled when one of them is woken, whose budget they use, and what is dropped when.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use cotask::sync::{mpsc, oneshot};
use cotask::time::sleep;
use futures::future::{join_all, select};
use futures::stream::{FuturesUnordered, StreamExt};

pub(crate) async fn scene() -> Result<()> {
    polls().await?;
    budget().await?;
    drops().await
}

// ANCHOR: counted
/// The same future, counting its polls.
fn counted<F: Future>(polls: Rc<Cell<u32>>, future: F) -> impl Future<Output = F::Output> {
    let mut future = Box::pin(future);
    poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        future.as_mut().poll(cx)
    })
}
// ANCHOR_END: counted

// ANCHOR: polls
/// Ten futures, each of which waits for an answer of its own. The answers come one by one, last question first.
async fn polls() -> Result<()> {
    println!("ten answers, one after the other:    polls of the ten    polls of the task");
    for style in ["join_all", "FuturesUnordered", "ten tasks"] {
        let (inner, outer) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..10).map(|_| oneshot::channel::<u32>()).unzip();
        let children = receivers.into_iter().map(|answer| counted(Rc::clone(&inner), answer));
        let parent = async {
            match style {
                "join_all" => drop(join_all(children).await),
                "FuturesUnordered" => {
                    drop(children.collect::<FuturesUnordered<_>>().collect::<Vec<_>>().await)
                }
                _ => {
                    let tasks: Vec<_> = children.map(cotask::spawn).collect();
                    drop(join_all(tasks).await);
                }
            }
        };
        let answering = cotask::spawn_named("answering", async move {
            for (number, sender) in (0..10).zip(senders).rev() {
                sleep(Duration::from_millis(1)).await;
                let _ = sender.send(number);
            }
        });
        counted(Rc::clone(&outer), parent).await;
        answering.await?;
        println!("{style:35} {:>6} {:>19}", inner.get(), outer.get());
    }
    Ok(())
}
// ANCHOR_END: polls

// ANCHOR: budget
/// Two children of one task, each with 200 messages ready. Another task takes its turns in between.
async fn budget() -> Result<()> {
    let received = Rc::new([Cell::new(0), Cell::new(0)]);
    let child = |index: usize| {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        (0..200).for_each(|number| sender.send(number).expect("the receiver is here"));
        let received = Rc::clone(&received);
        async move {
            while received[index].get() < 200 {
                receiver.recv().await;
                received[index].set(received[index].get() + 1);
            }
        }
    };
    let parent = cotask::spawn_named("parent", futures::future::join(child(0), child(1)));
    println!("\nafter each turn of the parent:       first child    second child");
    while !parent.is_finished() {
        cotask::yield_now().await;
        println!("{:37} {:>9} {:>15}", "", received[0].get(), received[1].get());
    }
    parent.await?;
    Ok(())
}
// ANCHOR_END: budget

/// Writes its name when it is dropped.
struct Named(&'static str, Rc<RefCell<Vec<&'static str>>>);

impl Drop for Named {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

// ANCHOR: drops
async fn drops() -> Result<()> {
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let work = |name, millis| {
        let named = Named(name, Rc::clone(&dropped));
        async move {
            sleep(Duration::from_millis(millis)).await;
            drop(named);
        }
    };

    // Moved in: the loser is dropped with the value that `select` returns.
    drop(select(Box::pin(work("quick", 1)), Box::pin(work("slow", 9))).await);
    println!("\nboth moved into select:              dropped {:?}", dropped.take());

    // Lent: the loser is still here, and continues where it stopped.
    let mut slow = pin!(work("slow", 9));
    drop(select(Box::pin(work("quick", 1)), slow.as_mut()).await);
    println!("the slow one lent to select:         dropped {:?}", dropped.take());
    slow.await;
    println!("... and awaited afterwards:          dropped {:?}", dropped.take());

    // A child that has finished is gone at once; a set that is dropped takes the others with it.
    let mut set: FuturesUnordered<_> =
        [work("one", 1), work("two", 2), work("three", 3)].into_iter().collect();
    set.next().await;
    println!("after the first of three:            dropped {:?}", dropped.take());
    drop(set);
    println!("the set is dropped:                  dropped {:?}", {
        let mut rest = dropped.take();
        rest.sort_unstable();
        rest
    });
    Ok(())
}
// ANCHOR_END: drops
