//! A chat over WebSocket, for browsers: open the page in two windows.
//!
//! ```console
//! $ cargo run --release -p ecosystem --example chat_ws
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use std::convert::Infallible;
use std::pin::pin;

use anyhow::Result;
use clap::Parser;
use cotask::net::TcpListener;
use ecosystem::on_cotask::chat;
use ecosystem::on_cotask::http::{Server, Version};
use ecosystem::on_cotask::{ctrl_c_again, printed, until_ctrl_c};
use futures::channel::oneshot;
use futures::future::{Either, select};
use hyper::service::service_fn;

/// Serves a page with a chat in it until Ctrl-C. A message typed in one window appears in all others.
#[derive(Parser)]
#[command(name = "chat_ws")]
struct Arguments {
    /// Where to serve the page; port 0 lets the system choose one. The chat itself gets a port of its own.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: String,

    /// End after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    cotask::block_on(async {
        let mut server = Server::bind(&arguments.address, Version::Http1).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let room = listener.local_addr()?;
        println!("http://{}/ is the page of the chat at {room}, until Ctrl-C", server.address()?);

        let told = printed();
        cotask::spawn(chat::open(listener, told.clone()));
        let stop = until_ctrl_c(arguments.seconds);
        let page = service_fn(move |_| async move { Ok::<_, Infallible>(chat::page(room)) });
        let (ending, ends) = oneshot::channel();
        server.ending = Some(ending);
        let again = ctrl_c_again(ends, server.grace);
        if let Either::Right(_) = select(pin!(server.serve(page, stop, told)), pin!(again)).await {
            std::process::exit(130);
        }
        Ok(())
    })
}
