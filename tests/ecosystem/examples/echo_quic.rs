//! QUIC on cotask: many requests at once, each on a stream of its own, on connections that share one UDP socket.
//!
//! ```console
//! $ cargo run --release -p ecosystem --example echo_quic
//! $ cargo run --release -p ecosystem --example echo_quic -- --connections 1 --streams 1 --bytes 8388608
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use ecosystem::on_cotask::quic::{ask, client, serve, server, trusting};
use ecosystem::on_cotask::tls::Identity;
use ecosystem::on_cotask::{printed, until_ctrl_c};
use futures::future::{Either, join_all, select, try_join_all};

/// Serves an echo over QUIC and sends it many requests, all at once. Ctrl-C ends it early.
#[derive(Parser)]
#[command(name = "echo_quic")]
struct Arguments {
    /// Where to serve; port 0 lets the system choose one.
    #[arg(long, default_value = "127.0.0.1:0")]
    address: SocketAddr,

    /// How many connections the client makes, all through its one socket.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    connections: u32,

    /// How many requests are made at once on each connection.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1000))]
    streams: u32,

    /// How many bytes each request sends and receives back.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(..=64_000_000))]
    bytes: u32,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    cotask::block_on(async {
        match select(pin!(exchange(&arguments)), pin!(until_ctrl_c(None))).await {
            Either::Left((exchanged, _)) => exchanged,
            Either::Right(_) => Ok(()),
        }
    })
}

async fn exchange(arguments: &Arguments) -> Result<()> {
    let identity = Identity::new()?;
    let server = server(arguments.address, &identity)?;
    let address = server.local_addr()?;
    let serving = cotask::spawn(serve(server.clone(), printed()));
    let mut endpoint = client()?;
    endpoint.set_default_client_config(trusting(identity.trust)?);

    let start = Instant::now();
    let connections = (0..arguments.connections)
        .map(async |_| anyhow::Ok(endpoint.connect(address, "localhost")?.await.context("the handshake")?));
    let connections = try_join_all(connections).await?;
    println!(
        "{} connections from {} to {address}: {:.1?}",
        connections.len(),
        endpoint.local_addr()?,
        start.elapsed()
    );

    let start = Instant::now();
    let body = vec![b'x'; arguments.bytes as usize];
    let requests = connections.iter().flat_map(|connection| (0..arguments.streams).map(move |_| connection));
    let echoes = try_join_all(requests.map(|connection| ask(connection, "POST /echo", &body))).await?;
    ensure!(
        echoes.iter().all(|(number, echo)| *number == 200 && *echo == body),
        "an echo is not what was sent"
    );
    println!("{} requests of {} bytes, echoed: {:.1?}", echoes.len(), body.len(), start.elapsed());

    let sent = connections.iter().map(|connection| connection.stats().udp_tx);
    let (datagrams, calls) =
        sent.fold((0, 0), |(datagrams, calls), udp| (datagrams + udp.datagrams, calls + udp.ios));
    println!("the client sent {datagrams} datagrams in {calls} calls of the system");

    connections.iter().for_each(|connection| connection.close(0_u32.into(), b"done"));
    server.close(0_u32.into(), b"done");
    join_all([endpoint.wait_idle(), server.wait_idle()]).await;
    serving.await?;
    Ok(())
}
