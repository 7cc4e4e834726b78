//! hyper on cotask: a page for a browser.
//!
//! ```console
//! $ cargo run --release -p ecosystem --no-default-features --example hello_http
//! ```
//!
//! Without the default features the crates of the other guests are not built.

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use std::pin::pin;

use anyhow::Result;
use clap::Parser;
use ecosystem::on_cotask::http::{Gate, PAGE, Server, Version, answer};
use ecosystem::on_cotask::{ctrl_c_again, printed, until_ctrl_c};
use futures::channel::oneshot;
use futures::future::{Either, select};
use hyper::service::service_fn;

/// Serves a page, a greeting at /hello, a slow body at /count/N and an echo at /echo, until Ctrl-C.
///
/// Requests under way at that moment are still answered, for ten seconds at most; a second Ctrl-C ends that.
#[derive(Parser)]
#[command(name = "hello_http")]
struct Arguments {
    /// Where to listen; port 0 lets the system choose one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: String,

    /// Speak HTTP/2 by prior knowledge, as `curl --http2-prior-knowledge` and h2load do, and browsers do not.
    #[arg(long)]
    http2: bool,

    /// End after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    cotask::block_on(async {
        let version = if arguments.http2 { Version::Http2 } else { Version::Http1 };
        let mut server = Server::bind(&arguments.address, version).await?;
        println!("http://{}/ serves a page of {} bytes until Ctrl-C", server.address()?, PAGE.len());

        let told = printed();
        let stop = until_ctrl_c(arguments.seconds);
        let service = service_fn(|request| answer(request, Gate::default()));
        let (ending, ends) = oneshot::channel();
        server.ending = Some(ending);
        let again = ctrl_c_again(ends, server.grace);
        match select(pin!(server.serve(service, stop, told)), pin!(again)).await {
            Either::Left((served, _)) => {
                // Lets the printing task print the last errors before this line.
                cotask::yield_now().await;
                println!("{served} connections served");
            }
            Either::Right(_) => std::process::exit(130),
        }
        Ok(())
    })
}
