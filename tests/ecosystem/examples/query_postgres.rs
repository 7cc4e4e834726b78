//! PostgreSQL on cotask: queries one after the other, and all at once on the same connection.
//!
//! ```console
//! $ cargo run --release -p ecosystem --example query_postgres
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use ecosystem::on_cotask::database::{connect, cotask, many};
use ecosystem::servers::{Kind, Server};

/// Sends PostgreSQL the same query many times: each after the answer to the one before, then all at once.
///
/// Nothing is written to the database.
#[derive(Parser)]
#[command(name = "query_postgres")]
struct Arguments {
    /// Where PostgreSQL listens. Without this, a private server is started, if installed, and ended again.
    #[arg(long, value_name = "IP:PORT")]
    address: Option<SocketAddr>,

    /// The user to log in as.
    #[arg(long, default_value = "cotask")]
    user: String,

    /// The user's password, if the server asks for one.
    #[arg(long, default_value = "")]
    password: String,

    /// How many queries.
    #[arg(long, default_value_t = 2_000)]
    queries: i32,
}

fn main() -> Result<()> {
    let Arguments { address, user, password, queries } = Arguments::parse();
    let (address, _private) = Server::at_or_start(address, Kind::PostgreSql)?;
    let mut config = cotask();
    config.user(user).password(password);
    cotask::block_on(async {
        let connected = connect(address, &config).await;
        let (client, _) = connected.context("does PostgreSQL let us in? Without --address one is started")?;
        println!("PostgreSQL {}", client.query_one("SHOW server_version", &[]).await?.get::<_, String>(0));

        let statement = client.prepare("SELECT $1::integer * 2").await?;
        let (start, mut sum) = (Instant::now(), 0);
        for number in 0..queries {
            sum += i64::from(client.query_one(&statement, &[&number]).await?.get::<_, i32>(0));
        }
        println!("{queries} queries one after the other: {:.0?}, the sum {sum}", start.elapsed());
        let start = Instant::now();
        let sum = many(&client, queries).await?;
        println!("{queries} queries at once on that connection: {:.0?}, the sum {sum}", start.elapsed());
        Ok(())
    })
}
