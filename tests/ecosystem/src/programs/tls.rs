//! hyper over TLS: a certificate that is made on the spot, and the version of HTTP that both sides agree on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::future::try_join_all;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures_rustls::rustls::pki_types::PrivateKeyDer;
use futures_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use futures_rustls::{TlsAcceptor, TlsConnector, client, rustls};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn as client_conn;
use hyper::header::HOST;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};

use super::host::{TcpListener, TcpStream, executor, futures_io, spawn, timeout, timer};
use super::http::{Gate, answer};
use crate::adapters::hyper::Io;

pub(super) const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";

/// How long a client may take for its part of a handshake.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server's certificate and key, and what a client needs to trust them.
#[derive(Clone)]
pub struct Identity {
    /// The server's configuration, with its certificate and key.
    pub server: Arc<ServerConfig>,
    /// Trusts this certificate and no other.
    pub trust: RootCertStore,
}

impl Identity {
    /// Makes a self-signed certificate for the name `localhost`.
    ///
    /// # Errors
    /// When the libraries disagree about what a certificate is.
    pub fn new() -> Result<Identity> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let mut trust = RootCertStore::empty();
        trust.add(certificate.clone())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        server.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        Ok(Identity { server: Arc::new(server), trust })
    }
}

/// Accepts connections and serves each in a task. Reports the errors of those that fail.
///
/// # Errors
/// When no more can be accepted.
pub async fn serve(listener: TcpListener, identity: Identity, told: UnboundedSender<String>) -> Result<()> {
    let acceptor = TlsAcceptor::from(identity.server);
    loop {
        let (stream, _) = listener.accept().await?;
        let (acceptor, told) = (acceptor.clone(), told.clone());
        spawn(async move {
            if let Err(error) = converse(stream, acceptor).await {
                // The receiver may have been dropped.
                let _ = told.unbounded_send(format!("{error:#}"));
            }
        });
    }
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor) -> Result<()> {
    stream.set_nodelay(true)?;
    // In the connection's own task, and bounded: a client with a slow handshake delays no other.
    let handshake = timeout(PATIENCE, acceptor.accept(futures_io(stream)));
    let stream = handshake.await.context("the handshake took too long")?.context("handshake")?;
    let agreed = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
    let service = service_fn(|request| answer(request, Gate::default()));
    if agreed {
        http2::Builder::new(executor()).timer(timer()).serve_connection(Io(stream), service).await?;
    } else {
        http1::Builder::new().timer(timer()).serve_connection(Io(stream), service).await?;
    }
    Ok(())
}

/// Shakes hands as a client that offers to speak `protocol`.
pub(super) async fn shake(
    address: SocketAddr,
    trust: RootCertStore,
    protocol: &[u8],
) -> Result<client::TlsStream<impl futures::AsyncRead + futures::AsyncWrite + Unpin + use<>>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trust)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await?;
    let connector = TlsConnector::from(Arc::new(config));
    Ok(connector.connect("localhost".try_into()?, futures_io(stream)).await?)
}

/// Asks over both versions, with a client that trusts no certificate and one without TLS. Returns the answers.
///
/// # Errors
/// When a connection fails that should not.
pub async fn tour() -> Result<Vec<String>> {
    let identity = Identity::new()?;
    let trust = identity.trust.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (complaints, mut errors) = unbounded();
    let server = spawn(serve(listener, identity, complaints));
    let mut told = Vec::new();

    let stream = shake(address, trust.clone(), HTTP1).await?;
    let (mut sender, connection) = client_conn::http1::handshake(Io(stream)).await?;
    let connection = spawn(connection);
    for path in ["/hello", "/count/3"] {
        let request = Request::get(path).header(HOST, "localhost").body(Empty::<Bytes>::new())?;
        told.push(words(sender.send_request(request).await?).await?);
    }
    drop(sender);
    connection.await??;

    let Err(distrust) = shake(address, RootCertStore::empty(), HTTP1).await else {
        anyhow::bail!("an untrusted certificate was accepted");
    };
    told.push(format!("client: {distrust}"));
    // The text depends on how far the handshake had come.
    let refused = errors.next().await.context("it was reported")?;
    ensure!(refused.starts_with("handshake: "), "the server reported {refused:?}");

    let mut nonsense = futures_io(TcpStream::connect(address).await?);
    nonsense.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    let mut alert = Vec::new();
    nonsense.read_to_end(&mut alert).await?;
    // An alert of TLS is seven bytes: its kind, the version, its length, that it is fatal, and which.
    ensure!(alert.first() == Some(&21), "an alert, not {alert:?}");
    told.push(format!("server: {}", errors.next().await.context("it was reported")?));

    let stream = shake(address, trust, HTTP2).await?;
    let (sender, connection) = client_conn::http2::handshake(executor(), Io(stream)).await?;
    let connection = spawn(connection);
    let twenty = (0..20).map(|number| {
        let mut sender = sender.clone();
        async move {
            let request = Request::get(format!("https://localhost/count/{number}"));
            words(sender.send_request(request.body(Empty::<Bytes>::new())?).await?).await
        }
    });
    let answers = try_join_all(twenty).await?;
    told.push(format!("HTTP/2, 20 at once, the last: {}", answers[19]));
    drop(sender);
    connection.await??;
    server.abort();
    Ok(told)
}

async fn words(response: Response<Incoming>) -> Result<String> {
    let (version, status) = (response.version(), response.status());
    let body = response.into_body().collect().await?.to_bytes();
    Ok(format!("{version:?} {} {:?}", status.as_u16(), String::from_utf8_lossy(&body)))
}
