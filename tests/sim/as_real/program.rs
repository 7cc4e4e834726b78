//! One program for both kinds of sockets: it calls every public method of `net`, and keeps the outcomes.
//!
//! Everything goes over the loopback address of one host, where nothing is lost and nothing has to be waited for long.
//! An outcome must not depend on time: before a call that depends on the other end, the program waits until the news is here.

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use cotask::net::{
    AsyncFd, Direction, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
    lookup_host,
};
use cotask::time::sleep;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};

/// What came of the calls: the method and the case, and the outcome in words.
#[derive(Default)]
pub struct Outcomes(pub Vec<(String, String)>);

impl Outcomes {
    fn note(&mut self, call: &str, outcome: impl Debug) {
        self.0.push((call.into(), format!("{outcome:?}")));
    }

    /// What a future has when it is polled once, or that it is pending.
    async fn polled<T: Debug>(&mut self, call: &str, future: impl Future<Output = io::Result<T>>) {
        let mut future = std::pin::pin!(future);
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        self.note(call, polled.map(kind));
    }
}

/// An error by its kind: the words and the number are the system's own.
fn kind<T>(result: io::Result<T>) -> Result<T, ErrorKind> {
    result.map_err(|error| error.kind())
}

/// Between two looks at what no event reports.
const MS: Duration = Duration::from_millis(1);

/// Any address here, with a port that the system chooses.
const ANY: &str = "127.0.0.1:0";

/// No socket is at this address, and the system never assigns its port to a program that asks for any.
const NO_SOCKET: ([u8; 4], u16) = ([127, 0, 0, 1], 1);

