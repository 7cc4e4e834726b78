//! What comes from outside of the thread: wakes of other threads, and bytes.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::rc::Rc;
use std::task::Poll;
use std::thread;

use anyhow::Result;
use cotask::net::TcpStream;
use cotask::sync::oneshot;
use futures::AsyncReadExt;

/// The poll waits for the thread, which no program should do: here it makes sure that all wakes come while the
/// executor is busy.
// ANCHOR: mail
pub(crate) async fn mail() -> Result<()> {
    let polls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&polls);
    let busy = cotask::spawn_named("busy", async move {
        poll_fn(|cx| {
            counted.set(counted.get() + 1);
            if counted.get() == 2 {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            let thread = thread::spawn(move || (0..1_000).for_each(|_| waker.wake_by_ref()));
            thread.join().expect("a thread that only wakes");
            Poll::Pending
        })
        .await;
    });
    busy.await?;
    println!("1,000 wakes from a thread during the first poll: {} polls in all", polls.get());

    let (sender, receiver) = oneshot::channel();
    let thread = thread::spawn(move || sender.send("hello"));
    println!("a message of a thread: {:?}", receiver.await?);
    assert!(thread.join().is_ok_and(|sent| sent.is_ok()));
    Ok(())
}
// ANCHOR_END: mail

// ANCHOR: edges
pub(crate) async fn edges() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?).await?;
    let (mut server, _) = listener.accept()?;
    server.write_all(b"hello")?;
    drop(server);

    let mut buffer = [0; 64];
    loop {
        let read = client.read(&mut buffer).await?;
        println!("asked for {} bytes, got {read}", buffer.len());
        if read == 0 {
            return Ok(());
        }
    }
}
// ANCHOR_END: edges
