//! First light: an echo server and three clients in one program, on one thread.
//!
//! `cargo run --release --example hello`

use std::io;
use std::net::SocketAddr;

use cotask::net::{TcpListener, TcpStream};
use futures::{AsyncReadExt, AsyncWriteExt};

fn main() -> io::Result<()> {
    // An `async fn` does nothing when it is called: it returns a future, a value that can be asked "are you ready
    // yet?". `block_on` asks, and while the answer is no, this thread runs other tasks or sleeps.
    cotask::block_on(program())
}

async fn program() -> io::Result<()> {
    // Port 0: the system picks one that is free. `.await` is where a task may stop and let the others go on.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("server: listening at {address}");

    // `spawn` makes a task of a future: it runs beside this one, taking turns with it on the same thread.
    let server = cotask::spawn(serve(listener));
    let clients = ["Ada", "Grace", "Barbara"].map(|name| cotask::spawn(greet(address, name)));

    // A task's handle is a future as well, of what the task returns. The outer `?` would report a panic.
    for client in clients {
        println!("main:   heard {:?}", client.await.map_err(io::Error::other)??);
    }
    // The server never ends by itself. An aborted task is dropped where it awaits, and its sockets with it.
    server.abort();
    Ok(())
}

async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, peer) = listener.accept().await?;
        // A task for each connection: while one waits for its peer, the others are served.
        cotask::spawn(async move {
            println!("server: {peer} is here");
            // Reads from the stream and writes the same to the stream, until the peer ends its side.
            futures::io::copy(&stream, &mut &stream).await
        });
    }
}

async fn greet(address: SocketAddr, name: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("Hello, {name}!").as_bytes()).await?;
    stream.close().await?;
    let mut echo = String::new();
    stream.read_to_string(&mut echo).await?;
    Ok(echo)
}