pub async fn run() -> Outcomes {
    let mut outcomes = Outcomes::default();
    let out = &mut outcomes;
    addresses(out).await;
    listening(out).await;
    connecting(out).await;
    reading_and_writing(out).await;
    vectored(out).await;
    readiness(out).await;
    shutting_down(out).await;
    after_the_peer(out).await;
    splitting(out).await;
    datagrams(out).await;
    connected_datagrams(out).await;
    system_sockets(out).await;
    outcomes
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

/// Waits until the connection is known to have ended. Any event that reports this would be taken away by a call.
async fn the_end(stream: &TcpStream) {
    while stream.peer_addr().is_ok() {
        sleep(MS).await;
    }
}

async fn addresses(out: &mut Outcomes) {
    let here = SocketAddr::from(([127, 0, 0, 1], 80));
    out.note("lookup_host: digits", kind(lookup_host("127.0.0.1:80").await));
    out.note("lookup_host: an address", kind(lookup_host(here).await));
    let local = kind(lookup_host("localhost:80").await);
    out.note("lookup_host: localhost", local.map(|all| all.contains(&here)));
    out.note("lookup_host: no port", kind(lookup_host("localhost").await));
    out.note("lookup_host: no port number", kind(lookup_host("localhost:http").await));
    out.note("lookup_host: too high a port", kind(lookup_host("localhost:65536").await));
}

async fn listening(out: &mut Outcomes) {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let address = listener.local_addr().unwrap();
    out.note("Listener::local_addr", (address.ip(), address.port() > 0));
    let port = address.port();
    out.note("TcpListener::bind: taken", kind(TcpListener::bind(address).await.map(drop)));
    let all = TcpListener::bind(("0.0.0.0", port)).await;
    out.note("TcpListener::bind: taken at another address", kind(all.map(drop)));
    out.note("TcpListener::bind: of another host", kind(TcpListener::bind("192.0.2.1:0").await.map(drop)));
    out.note("TcpListener::bind: no address", kind(TcpListener::bind(&[][..]).await.map(drop)));
    let second = TcpListener::bind(&[address, here()][..]).await;
    out.note(
        "TcpListener::bind: the second address",
        kind(second.map(|second| second.local_addr().unwrap().ip())),
    );
    out.polled("Listener::accept: no connection", async { listener.accept().await.map(drop) }).await;
    out.polled("Listener::poll_accept: no connection", async {
        poll_fn(|cx| listener.poll_accept(cx)).await.map(drop)
    })
    .await;

    let client = TcpStream::connect(address).await.unwrap();
    let accepted = poll_fn(|cx| listener.poll_accept(cx)).await;
    out.note(
        "Listener::poll_accept",
        kind(accepted).map(|(_, from)| Ok(from) == client.local_addr().map_err(drop)),
    );
    let client = TcpStream::connect(address).await.unwrap();
    let accepted = listener.accept().await;
    out.note(
        "Listener::accept",
        kind(accepted).map(|(_, from)| Ok(from) == client.local_addr().map_err(drop)),
    );
    let mut client = TcpStream::connect(address).await.unwrap();
    let incoming = listener.incoming().next().await.unwrap();
    out.note("Listener::incoming", kind(incoming).map(|_| "a connection"));
    let next = async { listener.incoming().next().await.map_or(Ok(()), |accepted| accepted.map(drop)) };
    out.polled("Stream::poll_next: no connection", next).await;

    // The connection is there before it is accepted, and may be gone by then.
    let mut gone = TcpStream::connect(address).await.unwrap();
    gone.write_all(b"last words").await.unwrap();
    drop(gone);
    let (mut server, _) = listener.accept().await.unwrap();
    let mut heard = String::new();
    out.note(
        "Listener::accept: the peer has gone",
        kind(server.read_to_string(&mut heard).await).map(|_| heard),
    );

    drop(client.read(&mut [0]).await);
    let mut client = TcpStream::connect(address).await.unwrap();
    drop(listener);
    out.note("AsyncRead::poll_read: never accepted", kind(client.read(&mut [0]).await));
}

/// An address of this host.
fn here() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn connecting(out: &mut Outcomes) {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    out.note("TcpStream::local_addr", client.local_addr().unwrap() == server.peer_addr().unwrap());
    out.note("TcpStream::peer_addr", client.peer_addr().unwrap() == address);
    out.note("TcpStream::local_addr: accepted", server.local_addr().unwrap() == address);
    let unspecified = TcpStream::connect(("0.0.0.0", address.port())).await;
    let addresses = |stream: TcpStream| (stream.local_addr().unwrap().ip(), stream.peer_addr().unwrap());
    out.note(
        "TcpStream::connect: to no address in particular",
        kind(unspecified).map(addresses).map(|(ip, peer)| (ip, peer == address)),
    );
    let named = TcpStream::connect(("localhost", address.port())).await;
    out.note("TcpStream::connect: by name", kind(named).map(|stream| stream.peer_addr().unwrap() == address));
    out.note("TcpStream::connect: no address", kind(TcpStream::connect(&[][..]).await.map(drop)));
    out.note("TcpStream::nodelay", kind(client.nodelay()));
    out.note("TcpStream::set_nodelay", kind(client.set_nodelay(true)));
    out.note("TcpStream::nodelay: set", kind(client.nodelay()));
    out.note("TcpStream::nodelay: of the other end", kind(server.nodelay()));

    let dead = SocketAddr::from(NO_SOCKET);
    out.note("TcpStream::connect: refused", kind(TcpStream::connect(dead).await.map(drop)));
    let second = TcpStream::connect(&[dead, address][..]).await;
    out.note(
        "TcpStream::connect: the second address",
        kind(second).map(|stream| stream.peer_addr().unwrap() == address),
    );
}

async fn reading_and_writing(out: &mut Outcomes) {
    let (mut client, mut server) = pair().await;
    out.polled("AsyncRead::poll_read: nothing", client.read(&mut [0; 8])).await;
    out.polled("AsyncRead::poll_read: nothing, into no buffer", client.read(&mut [])).await;
    out.polled("TcpStream::peek: nothing", client.peek(&mut [0; 8])).await;
    out.note("Socket::try_read: nothing", kind(client.try_read(&mut [0; 8])));
    out.note("Socket::try_read: nothing, into no buffer", kind(client.try_read(&mut [])));
    out.note("Socket::try_write", kind(server.try_write(b"try")));
    out.note("Socket::try_write: no bytes", kind(server.try_write(b"")));
    out.note("AsyncRead::poll_read: what a try has written", kind(client.read(&mut [0; 8]).await));
    out.note("AsyncWrite::poll_write", kind(server.write(b"hello, world").await));
    out.note("AsyncWrite::poll_write: no bytes", kind(server.write(b"").await));
    out.note("AsyncWrite::poll_flush", kind(server.flush().await));
    let mut buffer = [0; 32];
    out.note("TcpStream::peek", kind(client.peek(&mut buffer).await).map(|n| buffer[..n].to_vec()));
    out.note(
        "TcpStream::peek: a short buffer",
        kind(client.peek(&mut buffer[..2]).await).map(|n| buffer[..n].to_vec()),
    );
    out.note("TcpStream::peek: no buffer", kind(client.peek(&mut []).await));
    out.note("AsyncRead::poll_read: no buffer", kind(client.read(&mut []).await));
    out.note(
        "AsyncRead::poll_read: a short buffer",
        kind(client.read(&mut buffer[..5]).await).map(|n| buffer[..n].to_vec()),
    );
    out.note("Socket::try_read", kind(client.try_read(&mut buffer)).map(|n| buffer[..n].to_vec()));
    out.polled("AsyncRead::poll_read: no more", client.read(&mut buffer)).await;
    out.note("AsyncWrite::poll_close", kind(server.close().await));
    out.note("AsyncWrite::poll_close: again", kind(server.close().await));
    out.note("AsyncWrite::poll_write: closed", kind(server.write(b"x").await));
    out.note("AsyncRead::poll_read: the end", kind(client.read(&mut buffer).await));
    out.note("AsyncRead::poll_read: the end, again", kind(client.read(&mut buffer).await));
    out.note("AsyncRead::poll_read: the end, into no buffer", kind(client.read(&mut []).await));
    out.note("TcpStream::peek: the end", kind(client.peek(&mut buffer).await));
    out.note("AsyncWrite::poll_write: to one who has closed", kind(client.write(b"still there").await));
    out.note(
        "AsyncRead::poll_read: closed for writing",
        kind(server.read(&mut buffer).await).map(|n| buffer[..n].to_vec()),
    );

    // More than fits under way: the writer waits, and nothing is lost.
    let (client, mut server) = pair().await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    let copy = bytes.clone();
    let write = cotask::spawn(async move {
        let mut client = client;
        client.write_all(&copy).await
    });
    let mut back = Vec::new();
    server.read_to_end(&mut back).await.unwrap();
    out.note("AsyncWrite::poll_write: much", (kind(write.await.unwrap()), back == bytes));
}

async fn vectored(out: &mut Outcomes) {
    let (mut client, mut server) = pair().await;
    let slices = [&b"one"[..], b"", b"two", b"three"].map(IoSlice::new);
    let written = poll_fn(|cx| Pin::new(&mut client).poll_write_vectored(cx, &slices)).await;
    out.note("AsyncWrite::poll_write_vectored", kind(written));
    drop(client);
    let (mut a, mut b) = ([0; 4], [0; 16]);
    let mut buffers = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut []), IoSliceMut::new(&mut b)];
    let read = poll_fn(|cx| Pin::new(&mut server).poll_read_vectored(cx, &mut buffers)).await;
    out.note("AsyncRead::poll_read_vectored", (kind(read), a, b));
    let read =
        poll_fn(|cx| Pin::new(&mut server).poll_read_vectored(cx, &mut [IoSliceMut::new(&mut a)])).await;
    out.note("AsyncRead::poll_read_vectored: the end", kind(read));
}

