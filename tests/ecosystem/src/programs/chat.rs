//! A chat over WebSocket: every member receives each message.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::{Context, Result, ensure};
use async_tungstenite::tungstenite::Message;
use async_tungstenite::{WebSocketStream, accept_async, client_async};
use bytes::Bytes;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::future::{Either, select};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures::{AsyncRead, AsyncWrite, StreamExt};
use http_body_util::Full;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};

use super::host::{TcpListener, TcpStream, futures_io, spawn};

/// Returns the page with which a browser takes part in the chat at `address`.
pub fn page(address: SocketAddr) -> Response<Full<Bytes>> {
    let page = include_str!("../../chat.html").replace("CHAT_ADDRESS", &address.to_string());
    let mut response = Response::new(Full::new(Bytes::from(page)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// The members of a chat.
#[derive(Clone, Debug, Default)]
pub struct Room(Arc<Mutex<Members>>);

#[derive(Debug, Default)]
struct Members {
    joined: usize,
    outboxes: BTreeMap<usize, UnboundedSender<Message>>,
}

impl Room {
    fn members(&self) -> MutexGuard<'_, Members> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn join(&self, outbox: UnboundedSender<Message>) -> usize {
        let mut members = self.members();
        members.joined += 1;
        let number = members.joined;
        members.outboxes.insert(number, outbox);
        number
    }

    fn say(&self, what: String) {
        for outbox in self.members().outboxes.values() {
            // A member that has just left need not receive it.
            let _ = outbox.unbounded_send(Message::text(what.clone()));
        }
    }

    fn leave(&self, number: usize, how: &str) {
        self.members().outboxes.remove(&number);
        self.say(format!("{number} {how}"));
    }
}

/// Accepts connections and serves each in a task. Reports the errors of those that fail.
///
/// # Errors
/// When no more can be accepted.
pub async fn open(listener: TcpListener, told: UnboundedSender<String>) -> Result<()> {
    let room = Room::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let (room, told) = (room.clone(), told.clone());
        spawn(async move {
            if let Err(error) = member(stream, room).await {
                // The receiver may have been dropped.
                let _ = told.unbounded_send(format!("{error}: {}", error.root_cause()));
            }
        });
    }
}

/// Serves one connection: sends its messages to all members, and those of all members to it.
async fn member(stream: TcpStream, room: Room) -> Result<()> {
    stream.set_nodelay(true)?;
    let socket = accept_async(futures_io(stream)).await.context("handshake")?;
    let (sink, mut source) = socket.split();
    let (outbox, letters) = unbounded();
    let number = room.join(outbox);
    room.say(format!("{number} has come"));
    let outgoing = pin!(letters.map(Ok).forward(sink));
    let incoming = pin!(async {
        while let Some(message) = source.next().await {
            if let Message::Text(text) = message? {
                room.say(format!("{number}: {text}"));
            }
        }
        anyhow::Ok(())
    });
    let ended = match select(outgoing, incoming).await {
        Either::Left((sent, _)) => sent.map_err(anyhow::Error::from),
        Either::Right((received, _)) => received,
    };
    room.leave(number, if ended.is_ok() { "has left" } else { "is gone" });
    ended.with_context(|| format!("member {number}"))
}

/// Lets two members talk, one leave properly, one vanish, and one speak no WebSocket. Returns what was heard.
///
/// # Errors
/// When a connection fails that should not.
pub async fn tour() -> Result<Vec<String>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (told, mut errors) = unbounded();
    let room = spawn(open(listener, told));

    let mut heard = Vec::new();
    let mut first = enter(address).await?;
    heard.push(hear(&mut first).await?);
    let mut second = enter(address).await?;
    for member in [&mut first, &mut second] {
        heard.push(hear(member).await?);
    }
    second.send(Message::text("is anybody there?")).await?;
    // Longer than one frame of a socket's buffer.
    first.send(Message::text("x".repeat(300_000))).await?;
    let mut words = [0, 0];
    for (count, member) in words.iter_mut().zip([&mut first, &mut second]) {
        for _ in 0..2 {
            *count += hear(member).await?.len();
        }
    }
    heard.push(format!("both heard {words:?} bytes"));

    let mut nonsense = futures_io(TcpStream::connect(address).await?);
    nonsense.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await?;
    let mut answer = Vec::new();
    nonsense.read_to_end(&mut answer).await?;
    heard.push(format!("no WebSocket: {}", errors.next().await.context("it was reported")?));

    let third = enter(address).await?;
    heard.push(hear(&mut first).await?);
    drop(third);
    heard.push(hear(&mut first).await?);
    heard.push(format!("told: {}", errors.next().await.context("it was reported")?));

    second.close(None).await?;
    heard.push(hear(&mut first).await?);
    ensure!(!room.is_finished(), "the room is open all the while");
    room.abort();
    Ok(heard)
}

/// Joins a chat.
///
/// # Errors
/// When no server listens at the address, or it does not speak WebSocket.
pub async fn enter(address: SocketAddr) -> Result<WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>> {
    let stream = TcpStream::connect(address).await?;
    let (socket, _) = client_async(format!("ws://{address}/"), futures_io(stream)).await?;
    Ok(socket)
}

/// Waits for the next message and returns it.
///
/// # Errors
/// When the connection has ended.
pub async fn hear<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Result<String> {
    loop {
        match socket.next().await.context("the room is closed")?? {
            Message::Text(text) => return Ok(text.to_string()),
            // The library answers a ping.
            _ => continue,
        }
    }
}
