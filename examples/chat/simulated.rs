//! chat in a simulation: a listener that stays connected hears each message once, whole and in order.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};
use cotask::net::TcpStream;
use cotask::sim::{self, random};
use cotask::time::{sleep, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

use super::{FRAME, House, Policy, WELCOME, coroutines, frame};
use crate::common::{Backoff, bind};

const LISTENERS: [&str; 3] = ["ann", "bob", "cid"];
const PATIENCE: Duration = Duration::from_secs(5);

/// The program of the simulation: a server, a speaker that pauses for `pause` after each message, and listeners that
/// stop after `messages` messages each.
pub(crate) async fn run(messages: u64, pause: Duration) {
    sim::host("server", || async {
        let house = House { policy: Policy::Wait, queue: 4 };
        coroutines::serve_all(house, bind("0.0.0.0:80").await, |_| Ok(())).await
    });
    let sessions = Rc::new(Cell::new(0));
    sim::host("speaker", move || speak(Rc::clone(&sessions), pause));
    let listeners = LISTENERS.map(|name| {
        let heard = Rc::new(Cell::new(0));
        sim::host(name, move || listen(Rc::clone(&heard), messages))
    });
    for listener in listeners {
        listener.done().await.expect("only a fault ends a client early");
    }
}

/// Numbers a message by the speaker's session and its place within it. Each new connection is a new session, because
/// the speaker cannot know which of the old one's last messages arrived.
fn number(session: u64, message: u64) -> u64 {
    session << 32 | message
}

/// Speaks without end.
async fn speak(sessions: Rc<Cell<u64>>, pause: Duration) -> Result<()> {
    let mut backoff = Backoff::new(PATIENCE / 10, PATIENCE);
    loop {
        let session = sessions.replace(sessions.get() + 1);
        let speech = async {
            let mut stream = TcpStream::connect("server:80").await?;
            for message in 0.. {
                timeout(PATIENCE, stream.write_all(&*frame(number(session, message)))).await??;
                sleep(pause).await;
            }
            std::io::Result::Ok(())
        };
        let _ = speech.await;
        sleep(backoff.pause(random())).await;
    }
}

async fn listen(heard: Rc<Cell<u64>>, enough: u64) -> Result<()> {
    let mut backoff = Backoff::new(PATIENCE / 10, PATIENCE);
    while heard.get() < enough {
        let _ = hear(&heard, enough).await;
        sleep(backoff.pause(random())).await;
    }
    Ok(())
}

/// Listens for as long as one connection holds.
async fn hear(heard: &Cell<u64>, enough: u64) -> Result<()> {
    let mut bytes = Box::new([0; FRAME]);
    let welcome = async {
        let mut stream = TcpStream::connect("server:80").await?;
        stream.read_exact(&mut *bytes).await?;
        std::io::Result::Ok(stream)
    };
    // A server that falls without a word, and comes back, knows nothing of a connection that still waits for it.
    let mut stream = timeout(PATIENCE * 4, welcome).await??;
    ensure!(*bytes == *frame(WELCOME), "no welcome");
    // The next message of each session. A server may hear the end of an old one after the beginning of a new one.
    let mut next = BTreeMap::new();
    while heard.get() < enough {
        // Nothing for so long may also be a peer that has gone without a word.
        timeout(PATIENCE * 4, stream.read_exact(&mut *bytes)).await??;
        let number = bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        assert!(*bytes == *frame(number), "message {number} is not whole");
        let (session, message) = (number >> 32, number & u64::from(u32::MAX));
        let expected = next.insert(session, message + 1);
        assert!(
            expected.is_none_or(|expected| expected == message),
            "in session {session} came message {message} instead of {expected:?}"
        );
        heard.set(heard.get() + 1);
    }
    Ok(())
}