async fn readiness(out: &mut Outcomes) {
    let (client, server) = pair().await;
    let ready = async |stream: &TcpStream| {
        poll_fn(|cx| Poll::Ready([stream.poll_read_ready(cx), stream.poll_write_ready(cx)])).await
    };
    out.note("Socket::poll_read_ready: new", ready(&client).await);
    let _ = client.try_read(&mut [0]);
    out.note("Socket::poll_read_ready: found empty", ready(&client).await);
    server.try_write(b"four").unwrap();
    client.readable().await;
    out.note("Socket::readable", ready(&client).await);
    out.note("AsyncRead::poll_read: all that is there", kind(client.try_read(&mut [0; 4])));
    out.note("Socket::poll_read_ready: taken exactly", ready(&client).await);
    // What is full is not ready, and is again when the other end has read.
    while client.try_write(&[0; 65_536]).is_ok() {}
    out.note("Socket::poll_write_ready: full", ready(&client).await[1]);
    let drain =
        cotask::spawn(async move { futures::io::copy(&server, &mut futures::io::sink()).await.map(drop) });
    client.writable().await;
    out.note("Socket::writable: the other end reads", ready(&client).await[1]);
    drop(client);
    out.note("AsyncRead::poll_read: all that was written", kind(drain.await.unwrap()));

    let (client, _server) = pair().await;
    let blocks = client.try_io(Direction::Read, || io::Result::<()>::Err(ErrorKind::WouldBlock.into()));
    out.note("Socket::try_io: would block", (kind(blocks), ready(&client).await));
    out.note("Socket::try_io", (kind(client.try_io(Direction::Write, || Ok(5))), ready(&client).await));
}

