//! The quote server: it knows every rate, and takes its time to tell.

use std::time::Duration;

use anyhow::Result;
use cotask::net::{TcpListener, TcpStream};
use cotask::time::sleep;
use futures::{AsyncReadExt, AsyncWriteExt};

use super::protocol::{Incoming, Pair, response};
use crate::common::{accept, block_on, duration, listen, peer};

/// How the server behaves.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Market {
    /// How long the server takes for an answer, at least
    #[arg(long, default_value = "50ms", value_parser = duration)]
    pub(super) latency: Duration,
    /// Up to how much longer it takes, depending on the pair
    #[arg(long, default_value = "20ms", value_parser = duration)]
    pub(super) jitter: Duration,
    /// What the rates and the jitter are made from
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

impl Market {
    /// The arguments that make another process of this program this server.
    pub(super) fn serve(&self) -> [String; 4] {
        let Market { latency, jitter, seed } = self;
        let [latency, jitter] = [latency, jitter].map(|time| humantime::format_duration(*time));
        [
            "serve".into(),
            format!("--latency={latency}"),
            format!("--jitter={jitter}"),
            format!("--seed={seed}"),
        ]
    }

    pub(super) fn price(&self, pair: Pair) -> u64 {
        1_000 + pair.number(self.seed) % 99_000
    }

    fn delay(&self, pair: Pair) -> Duration {
        let thousandths = (pair.number(!self.seed) % 1_001) as u32;
        self.latency + self.jitter * thousandths / 1_000
    }
}

/// Serves quotes on 127.0.0.1 for its `life`.
///
/// # Errors
///
/// When it cannot listen on `port`.
pub(super) fn serve(port: u16, market: Market, life: peer::Life) -> Result<()> {
    block_on(async {
        let listener = TcpListener::from_std(listen(port)?)?;
        peer::announce(listener.local_addr()?);
        peer::serve_for(life);
        serve_all(listener, market).await
    })
}

/// Serves for as long as it is polled.
pub(super) async fn serve_all(listener: TcpListener, market: Market) -> Result<()> {
    loop {
        let stream = accept(&listener).await;
        let market = market.clone();
        // A client that goes away, or talks nonsense, is no concern of the others.
        cotask::spawn(async move { answer(stream, &market).await.ok() });
    }
}

async fn answer(mut stream: TcpStream, market: &Market) -> Result<()> {
    let mut incoming = Incoming::new();
    let path = loop {
        let read = stream.read(incoming.room()).await?;
        if let Some(path) = incoming.path(read)? {
            break path;
        }
    };
    let pair = Pair::of_path(&path);
    if let Some(pair) = pair {
        sleep(market.delay(pair)).await;
    }
    stream.write_all(&response(pair.map(|pair| market.price(pair)))).await?;
    Ok(())
}
