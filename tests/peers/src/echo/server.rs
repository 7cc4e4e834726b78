//! The serving process, and the handle its client holds on it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio, exit};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::TIME_LIMIT;
use crate::runtimes::Peer;
use crate::sample::{process_cpu_time, resident_bytes};

/// Where every echo server listens: a free port of the loopback interface.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A server calls this once it listens.
pub(crate) type Announce = fn(SocketAddr);

/// The whole life of a serving process.
pub(crate) fn serve(peer: Peer) -> Result<()> {
    end_after(TIME_LIMIT);
    thread::spawn(|| exit(answer_questions().map_or(1, |()| 0)));
    peer.serve(|address| println!("{}", address.port()))
}

/// Ends this process after `limit`, whatever it is doing then.
pub(crate) fn end_after(limit: Duration) {
    thread::spawn(move || {
        thread::sleep(limit);
        eprintln!("ended by its time limit of {} s", limit.as_secs());
        exit(124);
    });
}

fn answer_questions() -> io::Result<()> {
    for question in io::stdin().lock().lines() {
        let answer = match question?.as_str() {
            "cpu" => process_cpu_time().as_nanos() as u64,
            "rss" => resident_bytes()?,
            other => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("unknown question {other:?}"),
                ));
            }
        };
        writeln!(io::stdout().lock(), "{answer}")?;
    }
    Ok(())
}

/// A running echo server. Dropping it ends its process.
pub(super) struct Server {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts the server of one peer and waits until it listens.
    pub(super) fn start(peer: Peer) -> Result<Self> {
        let program = std::env::current_exe().context("cannot find the path of this program")?;
        let mut process = Command::new(program)
            .args(["serve", &peer.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the echo server of {}", peer.name()))?;
        let questions = process.stdin.take();
        let answers = process.stdout.take().map(BufReader::new).context("the server has no output")?;
        let mut server = Server { process, questions, answers, address: LOOPBACK };
        let port = server.read_number().with_context(|| format!("{}'s server did not start", peer.name()))?;
        server.address.set_port(port.try_into().context("the server's port is no port")?);
        Ok(server)
    }

    /// CPU time the server has used so far.
    pub(super) fn cpu(&mut self) -> Result<Duration> {
        self.ask("cpu").map(Duration::from_nanos)
    }

    /// Bytes the server has in memory now.
    pub(super) fn resident_bytes(&mut self) -> Result<u64> {
        self.ask("rss")
    }

    fn ask(&mut self, question: &str) -> Result<u64> {
        let questions = self.questions.as_mut().context("the server has no input")?;
        writeln!(questions, "{question}")
            .with_context(|| format!("cannot ask the server for {question:?}"))?;
        self.read_number()
    }

    fn read_number(&mut self) -> Result<u64> {
        let mut line = String::new();
        if self.answers.read_line(&mut line).context("cannot read the server's answer")? == 0 {
            bail!("the server's process ended");
        }
        line.trim().parse().with_context(|| format!("the server answered {line:?}, not a number"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing its input asks it to end. Should it be stuck, the kill is what makes the wait end.
        self.questions = None;
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