async fn shutting_down(out: &mut Outcomes) {
    for how in [Shutdown::Read, Shutdown::Write, Shutdown::Both] {
        let (mut client, mut server) = pair().await;
        let case = |what: &str| format!("Socket::shutdown: {how:?}, {what}");
        out.note(&case("the call"), kind(client.shutdown(how)));
        out.polled(&case("a read"), client.read(&mut [0; 8])).await;
        out.polled(&case("a write"), client.write(b"x")).await;
        out.note(&case("again"), kind(client.shutdown(how)));
        out.note(&case("peer_addr"), kind(client.peer_addr().map(drop)));
        out.note(&case("the peer's write"), kind(server.write(b"late").await));
        let mut heard = [0; 8];
        if how == Shutdown::Read {
            // It is at its end until the bytes are here: a peek says 0 and is not pending.
            while client.peek(&mut heard).await.unwrap() == 0 {
                sleep(MS).await;
            }
            out.note(&case("a read of what came later"), (kind(client.read(&mut heard).await), heard));
        } else {
            let read = async {
                // The client may have written before it ended its direction.
                let mut heard = Vec::new();
                server.read_to_end(&mut heard).await.map(|_| heard)
            };
            out.note(&case("the peer's read"), kind(read.await));
        }
    }

    // A call that waits, while another task shuts the socket down.
    for how in [Shutdown::Read, Shutdown::Both] {
        let (client, _server) = pair().await;
        let client = std::rc::Rc::new(client);
        let reader = client.clone();
        let read = cotask::spawn(async move { (&*reader).read(&mut [0; 8]).await });
        cotask::yield_now().await;
        client.shutdown(how).unwrap();
        out.note(&format!("Socket::shutdown: {how:?}, a read that waits"), kind(read.await.unwrap()));
    }
    for how in [Shutdown::Write, Shutdown::Both] {
        let (client, _server) = pair().await;
        while client.try_write(&[0; 65_536]).is_ok() {}
        let client = std::rc::Rc::new(client);
        let writer = client.clone();
        let write = cotask::spawn(async move { (&*writer).write(&[0; 8]).await });
        cotask::yield_now().await;
        client.shutdown(how).unwrap();
        out.note(&format!("Socket::shutdown: {how:?}, a write that waits"), kind(write.await.unwrap()));
    }

    // Both ends have ended their direction: the connection is at its end.
    let (mut client, mut server) = pair().await;
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    server.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    for (name, stream) in [("first", &mut client), ("second", &mut server)] {
        let case = |what: &str| format!("{what}: both ends have ended, {name}");
        out.note(&case("TcpStream::peer_addr"), kind(stream.peer_addr().map(drop)));
        out.note(&case("TcpStream::local_addr"), kind(stream.local_addr().map(drop)));
        out.note(&case("TcpStream::nodelay"), kind(stream.nodelay()));
        out.note(&case("TcpStream::set_nodelay"), kind(stream.set_nodelay(true)));
        out.note(&case("Socket::shutdown"), kind(stream.shutdown(Shutdown::Both)));
        out.note(&case("AsyncWrite::poll_close"), kind(stream.close().await));
        out.note(&case("AsyncRead::poll_read"), kind(stream.read(&mut [0]).await));
        out.note(&case("AsyncWrite::poll_write"), kind(stream.write(b"x").await));
    }
}

