//! hyper on cotask: a page for a browser.
//!
//! ```console
//! $ cargo run --release -p ecosystem --example hello_http
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use anyhow::Result;
use clap::Parser;
use ecosystem::on_cotask::http::{Gate, PAGE, Server, Version, answer};
use ecosystem::on_cotask::{printed, until_ctrl_c};
use hyper::service::service_fn;

/// Serves a page, a greeting at /hello, a slow body at /count/N and an echo at /echo, until Ctrl-C.
///
/// Requests that are under way then are still answered.
#[derive(Parser)]
#[command(name = "hello_http")]
struct Arguments {
    /// Where to listen; port 0 lets the system choose one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: String,

    /// Speak HTTP/2 by prior knowledge, as `curl --http2-prior-knowledge` and h2load do, and browsers do not.
    #[arg(long)]
    http2: bool,

    /// End after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    cotask::block_on(async {
        let version = if arguments.http2 { Version::Http2 } else { Version::Http1 };
        let server = Server::bind(&arguments.address, version).await?;
        println!("http://{}/ serves a page of {} bytes until Ctrl-C", server.address()?, PAGE.len());

        let told = printed();
        let stop = until_ctrl_c(arguments.seconds);
        let service = service_fn(|request| answer(request, Gate::default()));
        let served = server.serve(service, stop, told).await;
        println!("{served} connections served");
        Ok(())
    })
}
