//! Sockets made by the standard library and taken over; and edges that report more than one thing.

use std::io::{self, Write};
use std::task::Poll;

use cotask::net::{TcpListener, UdpSocket, UnixDatagram, UnixStream};
use futures::future::LocalBoxFuture;
use futures::{AsyncReadExt, FutureExt};

use crate::support::{half_std_pair, run};

/// One edge reports all the bytes: a task that reads them one by one must not wait for another.
#[test]
fn one_edge_many_reads() -> io::Result<()> {
    run(async {
        let (mut reader, mut writer) = half_std_pair()?;
        assert_eq!(reader.try_read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        writer.write_all(b"one by one")?;
        for expected in b"one by one" {
            let mut byte = [0; 1];
            assert_eq!(reader.read(&mut byte).await?, 1);
            assert_eq!(byte, [*expected]);
        }
        Ok(())
    })
}

/// One edge reports all connections that arrive.
#[test]
fn one_edge_many_connections() -> io::Result<()> {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let none = futures::future::poll_fn(|cx| Poll::Ready(listener.poll_accept(cx).is_pending()));
        assert!(none.await);
        let address = listener.local_addr()?;
        let clients: Vec<_> =
            (0..20).map(|_| std::net::TcpStream::connect(address)).collect::<io::Result<_>>()?;
        for client in &clients {
            let (_, from) = listener.accept().await?;
            assert_eq!(from, client.local_addr()?);
        }
        Ok(())
    })
}

/// What the standard library has made blocks, until it is taken over: one that still did would stop the thread.
#[test]
fn what_is_taken_over_does_not_block() -> io::Result<()> {
    run(async {
        let (stream, _peer) = half_std_pair()?;
        let (unix, _unix_peer) = std::os::unix::net::UnixStream::pair()?;
        let unix = UnixStream::from_std(unix)?;
        let (datagrams, _datagrams_peer) = std::os::unix::net::UnixDatagram::pair()?;
        let datagrams = UnixDatagram::from_std(datagrams)?;
        let udp = UdpSocket::from_std(std::net::UdpSocket::bind("127.0.0.1:0")?)?;
        let listener = TcpListener::from_std(std::net::TcpListener::bind("127.0.0.1:0")?)?;
        let (mut a, mut b, mut c, mut d) = ([0; 1], [0; 1], [0; 1], [0; 1]);
        let mut waits: [LocalBoxFuture<'_, ()>; 5] = [
            async { drop((&stream).read(&mut a).await) }.boxed_local(),
            async { drop((&unix).read(&mut b).await) }.boxed_local(),
            async { drop(datagrams.recv(&mut c).await) }.boxed_local(),
            async { drop(udp.recv_from(&mut d).await) }.boxed_local(),
            async { drop(listener.accept().await) }.boxed_local(),
        ];
        for wait in &mut waits {
            assert!(futures::future::poll_fn(|cx| Poll::Ready(wait.poll_unpin(cx).is_pending())).await);
        }
        Ok(())
    })
}