/// A peer that goes: it ends its direction, and answers what comes later with a reset; and if it has not read
/// everything, it resets the connection at once.
async fn after_the_peer(out: &mut Outcomes) {
    for has_read in [true, false] {
        for call in ["AsyncRead::poll_read", "AsyncWrite::poll_write", "TcpStream::peek"] {
            let (mut client, mut server) = pair().await;
            if has_read {
                drop(server);
                // The end is here before the reset is asked for: packets may overtake each other.
                assert_eq!(client.peek(&mut [0]).await.unwrap(), 0);
                client.write_all(b"too late").await.unwrap();
            } else {
                server.write_all(b"before").await.unwrap();
                client.peek(&mut [0]).await.unwrap();
                client.write_all(b"unread").await.unwrap();
                server.peek(&mut [0]).await.unwrap();
                drop(server);
            }
            let why = if has_read { "gone" } else { "reset" };
            let case = |call: &str, what: &str| format!("{call}: the peer is {why}, {what}");
            the_end(&client).await;
            if !has_read && call != "AsyncWrite::poll_write" {
                let mut heard = [0; 6];
                out.note(&case(call, "what came before"), (kind(client.read_exact(&mut heard).await), heard));
            }
            for time in ["first", "second"] {
                let outcome = match call {
                    "AsyncWrite::poll_write" => kind(client.write(b"x").await),
                    "TcpStream::peek" => kind(client.peek(&mut [0]).await),
                    _ => kind(client.read(&mut [0]).await),
                };
                out.note(&case(call, time), outcome);
            }
            out.note(
                &case("AsyncWrite::poll_write", &format!("after {call}")),
                kind(client.write(b"x").await),
            );
            out.note(
                &case("AsyncRead::poll_read", &format!("after {call}")),
                kind(client.read(&mut [0; 8]).await),
            );
            if call == "TcpStream::peek" {
                out.note(&case("TcpStream::local_addr", ""), kind(client.local_addr().map(drop)));
                out.note(&case("TcpStream::nodelay", ""), kind(client.nodelay()));
                out.note(&case("TcpStream::set_nodelay", ""), kind(client.set_nodelay(true)));
                out.note(&case("Socket::shutdown", ""), kind(client.shutdown(Shutdown::Both)));
                out.note(&case("AsyncWrite::poll_close", ""), kind(client.close().await));
                client.readable().await;
                client.writable().await;
            }
        }
    }
}

async fn splitting(out: &mut Outcomes) {
    let (client, server) = pair().await;
    let (mut reader, mut writer) = client.into_split();
    let (mut other_reader, mut other_writer) = server.into_split();
    out.note("AsyncWrite::poll_write: a half", kind(writer.write(b"ping").await));
    let mut heard = [0; 4];
    out.note("AsyncRead::poll_read: a half", (kind(other_reader.read_exact(&mut heard).await), heard));
    drop(writer);
    out.note("Socket::into_split: the writer is dropped", kind(other_reader.read(&mut heard).await));
    out.note("Socket::into_split: the other way still works", kind(other_writer.write_all(b"pong").await));
    out.note("Socket::into_split: and is heard", (kind(reader.read_exact(&mut heard).await), heard));
    drop(other_reader);
    out.note("AsyncWrite::poll_close: a half", kind(other_writer.close().await));
    out.note("AsyncRead::poll_read: a half, the end", kind(reader.read(&mut heard).await));
    drop(other_writer);
}

