//! echo in a simulation: clients whose connections break, and who say again what was not answered.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use cotask::net::TcpStream;
use cotask::sim::{self, random};
use cotask::time::{sleep, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

use super::coroutines;
use super::load::{MESSAGE, message};
use crate::common::{Backoff, bind};

const CLIENTS: [&str; 4] = ["ann", "bob", "cid", "dora"];
const PATIENCE: Duration = Duration::from_secs(2);

/// The program of the simulation: the server, and clients that send `messages` messages each, about `pause` apart.
pub(crate) async fn run(messages: u64, pause: Duration) {
    sim::host("server", || async { coroutines::serve_all(bind("0.0.0.0:80").await).await });
    let clients = [0, 1, 2, 3].map(|number: usize| {
        // Each client has numbers of its own, so it notices an answer to another client.
        let first = number as u64 * messages;
        let said = Rc::new(Cell::new(first));
        sim::host(CLIENTS[number], move || talk(Rc::clone(&said), first + messages, pause))
    });
    for client in clients {
        client.done().await.expect("only a fault ends a client early");
    }
}

/// Says what is not said yet. `said` outlives a crash.
async fn talk(said: Rc<Cell<u64>>, end: u64, pause: Duration) -> Result<()> {
    let mut connection = None;
    let mut backoff = Backoff::new(PATIENCE / 10, PATIENCE * 5);
    while said.get() < end {
        match timeout(PATIENCE, exchange(&mut connection, said.get())).await {
            Ok(Ok(())) => {
                said.set(said.get() + 1);
                backoff = Backoff::new(PATIENCE / 10, PATIENCE * 5);
                sleep(Backoff::new(pause * 2, pause * 2).pause(random())).await;
            }
            // What is still to come on this connection would be taken for the answer to the next message.
            _ => {
                connection = None;
                sleep(backoff.pause(random())).await;
            }
        }
    }
    Ok(())
}

async fn exchange(connection: &mut Option<TcpStream>, number: u64) -> std::io::Result<()> {
    let stream = match connection {
        Some(stream) => stream,
        None => connection.insert(TcpStream::connect("server:80").await?),
    };
    let mut reply = [0; MESSAGE];
    stream.write_all(&message(number)).await?;
    stream.read_exact(&mut reply).await?;
    assert!(reply == message(number), "message {number} came back as another one");
    Ok(())
}
