//! What the outside world refuses comes back as an error that says what was attempted, and where.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use cotask::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream, raw_os_error};
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use socket2::{Domain, Socket, Type};

#[cfg(target_os = "linux")]
use crate::alone::alone;
use crate::support::{run, tcp_pair};

/// It names these words and each once, keeps the system's kind, and knows the system's number.
#[track_caller]
fn told<T>(result: io::Result<T>, kind: ErrorKind, words: &[&str]) {
    let Err(error) = result else { panic!("it succeeded") };
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{error} does not name {word}");
    }
    let number = raw_os_error(&error).expect("it has a number");
    assert_eq!(io::Error::from_raw_os_error(number).kind(), kind);
    said_once(error);
}

/// What prints an error with all its sources, as anyhow does, says nothing twice.
#[track_caller]
pub fn said_once(error: io::Error) {
    let reason = error.to_string().rsplit(": ").next().expect("a reason").to_string();
    let chain = format!("{:#}", anyhow::Error::new(error));
    assert_eq!(chain.matches(&reason).count(), 1, "{chain}");
}

/// A port of this machine at which no socket listens, and none can, because it is bound while this lives.
fn deaf_port() -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    let address = socket.local_addr()?.as_socket().expect("an internet address");
    Ok((socket, address))
}

/// Such a socket is "writable" at once. A caller that does not ask it for its error takes it for connected.
#[test]
fn connection_refused() -> io::Result<()> {
    let (_deaf, address) = deaf_port()?;
    run(async {
        let refused = TcpStream::connect(address).await;
        told(refused, ErrorKind::ConnectionRefused, &["connect to", &address.to_string(), "refused"]);
        let by_name = TcpStream::connect(("localhost", address.port())).await;
        told(by_name, ErrorKind::ConnectionRefused, &["connect to", &format!(":{}", address.port())]);
        let last = TcpStream::connect(&[SocketAddr::from(([127, 0, 0, 1], 1)), address][..]).await;
        told(last, ErrorKind::ConnectionRefused, &[&address.to_string()]);
        Ok(())
    })
}

#[test]
fn the_first_address_that_answers() -> io::Result<()> {
    let (_deaf, deaf) = deaf_port()?;
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let stream = TcpStream::connect(&[deaf, listener.local_addr()?][..]).await?;
        assert_eq!(stream.peer_addr()?, listener.local_addr()?);
        let none = TcpStream::connect(&[][..] as &[SocketAddr]).await.unwrap_err();
        assert_eq!(none.to_string(), "connect to: no address was given");
        Ok(())
    })
}

#[test]
fn a_port_in_use() -> io::Result<()> {
    run(async {
        let tcp = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let listener = TcpListener::bind(tcp).await?;
        told(TcpListener::bind(tcp).await, ErrorKind::AddrInUse, &["listen at", &tcp.to_string()]);
        drop(listener);
        let udp = UdpSocket::bind("127.0.0.1:0").await?;
        let address = udp.local_addr()?;
        told(UdpSocket::bind(address).await, ErrorKind::AddrInUse, &["UDP", &address.to_string()]);
        Ok(())
    })
}

/// 192.0.2.0/24 is set aside for documentation (RFC 5737): no machine has such an address.
#[test]
fn an_address_of_no_machine() {
    run(async {
        let elsewhere = "192.0.2.1:0";
        told(TcpListener::bind(elsewhere).await, ErrorKind::AddrNotAvailable, &["listen at", elsewhere]);
        told(UdpSocket::bind(elsewhere).await, ErrorKind::AddrNotAvailable, &["UDP", elsewhere]);
    });
}

#[test]
fn unix_paths() {
    run(async {
        let missing = std::env::temp_dir().join("cotask-no-such-folder").join("socket");
        let path = missing.display().to_string();
        told(UnixStream::connect(&missing).await, ErrorKind::NotFound, &["connect to", &path]);
        told(UnixListener::bind(&missing), ErrorKind::NotFound, &["listen at", &path]);
        told(UnixDatagram::bind(&missing), ErrorKind::NotFound, &["datagram", &path]);
        let long = "x".repeat(200);
        let error = UnixListener::bind(&long).unwrap_err();
        assert!(error.to_string().contains(&long), "{error}");
    });
}