async fn datagrams(out: &mut Outcomes) {
    let a = UdpSocket::bind(ANY).await.unwrap();
    let b = UdpSocket::bind(ANY).await.unwrap();
    let (at_a, at_b) = (a.local_addr().unwrap(), b.local_addr().unwrap());
    out.note("UdpSocket::local_addr", (at_a.ip(), at_a.port() > 0));
    out.note("UdpSocket::bind: taken", kind(UdpSocket::bind(at_a).await.map(drop)));
    out.note(
        "UdpSocket::bind: taken at another address",
        kind(UdpSocket::bind(("0.0.0.0", at_a.port())).await.map(drop)),
    );
    out.note("UdpSocket::bind: of another host", kind(UdpSocket::bind("192.0.2.1:0").await.map(drop)));
    out.note("UdpSocket::bind: no address", kind(UdpSocket::bind(&[][..]).await.map(drop)));

    let mut buffer = [0; 16];
    out.polled("UdpSocket::recv: nothing", b.recv(&mut buffer)).await;
    out.polled("UdpSocket::recv_from: nothing", b.recv_from(&mut buffer)).await;
    out.polled("UdpSocket::peek_from: nothing", b.peek_from(&mut buffer)).await;
    out.polled("UdpSocket::poll_recv_from: nothing", poll_fn(|cx| b.poll_recv_from(cx, &mut buffer))).await;
    out.note("UdpSocket::send: without a peer", kind(a.send(b"x").await));
    let too_long = a.send_to(&[0; 70_000], at_b).await.unwrap_err();
    out.note("raw_os_error", cotask::net::raw_os_error(&too_long));
    out.note("UdpSocket::send_to", kind(a.send_to(b"four", at_b).await));
    let peeked = kind(b.peek_from(&mut buffer).await);
    out.note("UdpSocket::peek_from", (peeked.map(|(n, from)| (n, from == at_a)), &buffer[..4]));
    let received = kind(b.recv_from(&mut buffer).await);
    out.note("UdpSocket::recv_from", (received.map(|(n, from)| (n, from == at_a)), &buffer[..4]));
    out.note("UdpSocket::poll_send_to", kind(poll_fn(|cx| a.poll_send_to(cx, b"twelve bytes", at_b)).await));
    let received = kind(poll_fn(|cx| b.poll_recv_from(cx, &mut buffer[..6])).await);
    out.note(
        "UdpSocket::poll_recv_from: a short buffer",
        (received.map(|(n, from)| (n, from == at_a)), &buffer[..8]),
    );
    out.polled("UdpSocket::poll_recv_from: the rest", poll_fn(|cx| b.poll_recv_from(cx, &mut buffer))).await;
    out.note("UdpSocket::send_to: nothing", kind(a.send_to(b"", at_b).await));
    out.note("UdpSocket::recv: nothing was sent, which is a datagram", kind(b.recv(&mut buffer).await));
    a.send_to(b"four", at_b).await.unwrap();
    out.note("UdpSocket::recv: into no buffer", kind(b.recv(&mut []).await));
    out.polled("UdpSocket::recv: it was taken", b.recv(&mut buffer)).await;
    out.note(
        "UdpSocket::send_to: by name",
        kind(a.send_to(b"four", ("localhost", at_b.port())).await.map(drop)),
    );
    out.note("UdpSocket::send_to: no address", kind(a.send_to(b"four", &[][..]).await));
    out.note("UdpSocket::send_to: as much as fits", kind(a.send_to(&[0; 65_507], at_b).await));
    out.note("UdpSocket::send_to: more than fits", kind(a.send_to(&[0; 65_508], at_b).await));

    // No socket is there: one without a peer is not told.
    let dead = SocketAddr::from(NO_SOCKET);
    out.note("UdpSocket::send_to: to no socket", kind(a.send_to(b"x", dead).await));
    out.note("UdpSocket::send_to: to no socket, again", kind(a.send_to(b"x", dead).await));
    out.polled("UdpSocket::recv: after that", a.recv(&mut buffer)).await;
    out.note("UdpSocket::send_to: to port 0", kind(a.send_to(b"x", here()).await));
}

