//! Connections that end, in one direction or both, by either side.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::rc::Rc;

use cotask::net::{TcpStream, UnixStream};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::support::{run, tcp_pair};

/// The client has said all, and still hears all.
#[test]
fn half_closed_by_the_client() -> io::Result<()> {
    run(async {
        let (mut client, mut server) = tcp_pair().await?;
        let serving = cotask::spawn(async move {
            let mut question = Vec::new();
            server.read_to_end(&mut question).await?;
            for _ in 0..3 {
                cotask::yield_now().await;
                server.write_all(&question).await?;
            }
            io::Result::Ok(())
        });
        client.write_all(b"well?").await?;
        client.close().await?;
        assert_eq!(client.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await?;
        assert_eq!(answer, "well?well?well?");
        serving.await.expect("the server does not panic")
    })
}

/// The server has said all, and still hears all.
#[test]
fn half_closed_by_the_server() -> io::Result<()> {
    run(async {
        let (mut client, mut server) = tcp_pair().await?;
        server.write_all(b"go on").await?;
        server.shutdown(Shutdown::Write)?;
        let mut heard = String::new();
        client.read_to_string(&mut heard).await?;
        assert_eq!(heard, "go on");
        client.write_all(b"and on").await?;
        drop(client);
        let mut rest = String::new();
        server.read_to_string(&mut rest).await?;
        assert_eq!(rest, "and on");
        Ok(())
    })
}

/// A peer that only reads and hangs up, while we only write, must not spin us nor be taken for "both closed".
#[test]
fn the_peers_end_does_not_stop_our_writing() -> io::Result<()> {
    run(async {
        let (client, mut server) = tcp_pair().await?;
        client.shutdown(Shutdown::Write)?;
        let mut polls = 0;
        let counted = async {
            let mut write = std::pin::pin!(server.write_all(&[7; 8 << 20]));
            futures::future::poll_fn(|cx| {
                polls += 1;
                write.as_mut().poll(cx)
            })
            .await
        };
        let mut taken = vec![0; 8 << 20];
        let (written, read) =
            futures::future::join(counted, async { (&client).read_exact(&mut taken).await }).await;
        written.and(read)?;
        // Each poll of `join` is one of both: as many as there were wakes. A spin would make millions.
        assert!(polls < 100_000, "{polls} polls for 8 MiB");
        Ok(())
    })
}

/// Shutting a direction down wakes our own task that waits for it.
#[test]
fn a_shutdown_wakes_who_waits_here() -> io::Result<()> {
    run(async {
        let (client, server) = tcp_pair().await?;
        let client = Rc::new(client);
        let reading = cotask::spawn({
            let client = Rc::clone(&client);
            async move { (&*client).read(&mut [0; 1]).await }
        });
        let writing = cotask::spawn({
            let client = Rc::clone(&client);
            async move {
                loop {
                    if let Err(error) = (&*client).write(&[0; 65_536]).await {
                        return error.kind();
                    }
                }
            }
        });
        // One byte is there, so the writer has begun; that it waits is not needed, only usual.
        (&server).read_exact(&mut [0; 1]).await?;
        client.shutdown(Shutdown::Both)?;
        assert_eq!(reading.await.expect("the reader does not panic")?, 0);
        assert_eq!(writing.await.expect("the writer does not panic"), ErrorKind::BrokenPipe);
        Ok(())
    })
}

#[test]
fn a_unix_shutdown_wakes_who_waits_here() -> io::Result<()> {
    run(async {
        let (here, _there) = UnixStream::pair()?;
        let here = Rc::new(here);
        let reading = cotask::spawn({
            let here = Rc::clone(&here);
            async move { (&*here).read(&mut [0; 1]).await }
        });
        cotask::yield_now().await;
        here.shutdown(Shutdown::Read)?;
        assert_eq!(reading.await.expect("the reader does not panic")?, 0);
        Ok(())
    })
}

#[test]
fn closing_twice_is_no_error() -> io::Result<()> {
    run(async {
        let (mut client, server): (TcpStream, _) = tcp_pair().await?;
        client.close().await?;
        client.close().await?;
        drop(server);
        assert_eq!(client.read(&mut [0; 1]).await?, 0);
        client.close().await
    })
}
