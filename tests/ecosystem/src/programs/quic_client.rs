//! Clients of the server in `quic.rs`, good and bad ones, and what they and the server report.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::channel::oneshot;
use futures::future::{join_all, try_join_all};
use futures_rustls::rustls::RootCertStore;
use quinn::{Connection, Endpoint, TransportConfig};

use super::host::{UdpSocket, block_on, spawn};
use super::quic::{ask, client, serve, server, trusting};
use super::tls::Identity;

/// After so long without a packet, the server gives up a client that vanished: the client asks for this time.
const IDLE: Duration = Duration::from_secs(2);
/// The size of a body that is too large for any window.
const BIG: usize = 8 << 20;
const CONNECTIONS: usize = 4;
const STREAMS: usize = 32;

/// Sends requests in many ways, with misbehaving clients in between. Returns the reports, the same on every host.
///
/// # Errors
/// When something fails that should not.
pub async fn tour() -> Result<Vec<String>> {
    let identity = Identity::new()?;
    let server = server(SocketAddr::from(([127, 0, 0, 1], 0)), &identity)?;
    let address = server.local_addr()?;
    let (complaints, mut errors) = unbounded();
    let serving = spawn(serve(server.clone(), complaints));
    let mut endpoint = client()?;
    endpoint.set_default_client_config(trusting(identity.trust.clone())?);
    let mut told = Vec::new();

    let connections = (0..CONNECTIONS).map(|_| connect(&endpoint, address));
    let connections = try_join_all(connections).await?;
    for line in ["GET /hello", "GET /count/3", "GET /nowhere"] {
        let (number, body) = ask(&connections[0], line, b"").await?;
        told.push(format!("{line}: {number} {:?}", String::from_utf8_lossy(&body)));
    }
    told.push(all_at_once(&connections).await?);
    told.push(big_body(&connections[0]).await?);

    told.push(distrustful(&endpoint, address).await?);
    told.push(format!("server: {}", next(&mut errors).await?));

    told.push(given_up(&connections[1]).await?);
    told.push(format!("server: {}", next(&mut errors).await?));

    told.push(garbage(address).await?);
    let hello = ask(&connections[2], "GET /hello", b"").await?.0;
    let newcomer = ask(&connect(&endpoint, address).await?, "GET /hello", b"").await?.0;
    told.push(format!("after it: {hello} on an old connection, {newcomer} on a new one"));

    vanish(address, identity.trust).await?;
    let mut vanished = [next(&mut errors).await?, next(&mut errors).await?];
    vanished.sort();
    told.extend(vanished.map(|error| format!("server: {error}")));

    for connection in &connections {
        connection.close(0_u32.into(), b"done");
    }
    endpoint.close(0_u32.into(), b"done");
    server.close(0_u32.into(), b"enough");
    told.push(format!("{} connections", serving.await?));
    join_all([endpoint.wait_idle(), server.wait_idle()]).await;
    drop((endpoint, server, connections));
    told.extend(errors.collect::<Vec<String>>().await);
    Ok(told)
}

async fn next(errors: &mut UnboundedReceiver<String>) -> Result<String> {
    errors.next().await.context("the server reports it")
}

async fn connect(endpoint: &Endpoint, address: SocketAddr) -> Result<Connection> {
    Ok(endpoint.connect(address, "localhost")?.await?)
}

/// Opens many streams on each of several connections, all of which share a socket.
async fn all_at_once(connections: &[Connection]) -> Result<String> {
    let all = (0..CONNECTIONS * STREAMS).map(async |number| {
        let body = vec![number as u8; number * 100];
        let (answered, echo) = ask(&connections[number % CONNECTIONS], "POST /echo", &body).await?;
        ensure!(answered == 200 && echo == body, "{number}: {answered}, {} bytes", echo.len());
        Ok(echo.len())
    });
    let bytes: usize = try_join_all(all).await?.into_iter().sum();
    Ok(format!("{CONNECTIONS} connections with {STREAMS} streams each: {bytes} bytes"))
}

