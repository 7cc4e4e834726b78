//! What the tests of this folder share.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use cotask::net::{TcpListener, TcpStream};
use rustix::event::{PollFd, PollFlags, poll};

/// Runs `future` on a runtime of its own. A test that has hung says so, instead of hanging the whole run.
#[track_caller]
pub fn run<T>(future: impl Future<Output = T>) -> T {
    const LONG: Duration = Duration::from_secs(60);
    match cotask::block_on(async { cotask::time::timeout(LONG, future).await }) {
        Ok(output) => output,
        Err(_) => panic!("nothing has come of it in {LONG:?}: a wake is lost"),
    }
}

/// Both ends of a connection, on the current runtime.
pub async fn tcp_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    Ok((client, server))
}

/// An end on the current runtime, and one of the standard library that blocks.
pub fn half_std_pair() -> io::Result<(TcpStream, std::net::TcpStream)> {
    let (ours, theirs) = std_pair()?;
    Ok((TcpStream::from_std(ours)?, theirs))
}

pub fn std_pair() -> io::Result<(std::net::TcpStream, std::net::TcpStream)> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let client = std::net::TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    Ok((client, server))
}

/// Blocks the thread, reactor and all, until the system shows all of `flags` for the socket. What was sent
/// over loopback is then known to have arrived, and the reactor has seen nothing of it yet.
#[track_caller]
pub fn arrived(socket: &impl AsFd, flags: PollFlags) {
    loop {
        let mut sockets = [PollFd::new(socket, flags)];
        poll(&mut sockets, None).expect("poll(2)");
        if sockets[0].revents().contains(flags) {
            return;
        }
        // One of the flags is there, and makes poll(2) return at once until the others are.
        std::thread::yield_now();
    }
}

/// Has the runtime look outside once, whatever else is ready: at sockets, timers and mail.
pub async fn turn() {
    const POLLS_A_TURN: usize = 61;
    for _ in 0..=POLLS_A_TURN {
        cotask::yield_now().await;
    }
}
