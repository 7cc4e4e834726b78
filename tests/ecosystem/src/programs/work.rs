//! Jobs through RabbitMQ: published and confirmed, worked off and acknowledged, and given to another when a worker dies.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use futures::future::try_join_all;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};

use super::host::{TcpStream, async_rs_runtime, spawn, spawn_blocking};

/// The queue of the jobs, which is deleted at the end.
pub const QUEUE: &str = "cotask-jobs";

/// Connects as the user `guest`, which every broker knows. Each side sends a heartbeat per second: when none comes,
/// the connection counts as lost.
///
/// # Errors
/// When there is no broker, or it does not let us in.
pub async fn connect(address: SocketAddr) -> Result<Connection> {
    // Checks that a broker listens: where lapin 4.12 cannot connect, it leaves a task behind forever.
    drop(TcpStream::connect(address).await?);
    let uri = format!("amqp://guest:guest@{address}/%2f?heartbeat=1");
    Ok(Connection::connect_with_runtime(&uri, ConnectionProperties::default(), async_rs_runtime()).await?)
}

/// Ends a connection and waits until lapin's thread has ended as well.
///
/// # Errors
/// Why the connection had ended before.
pub async fn end(connection: Connection) -> Result<()> {
    Ok(spawn_blocking(move || connection.run()).await??)
}

/// Returns a channel on which the broker confirms each message, and makes the queue anew, empty.
///
/// # Errors
/// When the broker refuses.
pub async fn queue(connection: &Connection, name: &str) -> Result<Channel> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    channel.queue_delete(name.into(), QueueDeleteOptions::default()).await?;
    channel.queue_declare(name.into(), QueueDeclareOptions::default(), FieldTable::default()).await?;
    Ok(channel)
}

/// Publishes so many jobs, one after the other, and then waits until the broker has confirmed each.
///
/// # Errors
/// When the connection ends before, or a job is refused.
pub async fn publish(channel: &Channel, jobs: u32) -> Result<()> {
    let mut confirms = Vec::new();
    for job in 0..jobs {
        let options = BasicPublishOptions::default();
        let job = job.to_be_bytes();
        confirms.push(
            channel.basic_publish("".into(), QUEUE.into(), options, &job, BasicProperties::default()).await?,
        );
    }
    for confirmation in try_join_all(confirms).await? {
        ensure!(confirmation.is_ack(), "refused: {confirmation:?}");
    }
    Ok(())
}

/// Returns a worker that has at most `at_a_time` unacknowledged jobs.
///
/// # Errors
/// When the broker refuses.
pub async fn worker(connection: &Connection, name: &str, at_a_time: u16) -> Result<Consumer> {
    consumer(&connection.create_channel().await?, QUEUE, name, at_a_time).await
}