/// The listener does not accept, and its queue is full. The system drops every further attempt, which hangs as if the
/// machine did not answer. Giving it up leaves nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_connect_that_is_not_answered_can_be_given_up() -> io::Result<()> {
    let deaf = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    deaf.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    deaf.listen(0)?;
    let address = deaf.local_addr()?.as_socket().expect("an internet address");
    run(async {
        let mut answered = Vec::new();
        // Rounds of the loop with nothing to do: loopback answers within one, if at all.
        let pending = loop {
            let mut attempt = Box::pin(TcpStream::connect(address));
            let mut polls = 0;
            let stream = futures::future::poll_fn(|cx| {
                polls += 1;
                match attempt.poll_unpin(cx) {
                    std::task::Poll::Pending if polls > 200 => std::task::Poll::Ready(None),
                    std::task::Poll::Pending => {
                        cx.waker().wake_by_ref();
                        std::task::Poll::Pending
                    }
                    std::task::Poll::Ready(stream) => std::task::Poll::Ready(Some(stream)),
                }
            });
            match stream.await {
                Some(stream) => answered.push(stream?),
                None => break attempt,
            }
            assert!(answered.len() < 100, "the queue of a listener with backlog 0 took 100 connections");
        };
        drop(pending);
        // The connections that were in the queue before are served.
        deaf.set_nonblocking(true)?;
        let mut served = 0;
        while deaf.accept().is_ok() {
            served += 1;
        }
        assert_eq!(served, answered.len());
        Ok(())
    })
}

/// A later operation reports, once, that a datagram was refused; the socket remains of use. In a process of its own: where
/// another test starts a process, the copy of the closed socket stays open there for a moment, and nothing is refused.
#[cfg(target_os = "linux")]
#[test]
fn a_refused_datagram_is_told_once() {
    alone("errors::a_refused_datagram_is_told_once", || {
        let done: io::Result<()> = run(async {
            let here = UdpSocket::bind("127.0.0.1:0").await?;
            let there = UdpSocket::bind("127.0.0.1:0").await?;
            let address = there.local_addr()?;
            here.connect(address).await?;
            drop(there);
            here.send(b"anybody there?").await?;
            let mut buffer = [0; 8];
            assert_eq!(here.recv(&mut buffer).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
            let there = UdpSocket::bind(address).await?;
            there.send_to(b"now", here.local_addr()?).await?;
            assert_eq!(here.recv(&mut buffer).await?, 3);
            let too_long = vec![0; 70_000];
            let target = there.local_addr()?;
            let error = here.send_to(&too_long, target).await.unwrap_err();
            assert!(error.to_string().contains(&format!("send a datagram to {target}")), "{error}");
            Ok(())
        });
        done.unwrap();
    });
}

/// Closed with bytes unread, a connection is not ended but reset.
async fn reset(stream: TcpStream) -> io::Result<()> {
    socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO))?;
    drop(stream);
    Ok(())
}

#[test]
fn a_reset_while_reading() -> io::Result<()> {
    run(async {
        let (mut client, server) = tcp_pair().await?;
        let reading = cotask::spawn(async move {
            let first = client.read(&mut [0; 8]).await;
            (first, client.read(&mut [0; 8]).await, client)
        });
        cotask::yield_now().await;
        reset(server).await?;
        let (first, then, mut client) = reading.await.expect("the reader does not panic");
        assert_eq!(first.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(then?, 0, "it is reported once; then the stream has ended");
        assert_eq!(client.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        client.close().await
    })
}

#[test]
fn a_reset_while_writing() -> io::Result<()> {
    run(async {
        let (mut client, server) = tcp_pair().await?;
        let writing = cotask::spawn(async move {
            loop {
                if let Err(error) = client.write(&[0; 65_536]).await {
                    return error;
                }
            }
        });
        // Its buffers are full when it is pending and nothing else can run.
        let mut one = [0; 1];
        (&server).read_exact(&mut one).await?;
        reset(server).await?;
        let error = writing.await.expect("the writer does not panic");
        assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
        Ok(())
    })
}

/// What a peer sends that speaks another protocol is bytes like any other.
#[test]
fn garbage_is_bytes() -> io::Result<()> {
    run(async {
        let (mut client, mut server) = tcp_pair().await?;
        let garbage: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let expected = garbage.clone();
        cotask::spawn(async move {
            client.write_all(&garbage).await?;
            client.close().await
        });
        let error = server.read_to_string(&mut String::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);

        let (mut client, mut server) = tcp_pair().await?;
        let mut heard = Vec::new();
        let (written, read) = futures::future::join(
            async {
                client.write_all(&expected).await?;
                client.close().await
            },
            server.read_to_end(&mut heard),
        )
        .await;
        written.and(read)?;
        assert!(heard == expected);
        Ok(())
    })
}
