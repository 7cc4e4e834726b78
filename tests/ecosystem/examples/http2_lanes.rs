//! Three requests at once on one connection of HTTP/2, server and client on one runtime: what hyper spawns.
//!
//! ```console
//! $ cargo run -p ecosystem --example http2_lanes -- --trace target/http2.jsonl
//! $ cargo run --release --example timeline -- http2.jsonl
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;
#[path = "../../../examples/common/trace_lines.rs"]
mod trace_lines;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use clap::Parser;
use cotask::net::TcpStream;
use cotask::trace::Event;
use cotask::{Builder, spawn_named};
use ecosystem::adapters::hyper::{Executor, Io};
use ecosystem::on_cotask::http::{Gate, Server, Version, answer};
use ecosystem::on_cotask::printed;
use futures::channel::oneshot;
use futures::future::try_join_all;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http2;
use hyper::service::service_fn;

/// Sends a server three requests at once over one HTTP/2 connection, and prints how many tasks there were.
#[derive(Parser)]
#[command(name = "http2_lanes")]
struct Arguments {
    /// Write what the runtime did as lines of JSON, for the example `timeline`.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = Builder::new().trace(100_000).name("http2").build()?;
    let exchanged = runtime.block_on(exchange());
    let trace = runtime.take_trace();
    let spawned = trace.records.iter().filter_map(|record| match record.event {
        Event::Spawned { source, .. } => Some(source.file().ends_with("adapters/hyper.rs")),
        _ => None,
    });
    let hypers = spawned.clone().filter(|by_hyper| *by_hyper).count();
    println!("tasks: {}, of which hyper had {hypers} spawned", spawned.count());
    if let Some(file) = arguments.trace {
        trace_lines::write(&trace, &file).with_context(|| format!("--trace {}", file.display()))?;
    }
    exchanged
}

// ANCHOR: exchange
async fn exchange() -> Result<()> {
    let server = Server::bind("127.0.0.1:0", Version::Http2).await?;
    let address = server.address()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let service = service_fn(|request| answer(request, Gate::default()));
    let server = spawn_named("server", server.serve(service, stopped, printed()));

    let stream = TcpStream::connect(address).await?;
    let (client, connection) = http2::handshake(Executor, Io(stream)).await?;
    let connection = spawn_named("client", connection);
    let answers = ["hello", "count/2", "count/3"].map(|page| {
        let mut client = client.clone();
        async move {
            let request = Request::get(format!("http://{address}/{page}")).body(Empty::<Bytes>::new())?;
            let body = client.send_request(request).await?.into_body().collect().await?;
            anyhow::Ok(body.to_bytes().len())
        }
    });
    let lengths = try_join_all(answers).await?;
    println!("three answers on one connection: {lengths:?} bytes");

    drop((client, stop));
    connection.await??;
    ensure!(server.await? == 1, "there was one connection");
    Ok(())
}
// ANCHOR_END: exchange
