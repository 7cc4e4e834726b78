//! hyper over TLS on cotask, with a certificate made on the spot.
//!
//! ```console
//! $ cargo run --release -p ecosystem --example hello_https
//! $ curl --insecure https://127.0.0.1:8443/hello
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use anyhow::Result;
use clap::Parser;
use cotask::net::TcpListener;
use ecosystem::on_cotask::tls::{Identity, serve};
use ecosystem::on_cotask::{printed, until_ctrl_c};

/// Serves what `hello_http` does, over TLS and by HTTP/2 or HTTP/1.1 as the client prefers, until Ctrl-C.
#[derive(Parser)]
#[command(name = "hello_https")]
struct Arguments {
    /// Where to listen; port 0 lets the system choose one.
    #[arg(long, default_value = "127.0.0.1:8443")]
    address: String,

    /// End after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    cotask::block_on(async {
        let listener = TcpListener::bind(&*arguments.address).await?;
        println!("https://{}/ is served until Ctrl-C, self-signed", listener.local_addr()?);
        let told = printed();
        let server = cotask::spawn(serve(listener, Identity::new()?, told));
        until_ctrl_c(arguments.seconds).await;
        if server.is_finished() {
            return server.await?;
        }
        Ok(())
    })
}
