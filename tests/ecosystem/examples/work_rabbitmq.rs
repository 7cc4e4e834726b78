//! RabbitMQ on cotask: workers share jobs, and one of them dies.
//!
//! ```console
//! $ cargo run --release -p ecosystem --example work_rabbitmq
//! ```

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result};
use clap::Parser;
use cotask::JoinSet;
use cotask::sync::Notify;
use ecosystem::on_cotask::work::{QUEUE, connect, done_with, end, publish, queue, worker};
use ecosystem::servers::{Kind, Server};
use futures::StreamExt;

/// Publishes jobs and lets workers do them, each over its own connection. The first dies with the last that it took in hand,
/// which others then get.
///
/// The jobs go through the queue `cotask-jobs`, which is deleted at the end.
#[derive(Parser)]
#[command(name = "work_rabbitmq")]
struct Arguments {
    /// Where RabbitMQ listens, which must let in the user `guest`. Without it, a private one is started, if it is
    /// installed, and ended again; that takes some seconds.
    #[arg(long, value_name = "IP:PORT")]
    address: Option<SocketAddr>,

    /// How many jobs.
    #[arg(long, default_value_t = 10_000)]
    jobs: u32,

    /// How many workers, of whom the first dies.
    #[arg(long, default_value_t = 3)]
    workers: u32,
}

fn main() -> Result<()> {
    let Arguments { address, jobs, workers } = Arguments::parse();
    let (address, _private) = Server::at_or_start(address, Kind::RabbitMq)?;
    cotask::block_on(async {
        let connected = connect(address).await;
        let connection = connected.context("is RabbitMQ there? Without --address one is started")?;
        let channel = queue(&connection).await?;
        publish(&channel, jobs).await?;
        println!("{jobs} jobs are published, and the broker has confirmed each");

        let open = Rc::new(Open { jobs: Cell::new(jobs), none: Notify::new() });
        let mut tasks = JoinSet::new();
        for number in 1..=workers {
            let dies_after = if number == 1 && workers > 1 { jobs / workers / 2 } else { jobs };
            tasks.spawn(work(number, address, dies_after, open.clone()));
        }
        open.none.notified().await;
        // Which tells the workers that there will be no more.
        channel.queue_delete(QUEUE.into(), Default::default()).await?;
        while let Some(report) = tasks.join_next().await {
            println!("{}", report??);
        }
        drop(channel);
        end(connection).await
    })
}

/// What is not done yet.
struct Open {
    jobs: Cell<u32>,
    none: Notify,
}

/// Does jobs until there are no more, or until so many are done; then it dies.
async fn work(number: u32, address: SocketAddr, dies_after: u32, open: Rc<Open>) -> Result<String> {
    let connection = connect(address).await?;
    let mut jobs = worker(&connection, &format!("worker {number}"), 10).await?;
    let (mut done, mut again) = (0, 0);
    while let Some(delivery) = jobs.next().await {
        let delivery = delivery?;
        if done == dies_after {
            return Ok(format!("worker {number} has done {done} jobs, and dies with others in hand"));
        }
        again += u32::from(delivery.redelivered);
        done_with(delivery).await?;
        done += 1;
        open.jobs.set(open.jobs.get() - 1);
        if open.jobs.get() == 0 {
            open.none.notify_one();
        }
    }
    drop(jobs);
    end(connection).await?;
    Ok(format!("worker {number} has done {done} jobs, {again} of which another had before"))
}
