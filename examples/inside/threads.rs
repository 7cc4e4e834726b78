//! What runs on other threads: blocking jobs, other cores, and signals, which come from outside of any thread.

use std::io::Read;
use std::net::TcpStream as Client;
use std::num::NonZeroUsize;
use std::thread;

use anyhow::{Context, Result};
use cotask::cores::serve;
use cotask::net::TcpStream;
use cotask::sync::oneshot;
use futures::AsyncWriteExt;

fn thread_name() -> String {
    thread::current().name().unwrap_or("a thread without a name").to_string()
}

// ANCHOR: blocking
pub(crate) async fn blocking() -> Result<()> {
    println!("the task runs on {}", thread_name());
    println!("the job ran on {}", cotask::spawn_blocking(thread_name).await?);

    // Its panic reaches the task that awaits it; the message would only be in the way.
    std::panic::set_hook(Box::new(|_| ()));
    let failed = cotask::spawn_blocking(|| panic!("no such photo")).await;
    println!("a job that panics: {failed:?}");

    let (sender, done) = oneshot::channel();
    drop(cotask::spawn_blocking(move || sender.send("it ran all the same")));
    println!("a job whose future was dropped: {}", done.await?);
    Ok(())
}
// ANCHOR_END: blocking

// ANCHOR: cores
pub(crate) fn cores() -> Result<()> {
    let two = NonZeroUsize::new(2).context("two is not zero")?;
    let server = serve("127.0.0.1:0", two, async |mut stream: TcpStream| {
        // If the client has gone, the error concerns no other task.
        let _ = stream.write_all(thread_name().as_bytes()).await;
    })?;
    for connection in 1..=4 {
        let mut answer = String::new();
        Client::connect(server.local_addr())?.read_to_string(&mut answer)?;
        println!("connection {connection} was served on {answer}");
    }
    server.stop()?;
    Ok(())
}
// ANCHOR_END: cores

#[cfg(unix)]
// ANCHOR: signal
pub(crate) async fn signal() -> Result<()> {
    use cotask::signal::unix::{SignalKind, signal};
    use nix::sys::signal::{Signal, raise};

    let mut usr1 = signal(SignalKind::user_defined1())?;
    raise(Signal::SIGUSR1)?;
    println!("the signal has come, and no task waits for it yet");
    usr1.recv().await?;
    println!("it was heard all the same");
    Ok(())
}
// ANCHOR_END: signal

#[cfg(not(unix))]
pub(crate) async fn signal() -> Result<()> {
    anyhow::bail!("there are no Unix signals here")
}