async fn big_body(connection: &Connection) -> Result<String> {
    let body: Vec<u8> = (0..BIG).map(|byte| (byte / 7) as u8).collect();
    let (number, echo) = ask(connection, "POST /echo", &body).await?;
    ensure!(echo == body, "the echo is not what was sent");
    Ok(format!("POST /echo: {number}, {} bytes", echo.len()))
}

/// Connects as a client that trusts no certificate.
async fn distrustful(endpoint: &Endpoint, address: SocketAddr) -> Result<String> {
    let nobody = trusting(RootCertStore::empty())?;
    match endpoint.connect_with(nobody, address, "localhost")?.await {
        Ok(_) => anyhow::bail!("an untrusted certificate was accepted"),
        Err(distrust) => Ok(format!("client: {distrust}")),
    }
}

/// Gives up a request in the middle: its stream ends, its connection does not.
async fn given_up(connection: &Connection) -> Result<String> {
    let (mut request, mut answer) = connection.open_bi().await?;
    request.write_all(b"POST /echo\nsome, but not all").await?;
    request.reset(7_u32.into())?;
    let Err(reset) = answer.read_to_end(100).await else {
        anyhow::bail!("half a request was answered as if it were whole");
    };
    let (number, _) = ask(connection, "GET /hello", b"").await?;
    Ok(format!("client: {reset}; the next request: {number}"))
}

/// Sends datagrams that are not QUIC, and one of a version that does not exist.
async fn garbage(address: SocketAddr) -> Result<String> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    for nonsense in [&b""[..], b"\0", &[0xff; 20], &[0x40; 1200], b"GET / HTTP/1.1\r\n\r\n"] {
        socket.send_to(nonsense, address).await?;
    }
    // A first packet in a version that does not exist: a server that has survived the others answers it.
    let mut packet = [0; 1200];
    packet[..7].copy_from_slice(&[0xc0, 0x0b, 0xad, 0x0b, 0xad, 8, b'x']);
    socket.send_to(&packet, address).await?;
    let mut buffer = [0; 1200];
    let versions = loop {
        let (length, _) = socket.recv_from(&mut buffer).await?;
        // To packets that look like those of an unknown connection, the server answers that there is none.
        if let Some(versions) = versions_offered(&buffer[..length]) {
            break versions;
        }
    };
    ensure!(versions.contains(&1), "QUIC's version 1 is not spoken: {versions:x?}");
    Ok("garbage: the server lists the versions that it speaks".to_owned())
}

/// Reads the versions from a packet of version 0, with which a server answers a version that it does not speak.
fn versions_offered(packet: &[u8]) -> Option<Vec<u32>> {
    let (head, rest) = packet.split_first_chunk::<5>()?;
    let (&length, rest) = rest.split_first().filter(|_| head[0] & 0x80 != 0 && head[1..] == [0; 4])?;
    let (&length, rest) = rest.get(usize::from(length)..)?.split_first()?;
    let versions = rest.get(usize::from(length)..)?.chunks_exact(4);
    Some(versions.map(|version| version.iter().fold(0, |all, &byte| all << 8 | u32::from(byte))).collect())
}

/// Ends a client silently in the middle of a request: its runtime ends first.
async fn vanish(address: SocketAddr, trust: RootCertStore) -> Result<()> {
    let (ended, end) = oneshot::channel();
    let thread = thread::spawn(move || {
        let asked = block_on(async {
            let mut patience = TransportConfig::default();
            patience.max_idle_timeout(Some(IDLE.try_into()?));
            let mut config = trusting(trust)?;
            config.transport_config(Arc::new(patience));
            let endpoint = client()?;
            let connection = endpoint.connect_with(config, address, "localhost")?.await?;
            let (mut request, mut answer) = connection.open_bi().await?;
            request.write_all(b"POST /echo\nwait for me").await?;
            let mut echo = [0; b"200\nwait for me".len()];
            answer.read_exact(&mut echo).await?;
            // Returned, so that nothing is dropped, and reports this to the server, while the tasks still run.
            anyhow::Ok((endpoint, connection, request, answer))
        });
        // The receiver may have been dropped.
        let _ = ended.send(asked.map(drop));
    });
    end.await??;
    thread.join().ok().context("the client that vanishes panicked")
}
