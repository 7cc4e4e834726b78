//! The database: it knows everything, on another machine, some way away.

use std::time::Duration;

use anyhow::{Context, Result};
use cotask::net::{TcpListener, TcpStream};
use cotask::time::sleep;
use futures::io::BufReader;
use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use super::protocol::Query;
use crate::common::{accept, block_on, duration, listen, peer};

/// How fast the database is.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Speed {
    /// How long a query takes
    #[arg(long, default_value = "5ms", value_parser = duration)]
    pub(super) latency: Duration,
    /// How long a slow query for an advertisement takes
    #[arg(long, default_value = "500ms", value_parser = duration)]
    pub(super) slow: Duration,
    /// How many of a hundred queries for an advertisement are slow
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=100))]
    pub(super) slow_percent: u64,
}

impl Speed {
    /// The arguments that make another process of this program this database.
    pub(super) fn arguments(&self) -> [String; 4] {
        let Speed { latency, slow, slow_percent } = self;
        let [latency, slow] = [latency, slow].map(|time| humantime::format_duration(*time));
        let percent = format!("--slow-percent={slow_percent}");
        ["database".into(), format!("--latency={latency}"), format!("--slow={slow}"), percent]
    }

    fn of(&self, query: Query, key: u64) -> Duration {
        let slow = query == Query::Ad && key % 100 < self.slow_percent;
        if slow { self.slow } else { self.latency }
    }
}

/// Answers queries on 127.0.0.1 for its `life`.
///
/// # Errors
///
/// When it cannot listen.
pub(super) fn serve(speed: Speed, life: peer::Life) -> Result<()> {
    block_on(async {
        let listener = TcpListener::from_std(listen(0)?)?;
        peer::announce(listener.local_addr()?);
        peer::serve_for(life);
        serve_all(listener, speed).await
    })
}

/// Serves for as long as it is polled.
pub(super) async fn serve_all(listener: TcpListener, speed: Speed) -> Result<()> {
    loop {
        let stream = accept(&listener).await;
        let speed = speed.clone();
        // A client that goes away, or talks nonsense, is no concern of the others.
        cotask::spawn(async move { answer(stream, &speed).await.ok() });
    }
}

/// Answers one query; each has a connection of its own.
async fn answer(stream: TcpStream, speed: &Speed) -> Result<()> {
    let mut line = String::new();
    BufReader::new((&stream).take(64)).read_line(&mut line).await?;
    let (query, key) = Query::of_line(&line).with_context(|| format!("'{line}' is no query"))?;
    sleep(speed.of(query, key)).await;
    (&stream).write_all(format!("{}\n", query.answer(key)).as_bytes()).await?;
    Ok(())
}
