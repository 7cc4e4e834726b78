//! An echo over QUIC, in the manner of HTTP/3: many requests at once on one connection, each on a stream of its own,
//! and many connections through one UDP socket.
//!
//! A request is a line and, after it, a body; an answer is a line that begins with a number and, after it, a body.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures::channel::mpsc::UnboundedSender;
use futures::future::try_join;
use futures_rustls::rustls::{self, ClientConfig, RootCertStore};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{Connection, ConnectionError, Endpoint, EndpointConfig, Incoming, RecvStream, SendStream};

use super::host::{quic, spawn};
use super::tls::Identity;

/// The protocol spoken over QUIC here.
const PROTOCOL: &[u8] = b"echo";
/// How long a request's line may be.
const LINE: usize = 1024;
/// The error code with which the server resets a stream whose request failed.
const WENT_WRONG: u32 = 1;
/// The longest answer that a client accepts.
const LONGEST_ANSWER: usize = 64 << 20;

/// Returns an endpoint that accepts connections. Port 0 lets the system choose one.
///
/// # Errors
/// When the address cannot be bound, naming it.
pub fn server(address: SocketAddr, identity: &Identity) -> Result<Endpoint> {
    let mut tls = (*identity.server).clone();
    tls.alpn_protocols = vec![PROTOCOL.to_vec()];
    let tls = QuicServerConfig::try_from(tls)?;
    endpoint(address, Some(quinn::ServerConfig::with_crypto(Arc::new(tls))))
}

/// Returns an endpoint that makes connections.
///
/// # Errors
/// When the system cannot provide a socket.
pub fn client() -> Result<Endpoint> {
    endpoint(SocketAddr::from(([127, 0, 0, 1], 0)), None)
}

fn endpoint(address: SocketAddr, server: Option<quinn::ServerConfig>) -> Result<Endpoint> {
    let socket = UdpSocket::bind(address).with_context(|| format!("bind {address}"))?;
    Ok(Endpoint::new(EndpointConfig::default(), server, socket, quic())?)
}

/// Returns a client's configuration: which certificates it trusts.
///
/// # Errors
/// When the libraries disagree about what TLS is.
pub fn trusting(trust: RootCertStore) -> Result<quinn::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trust)
        .with_no_client_auth();
    tls.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?)))
}

/// Serves each connection in a task, until the endpoint is closed. Reports the errors of those that fail. Returns the
/// number of connections.
pub async fn serve(endpoint: Endpoint, told: UnboundedSender<String>) -> usize {
    let mut served = 0;
    while let Some(incoming) = endpoint.accept().await {
        served += 1;
        let told = told.clone();
        spawn(async move {
            if let Err(error) = converse(incoming, &told).await {
                tell(&told, &error);
            }
        });
    }
    served
}

/// Serves one connection: answers each of its streams in a task of its own, so that none waits for another.
async fn converse(incoming: Incoming, told: &UnboundedSender<String>) -> Result<()> {
    let connection = incoming.await.context("handshake")?;
    loop {
        let (mut answer, mut request) = match connection.accept_bi().await {
            Ok(stream) => stream,
            Err(ConnectionError::ApplicationClosed(_) | ConnectionError::LocallyClosed) => return Ok(()),
            Err(error) => return Err(error).context("connection"),
        };
        let told = told.clone();
        spawn(async move {
            if let Err(error) = respond(&mut answer, &mut request).await {
                // Reports to the client that its answer is incomplete, unless the connection is gone.
                let _ = answer.reset(WENT_WRONG.into());
                tell(&told, &error.context("stream"));
            }
        });
    }
}

fn tell(told: &UnboundedSender<String>, error: &anyhow::Error) {
    // The receiver may have been dropped.
    let _ = told.unbounded_send(format!("{error:#}"));
}

/// Answers `GET /hello`, `GET /count/N`, and `POST /echo`, which sends each piece back while the next is on its way.
async fn respond(answer: &mut SendStream, request: &mut RecvStream) -> Result<()> {
    let (line, begin) = first_line(request).await?;
    let count = line.strip_prefix("GET /count/").and_then(|number| number.parse::<u32>().ok());
    match (line.as_str(), count) {
        ("GET /hello", _) => answer.write_all(b"200\nhello over QUIC\n").await?,
        (_, Some(count)) => {
            answer.write_all(b"200\n").await?;
            for number in 1..=count {
                answer.write_all(format!("{number}\n").as_bytes()).await?;
            }
        }
        ("POST /echo", _) => {
            answer.write_all(b"200\n").await?;
            answer.write_chunk(begin).await?;
            while let Some(piece) = request.read_chunk(usize::MAX, true).await? {
                answer.write_chunk(piece.bytes).await?;
            }
        }
        _ => answer.write_all(b"404\nthere is no such page\n").await?,
    }
    answer.finish()?;
    Ok(())
}

/// Reads the first line of a request. Returns it, and the bytes that came along with it.
async fn first_line(request: &mut RecvStream) -> Result<(String, Bytes)> {
    let mut begin = Vec::new();
    while begin.len() <= LINE {
        let Some(piece) = request.read_chunk(usize::MAX, true).await? else {
            bail!("the request ends before its first line does");
        };
        begin.extend_from_slice(&piece.bytes);
        if let Some(end) = begin.iter().position(|&byte| byte == b'\n') {
            let body = Bytes::from(begin.split_off(end + 1));
            begin.pop();
            return Ok((String::from_utf8(begin)?, body));
        }
    }
    bail!("the first line of a request is too long")
}

/// Sends one request on a stream of its own. Returns the number of the answer, and its body. Sends and receives at
/// the same time, because neither side keeps more of a stream than a window of it.
///
/// # Errors
/// When the connection or the stream is given up by either side.
pub async fn ask(connection: &Connection, line: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    let (mut request, mut answer) = connection.open_bi().await?;
    let send = async {
        request.write_all(line.as_bytes()).await?;
        request.write_all(b"\n").await?;
        request.write_all(body).await?;
        request.finish()?;
        anyhow::Ok(())
    };
    let receive = async { Ok(answer.read_to_end(LONGEST_ANSWER).await?) };
    let ((), mut answer) = try_join(send, receive).await?;
    let end = answer.iter().position(|&byte| byte == b'\n').context("an answer without a first line")?;
    let body = answer.split_off(end + 1);
    Ok((std::str::from_utf8(&answer[..end])?.parse()?, body))
}