/// Returns a consumer of a queue that has at most `at_a_time` unacknowledged messages.
///
/// # Errors
/// When the broker refuses.
pub async fn consumer(channel: &Channel, queue: &str, name: &str, at_a_time: u16) -> Result<Consumer> {
    channel.basic_qos(at_a_time, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    Ok(channel.basic_consume(queue.into(), name.into(), options, FieldTable::default()).await?)
}

/// Waits for the next job and returns it.
///
/// # Errors
/// When the connection has ended.
pub async fn next(worker: &mut Consumer) -> Result<(u32, Delivery)> {
    let delivery = worker.next().await.context("the queue is gone")??;
    Ok((job(&delivery)?, delivery))
}

/// Returns the number of a job.
///
/// # Errors
/// When the message is not a job.
pub fn job(delivery: &Delivery) -> Result<u32> {
    Ok(u32::from_be_bytes(delivery.data.as_slice().try_into().context("that is no job")?))
}

/// Acknowledges a job, which the broker may then forget.
///
/// # Errors
/// When the connection has ended: then the broker delivers the job to another worker.
pub async fn done_with(delivery: Delivery) -> Result<()> {
    // lapin returns `false`, not an error, if no broker could receive it.
    ensure!(delivery.ack(BasicAckOptions::default()).await?, "no broker received the acknowledgement");
    Ok(())
}

/// Hands jobs to two workers, of which the first dies with ten in hand. Returns the outcomes.
///
/// # Errors
/// When a call fails that should not.
pub async fn tour(address: SocketAddr) -> Result<Vec<String>> {
    let mut told = Vec::new();
    let connection = connect(address).await?;
    let channel = queue(&connection, QUEUE).await?;
    publish(&channel, 100).await?;
    told.push("100 jobs are published and confirmed".to_owned());

    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let nowhere =
        channel.basic_publish("".into(), "nowhere".into(), options, b"?", BasicProperties::default());
    let returned =
        nowhere.await?.await?.take_message().context("there is no such queue, and yet it was taken")?;
    told.push(format!("to nowhere: {} {}", returned.reply_code, returned.reply_text));

    let first = connect(address).await?;
    let mut dying = worker(&first, "first", 10).await?;
    let mut done = Vec::new();
    for taken in 0..40 {
        let (job, delivery) = next(&mut dying).await?;
        if taken < 30 {
            done_with(delivery).await?;
            done.push(job);
        }
    }
    // It has ten jobs that it has not acknowledged.
    drop(dying);
    end(first).await?;
    told.push(format!("the first worker has done {}, and dies", done.len()));

    let mut second = worker(&connection, "second", 10).await?;
    let mut again = Vec::new();
    while done.len() < 100 {
        let (job, delivery) = next(&mut second).await?;
        if delivery.redelivered {
            again.push(job);
        }
        done_with(delivery).await?;
        done.push(job);
    }
    again.sort_unstable();
    told.push(format!("the second gets {again:?} again, and does the rest"));
    done.sort_unstable();
    ensure!(done.iter().copied().eq(0..100), "each job is done once: {done:?}");

    ensure!(channel.basic_get(QUEUE.into(), BasicGetOptions::default()).await?.is_none(), "nothing is left");
    let absent = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let other = connection.create_channel().await?;
    let refused = other.queue_declare("nowhere".into(), absent, FieldTable::default()).await;
    told.push(format!("asked for nowhere: {}", refused.err().context("there is no such queue")?));
    let left = channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    told.push(format!("{left} jobs are left"));
    drop((channel, other, second));
    end(connection).await?;
    Ok(told)
}

/// Ends the broker while some tasks publish jobs and one waits for a job. Returns how many failed.
///
/// # Errors
/// When the broker cannot be reached to begin with.
pub async fn orphaned(address: SocketAddr, end_broker: impl FnOnce()) -> Result<Vec<String>> {
    let connection = connect(address).await?;
    let channel = queue(&connection, QUEUE).await?;
    let mut idle = worker(&connection, "idle", 1).await?;
    publish(&channel, 1).await?;
    // The worker keeps the one job, and waits for another.
    let (_, kept) = next(&mut idle).await?;
    let waiting = spawn(async move { next(&mut idle).await.map(drop) });
    let publishing = (0..5).map(|_| {
        let channel = channel.clone();
        spawn(async move {
            loop {
                if let Err(error) = publish(&channel, 20).await {
                    return error;
                }
            }
        })
    });
    let publishing: Vec<_> = publishing.collect();
    publish(&channel, 1).await?;
    end_broker();
    let mut failed = 0;
    for publisher in publishing {
        // The text depends on what the publisher was doing.
        ensure!(publisher.await?.is::<lapin::Error>(), "an error of lapin's");
        failed += 1;
    }
    ensure!(waiting.await?.is_err(), "there was no job");
    ensure!(done_with(kept).await.is_err(), "no broker is there any more");
    ensure!(connect(address).await.is_err(), "no broker listens there any more");
    drop(channel);
    ensure!(end(connection).await.is_err(), "the connection reports why it has ended");
    Ok(vec![format!("{failed} publishers failed, and one worker that waited")])
}
