//! What the hosts of the scenarios speak: a connection, a line there, a line back.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use cotask::net::TcpStream;
use cotask::time::timeout;
use futures::io::BufReader;
use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use crate::common::{accept, bind};

/// The longest line that either side takes.
const LONGEST: u64 = 128;

/// Asks `server` a question. After an error, the server may or may not have received it.
pub(super) async fn ask(server: &str, question: &str, patience: Duration) -> io::Result<String> {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(format!("{question}\n").as_bytes()).await?;
        read_line(stream).await
    };
    timeout(patience, exchange).await?
}

async fn read_line(stream: impl futures::AsyncRead + Unpin) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line).await?;
    match line.strip_suffix('\n') {
        Some(line) => Ok(line.to_string()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Answers every line that comes to port 80 of this host, each in a task of its own.
pub(super) async fn serve(answer: impl AsyncFn(&str) -> String + 'static) {
    let listener = bind("0.0.0.0:80").await;
    let answer = Rc::new(answer);
    loop {
        let stream = accept(&listener).await;
        let answer = Rc::clone(&answer);
        // A client that has gone is no concern of the others.
        cotask::spawn(async move {
            let question = read_line(&stream).await?;
            let answer = answer(&question).await;
            (&stream).write_all(format!("{answer}\n").as_bytes()).await
        });
    }
}

/// The numbers in a line, after its first word.
pub(super) fn numbers<const N: usize>(line: &str) -> Option<[u64; N]> {
    let numbers: Vec<u64> = line.split(' ').skip(1).map(|word| word.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}