async fn connected_datagrams(out: &mut Outcomes) {
    let mut buffer = [0; 16];
    let a = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    let b = UdpSocket::bind(ANY).await.unwrap();
    let c = UdpSocket::bind(ANY).await.unwrap();
    out.note("UdpSocket::local_addr: of all addresses", a.local_addr().unwrap().ip());
    out.note("UdpSocket::connect", kind(a.connect(b.local_addr().unwrap()).await));
    let at_a = a.local_addr().unwrap();
    out.note("UdpSocket::local_addr: connected", at_a.ip());
    c.send_to(b"from a stranger", at_a).await.unwrap();
    b.send_to(b"from the peer", at_a).await.unwrap();
    out.note(
        "UdpSocket::recv: from the peer alone",
        kind(a.recv(&mut buffer).await).map(|n| buffer[..n].to_vec()),
    );
    out.polled("UdpSocket::recv: nothing from a stranger", a.recv(&mut buffer)).await;
    out.note("UdpSocket::send", kind(a.send(b"four").await));
    let received = kind(b.recv_from(&mut buffer).await);
    out.note("UdpSocket::recv_from: from one that is connected", received.map(|(n, from)| (n, from == at_a)));
    out.note("UdpSocket::send_to: past the peer", kind(a.send_to(b"four", c.local_addr().unwrap()).await));
    out.note("UdpSocket::recv: past the peer", kind(c.recv(&mut buffer).await));
    out.note("UdpSocket::connect: to another peer", kind(a.connect(c.local_addr().unwrap()).await));
    out.note("UdpSocket::connect: no address", kind(a.connect(&[][..]).await));
    c.send_to(b"the new peer", at_a).await.unwrap();
    out.note("UdpSocket::recv: from the other peer", kind(a.recv(&mut buffer).await));
    let named = a.connect(("localhost", b.local_addr().unwrap().port())).await;
    out.note("UdpSocket::connect: by name", kind(named));

    // A datagram that came before the connect is still there.
    let d = UdpSocket::bind(ANY).await.unwrap();
    c.send_to(b"early", d.local_addr().unwrap()).await.unwrap();
    d.peek_from(&mut buffer).await.unwrap();
    d.connect(b.local_addr().unwrap()).await.unwrap();
    out.polled("UdpSocket::recv: from a stranger, before the connect", d.recv(&mut buffer)).await;

    // A stranger's datagram to a connected socket finds no socket.
    c.connect(at_a).await.unwrap();
    c.send(b"hello?").await.unwrap();
    out.note("UdpSocket::recv: the peer has another peer", kind(c.recv(&mut buffer).await));

    let dead = SocketAddr::from(NO_SOCKET);
    for call in ["recv", "recv_from", "peek_from", "poll_recv_from", "send", "send_to", "poll_send_to"] {
        let socket = UdpSocket::bind(ANY).await.unwrap();
        socket.connect(dead).await.unwrap();
        let _ = poll_fn(|cx| Poll::Ready(socket.poll_recv_from(cx, &mut buffer))).await;
        socket.send(b"hello?").await.unwrap();
        socket.readable().await;
        let case = |what: &str| format!("UdpSocket::{call}: refused{what}");
        let outcome = match call {
            "recv" => socket.recv(&mut buffer).await,
            "recv_from" => socket.recv_from(&mut buffer).await.map(|(n, _)| n),
            "peek_from" => socket.peek_from(&mut buffer).await.map(|(n, _)| n),
            "poll_recv_from" => poll_fn(|cx| socket.poll_recv_from(cx, &mut buffer)).await.map(|(n, _)| n),
            "send" => socket.send(b"x").await,
            "send_to" => socket.send_to(b"x", b.local_addr().unwrap()).await,
            _ => poll_fn(|cx| socket.poll_send_to(cx, b"x", b.local_addr().unwrap())).await,
        };
        out.note(&case(""), kind(outcome));
        out.polled(&case(", told once"), socket.recv(&mut buffer)).await;
        out.note(
            &case(", then another peer"),
            (kind(socket.connect(b.local_addr().unwrap()).await), kind(socket.send(b"x").await)),
        );
    }
}

