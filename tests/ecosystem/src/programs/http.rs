//! A server of HTTP/1.1 or HTTP/2 that keeps connections alive, streams bodies, gives up on clients that never end
//! their headers, and ends gracefully.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cotask::sync::Notify;
use futures::channel::mpsc::UnboundedSender;
use futures::channel::oneshot;
use futures::future::{Either, select};
use futures::{Stream, StreamExt, stream};
use http_body_util::{Either as OneOf, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::rt::bounds::Http2ServerConnExec;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::server::graceful::GracefulShutdown;

use super::host::{Executor, Spawnable, TcpListener, executor, hyper_io, sleep, spawn, timeout, timer};

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.1: one request after the other.
    Http1,
    /// HTTP/2, by prior knowledge: many requests at once, each in a task of its own.
    Http2,
}

/// A listener, and how its connections are served.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub listener: TcpListener,
    /// What it speaks.
    pub version: Version,
    /// How long a client of HTTP/1.1 may take to send the headers of a request, from the first moment that a
    /// request could be sent: a connection that is kept alive ends after so long without one.
    pub patience: Duration,
    /// How long connections may still take once the server is asked to end.
    pub grace: Duration,
    /// Receives the number of connections still open when the server is asked to end.
    pub ending: Option<oneshot::Sender<usize>>,
}

impl Server {
    /// Listens at `address`, where port 0 lets the system choose one, with 30 seconds of patience and 10 of grace.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn bind(address: &str, version: Version) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let (patience, grace) = (Duration::from_secs(30), Duration::from_secs(10));
        Ok(Server { listener, version, patience, grace, ending: None })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Those of the system.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` finishes, then lets the connections finish their current requests. Returns the number of
    /// connections. Reports the error of a connection that fails; the others go on.
    pub async fn serve<S, B>(self, service: S, stop: impl Future, told: UnboundedSender<String>) -> usize
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Spawnable
            + 'static,
        S::Future: Spawnable + 'static,
        B: Body<Data: Spawnable, Error: Into<Box<dyn Error + Send + Sync>>> + Spawnable + 'static,
        Executor: Http2ServerConnExec<S::Future, B>,
    {
        let graceful = GracefulShutdown::new();
        let mut served = 0;
        let mut stop = pin!(stop);
        loop {
            // `stop` is polled first: otherwise it would go unseen while there is always a connection to accept.
            let accepted = match select(stop.as_mut(), pin!(self.listener.accept())).await {
                Either::Left(_) => break,
                Either::Right((accepted, _)) => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tell(&told, format!("cannot accept: {error}"));
                    continue;
                }
            };
            served += 1;
            // An answer that is written in two pieces must not wait for the peer's acknowledgement in between.
            if let Err(error) = stream.set_nodelay(true) {
                tell(&told, format!("{peer}: {error}"));
            }
            let (io, service, told) = (hyper_io(stream), service.clone(), told.clone());
            match self.version {
                Version::Http1 => {
                    let mut builder = http1::Builder::new();
                    builder.timer(timer()).header_read_timeout(self.patience);
                    let connection = graceful.watch(builder.serve_connection(io, service));
                    spawn(async move { tell_of(connection.await, &told, peer) });
                }
                Version::Http2 => {
                    let mut builder = http2::Builder::new(executor());
                    builder.timer(timer());
                    let connection = graceful.watch(builder.serve_connection(io, service));
                    spawn(async move { tell_of(connection.await, &told, peer) });
                }
            }
        }
        let Server { listener, grace, ending, .. } = self;
        // From here on the system refuses connections.
        drop(listener);
        // The receiver may have been dropped.
        let _ = ending.map(|ending| ending.send(graceful.count()));
        if timeout(grace, graceful.shutdown()).await.is_err() {
            tell(&told, format!("connections were still open {grace:?} after the server was asked to end"));
        }
        served
    }
}

fn tell(told: &UnboundedSender<String>, what: String) {
    // The receiver may have been dropped.
    let _ = told.unbounded_send(what);
}

fn tell_of(ended: Result<(), hyper::Error>, told: &UnboundedSender<String>, peer: SocketAddr) {
    if let Err(error) = ended {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        tell(told, format!("{peer}: {error}{cause}"));
    }
}

/// Holds a request to `/held`: the request reports that it has begun, and is answered once the gate opens.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// Notified by each request that has begun.
    pub begun: Arc<Notify>,
    /// Notify it to let one request through.
    pub open: Arc<Notify>,
}

/// The page that `/` returns.
pub const PAGE: &str = include_str!("../../page.html");

/// Answers `/` with a page, `/hello` with a greeting, `POST /echo` with what it is sent while it is being sent,
/// `/count/N` with N lines, one each millisecond, and `/held` when the gate opens.
///
/// # Errors
/// None.
pub async fn answer(
    request: Request<Incoming>,
    gate: Gate,
) -> Result<
    Response<impl Body<Data = Bytes, Error = Box<dyn Error + Send + Sync>> + Spawnable + use<>>,
    Infallible,
> {
    let path = request.uri().path().to_owned();
    let number = path.strip_prefix("/count/").and_then(|number| number.parse::<u32>().ok());
    let (status, kind, body) = match (request.method(), path.as_str(), number) {
        (&Method::GET, "/", _) => (StatusCode::OK, "text/html; charset=utf-8", whole(PAGE)),
        (&Method::GET, "/hello", _) => (StatusCode::OK, "text/plain", whole("hello from hyper\n")),
        (&Method::POST, "/echo", _) => {
            (StatusCode::OK, "application/octet-stream", OneOf::Right(OneOf::Left(request.into_body())))
        }
        (&Method::GET, "/held", _) => {
            gate.begun.notify_one();
            gate.open.notified().await;
            (StatusCode::OK, "text/plain", whole("held, and let go\n"))
        }
        (&Method::GET, _, Some(number)) => {
            (StatusCode::OK, "text/plain", OneOf::Right(OneOf::Right(count(number))))
        }
        (_, "/" | "/hello" | "/echo" | "/held", _) => {
            (StatusCode::METHOD_NOT_ALLOWED, "text/plain", whole("not with this method\n"))
        }
        _ => (StatusCode::NOT_FOUND, "text/plain", whole("there is no such page\n")),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

/// Returns a body that is complete at once.
fn whole<Other>(text: &'static str) -> OneOf<Full<Bytes>, Other> {
    OneOf::Left(Full::new(Bytes::from_static(text.as_bytes())))
}

/// Returns a body that takes its time: one line per millisecond.
fn count(to: u32) -> StreamBody<impl Stream<Item = Result<Frame<Bytes>, Infallible>>> {
    StreamBody::new(stream::iter(1..=to).then(async |number| {
        sleep(Duration::from_millis(1)).await;
        Ok(Frame::data(Bytes::from(format!("{number}\n"))))
    }))
}
