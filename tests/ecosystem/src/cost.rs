//! What a guest costs on each host: CPU time of a bounded load. `examples/cost.rs` compares.

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use rustix::time::{ClockId, clock_gettime};

use crate::servers::Kind;

/// Whose program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Guest {
    /// hyper: 50 tasks ask over one connection of HTTP/2. Client and server.
    Http2,
    /// axum: 16 connections of HTTP/1.1 ask for JSON. Client and server.
    Axum,
    /// async-tungstenite: 8 members of a chat hear what each says. Clients and server.
    Websocket,
    /// futures-rustls: 16 connections ask hyper over TLS. Client and server.
    Tls,
    /// quinn: 32 tasks ask over four connections. Client and server.
    Quic,
    /// redis: 50 tasks write and read over one connection. The client alone.
    Redis,
    /// tokio-postgres: 100 queries at once on one connection. The client alone.
    Postgres,
    /// lapin: jobs are published, confirmed, taken and acknowledged. The client alone.
    Rabbitmq,
}

impl Guest {
    /// Returns the server that the guest needs, if the program does not contain it.
    pub fn server(self) -> Option<Kind> {
        match self {
            Guest::Redis => Some(Kind::Redis),
            Guest::Postgres => Some(Kind::PostgreSql),
            Guest::Rabbitmq => Some(Kind::RabbitMq),
            _ => None,
        }
    }

    /// Returns what is counted.
    pub fn operation(self) -> &'static str {
        match self {
            Guest::Http2 | Guest::Axum | Guest::Tls | Guest::Quic => "a request",
            Guest::Websocket => "a message heard",
            Guest::Redis => "a call",
            Guest::Postgres => "a query",
            Guest::Rabbitmq => "a job",
        }
    }

    /// Returns how many operations take about half a second.
    pub fn operations(self) -> u64 {
        match self {
            Guest::Http2 | Guest::Axum | Guest::Tls | Guest::Postgres => 20_000,
            Guest::Websocket => 128_000,
            Guest::Quic => 16_000,
            Guest::Redis => 50_000,
            Guest::Rabbitmq => 8_000,
        }
    }
}

/// Runs `work` for so many operations, after a tenth of them to warm up. Returns the CPU time that this process used.
///
/// # Errors
/// Those of the work.
pub async fn measured(operations: u64, mut work: impl AsyncFnMut(u64) -> Result<()>) -> Result<Duration> {
    work(operations / 10).await?;
    let before = cpu_time();
    work(operations).await?;
    Ok(cpu_time() - before)
}

/// User and system time of every thread of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // The clock counts up from zero, so neither field is ever negative.
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
