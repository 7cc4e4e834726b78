//! A server that is slow on purpose, inside of the program: it answers each request
//! after the delay that the request asks for, and closes the connection.
//!
//! ```text
//! to the server     news 150\n        the page `news`, after 150 ms
//! from the server   news, after 150 ms\n
//! ```
//!
//! However many requests wait, it has two threads: one reads them, one answers them,
//! the earliest first. So what a step measures is the step's own doing.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A page, and how long the server makes its reader wait for it, in milliseconds.
pub type Page = (&'static str, u64);

/// What most steps ask for.
pub const PAGES: [Page; 5] =
    [("index", 100), ("news", 150), ("shop", 200), ("about", 250), ("help", 300)];

/// The line that asks for a page.
pub fn request((name, delay): Page) -> String {
    format!("{name} {delay}\n")
}

/// A server on its own threads, until the process ends.
pub struct Server {
    pub address: SocketAddr,
    most: Arc<AtomicUsize>,
}

impl Server {
    /// Starts it on a port that is free.
    pub fn start() -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let most = Arc::new(AtomicUsize::new(0));
        let (send, receive) = channel();
        thread::spawn(move || read(&listener, &send));
        thread::spawn({
            let most = Arc::clone(&most);
            move || answer(&receive, &most)
        });
        Ok(Server { address, most })
    }

    /// How many requests waited for their answer at the same time, at most.
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }
}

struct Request {
    due: Instant,
    answer: String,
    stream: TcpStream,
}

fn read(listener: &TcpListener, send: &Sender<Request>) {
    for stream in listener.incoming().filter_map(Result::ok) {
        // A client that has nothing to say must not hold up the others for long.
        let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
        let mut line = String::new();
        let read = BufReader::new(&stream).read_line(&mut line);
        let delay = line
            .trim_end()
            .rsplit_once(' ')
            .and_then(|(name, ms)| Some((name, ms.parse().ok()?)));
        if let (Ok(_), Some((name, ms))) = (read, delay) {
            let due = Instant::now() + Duration::from_millis(ms);
            let _ = send.send(Request {
                due,
                answer: format!("{name}, after {ms} ms\n"),
                stream,
            });
        }
    }
}

fn answer(receive: &Receiver<Request>, most: &AtomicUsize) {
    let mut waiting = BTreeMap::new();
    for number in 0_u64.. {
        let patience = match waiting.first_key_value() {
            Some(((due, _), _)) => Instant::duration_since(due, Instant::now()),
            None => Duration::MAX,
        };
        match receive.recv_timeout(patience) {
            Ok(Request { due, answer, stream }) => {
                waiting.insert((due, number), (answer, stream));
                most.fetch_max(waiting.len(), Ordering::Relaxed);
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Some((_, (answer, mut stream))) = waiting.pop_first() {
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
