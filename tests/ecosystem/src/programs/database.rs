//! PostgreSQL: prepared statements, transactions, many queries on their way at once, and one that is given up.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::future::{poll_immediate, try_join_all};
use futures::stream;
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, Error, NoTls, Notification};

use super::host::{TcpStream, postgres_io, spawn};

/// A query that takes longer than any caller waits.
const HOUR: &str = "SELECT pg_sleep(3600)";

/// Returns the default user and database.
pub fn cotask() -> Config {
    let mut config = Config::new();
    config.user("cotask").dbname("postgres");
    config
}

/// Connects. The notifications of other clients come out of the receiver.
///
/// # Errors
/// When there is no server, or it does not let us in.
pub async fn connect(
    address: SocketAddr,
    config: &Config,
) -> Result<(Client, UnboundedReceiver<Notification>)> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (client, mut connection) = config.connect_raw(postgres_io(stream), NoTls).await?;
    let (told, notified) = unbounded();
    // Ends when the client is dropped or the server ends. Then each query that waits fails.
    spawn(async move {
        let mut messages = stream::poll_fn(|cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message {
                // The receiver may have been dropped.
                let _ = told.unbounded_send(notification);
            }
        }
    });
    Ok((client, notified))
}

/// Makes a table, uses it in many ways, and cancels a query. Returns the outcomes.
///
/// # Errors
/// When a query fails that should not.
pub async fn tour(address: SocketAddr) -> Result<Vec<String>> {
    let (mut client, mut notified) = connect(address, &cotask()).await?;
    let mut told = Vec::new();
    // The server drops the table with the connection.
    client
        .batch_execute("CREATE TEMPORARY TABLE tasks (name text PRIMARY KEY, polls integer NOT NULL)")
        .await?;

    let insert = client.prepare("INSERT INTO tasks VALUES ($1, $2)").await?;
    told.push(format!("the statement takes {:?}", insert.params()));
    for (name, polls) in [("accept", 3), ("echo", 40), ("sleep", 2)] {
        client.execute(&insert, &[&name, &polls]).await?;
    }

    let transaction = client.transaction().await?;
    let changed = transaction.execute("UPDATE tasks SET polls = polls + 100", &[]).await?;
    let inside: i64 = transaction.query_one("SELECT sum(polls) FROM tasks", &[]).await?.get(0);
    transaction.rollback().await?;
    let outside: i64 = client.query_one("SELECT sum(polls) FROM tasks", &[]).await?.get(0);
    told.push(format!(
        "{changed} rows changed: {inside} polls in the transaction, {outside} after it was rolled back"
    ));

    let transaction = client.transaction().await?;
    transaction.execute(&insert, &[&"forgotten", &1]).await?;
    // Dropped in the middle, as when a task that holds one is aborted: it is rolled back as well.
    drop(transaction);
    let rows: i64 = client.query_one("SELECT count(*) FROM tasks", &[]).await?.get(0);
    told.push(format!("{rows} rows after one that was dropped"));

    told.push(format!("100 queries at once, the sum: {}", many(&client, 100).await?));

    let refused = client.execute(&insert, &[&"echo", &1]).await;
    told.push(format!("twice the same: {}", words(&refused.err().context("it is there already")?)));
    let refused = client.query("SELEKT 1", &[]).await;
    told.push(format!("no SQL: {}", words(&refused.err().context("that is no SQL")?)));

    client.batch_execute("LISTEN news").await?;
    let (other, _) = connect(address, &cotask()).await?;
    other.execute("SELECT pg_notify('news', 'the table is full')", &[]).await?;
    let news = notified.next().await.context("the connection has ended")?;
    told.push(format!("{}: {}", news.channel(), news.payload()));

    told.push(format!("given up: {}", given_up(&client, &other, address).await?));
    Ok(told)
}

/// Sends queries on one connection, each without waiting for the answers before it. Returns the sum of the answers.
///
/// # Errors
/// When one fails.
pub async fn many(client: &Client, count: i32) -> Result<i64> {
    let statement = client.prepare("SELECT $1::integer * 2").await?;
    let queries = (0..count).map(|number| {
        let statement = &statement;
        async move { client.query_one(statement, &[&number]).await.map(|row| i64::from(row.get::<_, i32>(0))) }
    });
    Ok(try_join_all(queries).await?.into_iter().sum())
}

/// Drops a query that would take an hour. This discards only its answer; the server works on until it is asked
/// to stop, over another connection.
async fn given_up(client: &Client, other: &Client, address: SocketAddr) -> Result<String> {
    // Prepared in advance: otherwise the first poll would only ask for the types.
    let hour = client.prepare(HOUR).await?;
    let next = client.prepare("SELECT 'the next is answered'").await?;
    let mut query = Box::pin(client.query_one(&hour, &[]));
    ensure!(poll_immediate(&mut query).await.is_none(), "an hour has not passed yet");
    until_asleep(other).await?;
    drop(query);
    // Behind the hour, in the same connection.
    let mut next = Box::pin(client.query_one(&next, &[]));
    ensure!(poll_immediate(&mut next).await.is_none(), "the server is still asleep");
    cancel(client.cancel_token(), address).await?;
    Ok(next.await?.get(0))
}

async fn cancel(token: CancelToken, address: SocketAddr) -> Result<()> {
    let stream = TcpStream::connect(address).await?;
    Ok(token.cancel_query_raw(postgres_io(stream), NoTls).await?)
}

/// Waits until the server has begun with the hour.
async fn until_asleep(client: &Client) -> Result<()> {
    let asleep =
        client.prepare("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = $1").await?;
    while client.query_one(&asleep, &[&HOUR]).await?.get::<_, i64>(0) == 0 {}
    Ok(())
}

/// Returns the server's code and message, if the error is the server's.
fn words(error: &Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} {}", error.code().code(), error.message()),
        None => error.to_string(),
    }
}

/// Ends the server while queries wait on two connections. Returns how each failed.
///
/// # Errors
/// When the server cannot be reached to begin with.
pub async fn orphaned(address: SocketAddr, end: impl FnOnce()) -> Result<Vec<String>> {
    let (client, _) = connect(address, &cotask()).await?;
    let (other, _) = connect(address, &cotask()).await?;
    let (hour, two) = (client.prepare(HOUR).await?, client.prepare("SELECT 2").await?);
    let mut first = Box::pin(client.query_one(&hour, &[]));
    let mut second = Box::pin(client.query_one(&two, &[]));
    ensure!(
        poll_immediate(&mut first).await.is_none() && poll_immediate(&mut second).await.is_none(),
        "both wait"
    );
    until_asleep(&other).await?;
    end();
    let mut told = Vec::new();
    for failed in [first.await, second.await, other.query_one("SELECT 3", &[]).await] {
        told.push(words(&failed.err().context("an answer without a server")?));
    }
    ensure!(connect(address, &cotask()).await.is_err(), "no server listens there any more");
    Ok(told)
}