/// What only the system has. In a simulation each constructor says so.
async fn system_sockets(out: &mut Outcomes) {
    let (client, _server) = pair().await;
    out.note(
        "AsFd::as_fd",
        catch_unwind(AssertUnwindSafe(|| client.as_fd().try_clone_to_owned().is_ok())).is_ok(),
    );

    let listener = std::net::TcpListener::bind(ANY).unwrap();
    let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    out.note("TcpStream::from_std", kind(TcpStream::from_std(stream).map(drop)));
    out.note("TcpListener::from_std", kind(TcpListener::from_std(listener).map(drop)));
    let socket = std::net::UdpSocket::bind(ANY).unwrap();
    out.note("UdpSocket::from_std", kind(UdpSocket::from_std(socket).map(drop)));

    let (reader, _writer) = std::io::pipe().unwrap();
    let watched = AsyncFd::new(reader);
    out.note("AsyncFd::new", kind(watched.as_ref().map(drop).map_err(|error| error.kind().into())));
    if let Ok(mut watched) = watched {
        out.note("AsyncFd::get_ref", watched.get_ref().as_fd().try_clone_to_owned().is_ok());
        out.note("AsyncFd::get_mut", watched.get_mut().as_fd().try_clone_to_owned().is_ok());
    }

    // Two tests of this process may be here at once.
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("cotask-as-real-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name);
    let listener = UnixListener::bind(file("stream"));
    out.note("UnixListener::bind", kind(listener.as_ref().map(drop).map_err(|error| error.kind().into())));
    out.note("UnixStream::connect", kind(UnixStream::connect(file("stream")).await.map(drop)));
    if let Ok(listener) = listener {
        out.note("Listener::accept: at a path", kind(listener.accept().await.map(drop)));
    }
    let (std, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    out.note("UnixStream::from_std", kind(UnixStream::from_std(std).map(drop)));
    out.note("UnixStream::pair", kind(UnixStream::pair().map(drop)));
    let (std, _other) = std::os::unix::net::UnixDatagram::pair().unwrap();
    out.note("UnixDatagram::from_std", kind(UnixDatagram::from_std(std).map(drop)));
    out.note("UnixDatagram::bind", kind(UnixDatagram::bind(file("datagram")).map(drop)));
    let pair = UnixDatagram::pair();
    out.note("UnixDatagram::pair", kind(pair.as_ref().map(drop).map_err(|error| error.kind().into())));
    if let Ok((here, there)) = pair {
        let bound = UnixDatagram::bind(file("bound")).unwrap();
        out.note("UnixDatagram::send", kind(here.send(b"four").await));
        out.note("UnixDatagram::recv", kind(there.recv(&mut [0; 8]).await));
        here.send(b"four").await.unwrap();
        out.note("UnixDatagram::recv_from", kind(there.recv_from(&mut [0; 8]).await.map(|(n, _)| n)));
        out.note("UnixDatagram::try_send_to", kind(here.try_send_to(b"four", file("bound"))));
        out.note("UnixDatagram::connect", kind(here.connect(file("bound"))));
        drop(bound);
    }
    // A simulation has made none.
    out.note("UnixListener::bind: files", std::fs::read_dir(&folder).unwrap().count());
    std::fs::remove_dir_all(&folder).unwrap();
}
