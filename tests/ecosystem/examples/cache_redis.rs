//! Redis on cotask: many tasks share one connection.
//!
//! ```console
//! $ cargo run --release -p ecosystem --example cache_redis
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use ecosystem::on_cotask::cache::{connect, forget, many};
use ecosystem::servers::{Kind, Server};

/// Writes and reads numbers in Redis: one task alone, then many that share its connection.
///
/// The keys begin with `cotask/`, and are deleted at the end.
#[derive(Parser)]
#[command(name = "cache_redis")]
struct Arguments {
    /// Where Redis listens. Without this, a private server is started, if installed, and ended again.
    #[arg(long, value_name = "IP:PORT")]
    address: Option<SocketAddr>,

    /// How many tasks share the connection.
    #[arg(long, default_value_t = 50)]
    tasks: i64,

    /// How many numbers each writes and reads.
    #[arg(long, default_value_t = 200)]
    numbers: i64,
}

fn main() -> Result<()> {
    let Arguments { address, tasks, numbers } = Arguments::parse();
    let (address, _private) = Server::at_or_start(address, Kind::Redis)?;
    cotask::block_on(async {
        let (redis, _) =
            connect(address).await.context("is Redis there? Without --address one is started")?;
        for (tasks, numbers) in [(1, tasks * numbers), (tasks, numbers)] {
            let start = Instant::now();
            let sum = many(&redis, tasks, numbers).await?;
            let (calls, time) = (2 * tasks * numbers, start.elapsed());
            println!("{calls} calls by {tasks} tasks over one connection: {time:.0?}, the sum {sum}");
            forget(&redis, tasks, numbers).await?;
        }
        Ok(())
    })
}
