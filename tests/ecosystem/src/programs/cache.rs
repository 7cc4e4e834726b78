//! Redis over one connection that many tasks share.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::future::{poll_immediate, try_join_all};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncCommands, AsyncConnectionConfig, FromRedisValue, ProtocolVersion, PushInfo, PushKind,
    RedisConnectionInfo, RedisError, cmd, pipe,
};

use super::host::{TcpStream, redis_io, spawn};

/// Connects. Each clone of the connection may be used by another task: requests go out at once, and the answers come
/// back in that order. What the server pushes unasked comes out of the receiver.
///
/// # Errors
/// When there is no server, or it is not Redis.
pub async fn connect(address: SocketAddr) -> Result<(MultiplexedConnection, UnboundedReceiver<PushInfo>)> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let info = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3);
    let (told, pushed) = unbounded();
    let config = AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_connection_timeout(None)
        .set_push_sender(move |push| told.unbounded_send(push));
    let (connection, driver) =
        MultiplexedConnection::new_with_config(&info, redis_io(stream), config).await?;
    // The driver ends when the last clone of the connection is gone.
    spawn(driver);
    Ok((connection, pushed))
}

/// The prefix of all keys here: the server may have others.
const OURS: &str = "cotask";

/// Writes and reads in many tasks, misuses a key, drops a call, and hears another connection. Returns the outcomes.
///
/// # Errors
/// When a call fails that should not.
pub async fn tour(address: SocketAddr) -> Result<Vec<String>> {
    let (mut redis, mut pushed) = connect(address).await?;
    let visits = format!("{OURS}/visits");
    let () = redis.del(&visits).await?;
    let mut told = Vec::new();

    told.push(format!("2000 calls of 50 tasks, the sum: {}", many(&redis, 50, 20).await?));

    // All or nothing, in one go.
    let (before, after): (i64, i64) =
        pipe().atomic().incr(&visits, 1).incr(&visits, 41).query_async(&mut redis).await?;
    told.push(format!("a transaction: {before}, then {after}"));

    let misused = redis.lpush::<_, _, ()>(&visits, "a list?").await;
    told.push(format!("misused: {}", words(&misused.err().context("a number is no list")?)));

    // The server answers even a call that was begun and dropped. The answer must not go to the next caller.
    let mut dropped = redis.clone();
    ensure!(poll_immediate(dropped.get::<_, String>(key(0, 0))).await.is_none(), "there is no answer yet");
    let next: i64 = redis.get(&visits).await?;
    told.push(format!("after a call that was dropped: {next}"));

    redis.subscribe("news").await?;
    let (mut other, _) = connect(address).await?;
    let heard_by: usize = other.publish("news", "the cache is warm").await?;
    let news = loop {
        let push = pushed.next().await.context("the connection has ended")?;
        if push.kind == PushKind::Message {
            // The data are the channel and the message.
            break String::from_redis_value(push.data.into_iter().nth(1).context("nothing was said")?)?;
        }
    };
    told.push(format!("{heard_by} heard {news:?}"));
    told.push(format!(
        "{} keys are gone again",
        forget(&redis, 50, 20).await? + redis.del::<_, usize>(&visits).await?
    ));
    Ok(told)
}

/// Each task writes numbers and reads them back, all over one connection. Returns the sum of what was read.
///
/// # Errors
/// When a call fails.
pub async fn many(redis: &MultiplexedConnection, tasks: i64, keys: i64) -> Result<i64> {
    let tasks = (0..tasks).map(|task| {
        let mut redis = redis.clone();
        spawn(async move {
            let mut sum = 0;
            for number in 0..keys {
                let () = redis.set(key(task, number), task * keys + number).await?;
                sum += redis.get::<_, i64>(key(task, number)).await?;
            }
            Ok::<i64, RedisError>(sum)
        })
    });
    let mut sum = 0;
    for task in try_join_all(tasks).await? {
        sum += task?;
    }
    Ok(sum)
}

fn key(task: i64, number: i64) -> String {
    format!("{OURS}/{task}/{number}")
}

/// Deletes what [`many`] has written, and returns the number of keys.
///
/// # Errors
/// When the call fails.
pub async fn forget(redis: &MultiplexedConnection, tasks: i64, keys: i64) -> Result<usize> {
    let all: Vec<String> =
        (0..tasks).flat_map(|task| (0..keys).map(move |number| key(task, number))).collect();
    Ok(redis.clone().del(all).await?)
}

/// Returns the server's code and message of an error, without the library's words.
fn words(error: &RedisError) -> String {
    format!("{}: {}", error.code().unwrap_or("no code"), error.detail().unwrap_or("no detail"))
}

/// Ends the server while calls wait for it. Returns how many calls failed.
///
/// # Errors
/// When the server cannot be reached to begin with.
pub async fn orphaned(address: SocketAddr, end: impl FnOnce()) -> Result<Vec<String>> {
    let (redis, _) = connect(address).await?;
    let (mut other, _) = connect(address).await?;
    let waiting = (0..20).map(|call| {
        let mut redis = redis.clone();
        // No client ever pushes: the first call blocks the connection, and the others wait behind it.
        spawn(async move { redis.blpop::<_, Option<String>>(format!("{OURS}/nobody/{call}"), 0.0).await })
    });
    let waiting: Vec<_> = waiting.collect();
    loop {
        let clients: String = cmd("INFO").arg("clients").query_async(&mut other).await?;
        if clients.contains("blocked_clients:1") {
            break;
        }
    }
    end();
    let mut failed = 0;
    for call in waiting {
        dropped(call.await?)?;
        failed += 1;
    }
    let mut late = redis.clone();
    dropped(late.get(key(0, 0)).await)?;
    ensure!(connect(address).await.is_err(), "no server listens there any more");
    Ok(vec![format!("{failed} calls failed, and one that came late")])
}

/// Checks that a call failed. The error depends on the driver: it may have read the end, or failed to write.
fn dropped(outcome: Result<Option<String>, RedisError>) -> Result<()> {
    let error = outcome.err().context("an answer without a server")?;
    ensure!(error.is_connection_dropped(), "failed with {error}");
    Ok(())
}
