//! The serving process, and the handle its client holds on it.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::mem;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio, exit};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Exchange, Service, TIME_LIMIT};
use crate::runtimes::Peer;
use crate::sample::{process_cpu_time, resident_bytes, thread_cpu_times};

/// Where every echo server listens: a free port of the loopback interface.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A server calls this once it listens.
pub(crate) type Announce = fn(SocketAddr);

/// The whole life of a serving process.
pub(crate) fn serve(peer: Peer, service: Service, cores: Option<NonZeroUsize>) -> Result<()> {
    end_after(TIME_LIMIT);
    thread::spawn(|| exit(answer_questions().map_or(1, |()| 0)));
    let announce: Announce = |address| println!("{}", address.port());
    match (cores, service) {
        (Some(cores), _) => peer.serve_on(cores, announce),
        (None, Service::Echo) => peer.serve(announce),
        (None, Service::Hello) => peer.serve_hello(announce),
    }
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
    let mut process_before = Duration::ZERO;
    let mut threads_before = HashMap::new();
    for question in io::stdin().lock().lines() {
        let answer = match question?.as_str() {
            "cpu" => {
                let before = mem::replace(&mut process_before, process_cpu_time());
                (process_before - before).as_nanos() as u64
            }
            "busiest" => {
                let before = mem::replace(&mut threads_before, thread_cpu_times()?);
                let spent = threads_before.iter().map(|(thread, &now)| {
                    now.saturating_sub(before.get(thread).copied().unwrap_or_default())
                });
                spent.max().unwrap_or_default().as_nanos() as u64
            }
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

/// A running server. Dropping it ends its process.
pub(super) struct Server {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
    pub(super) exchange: &'static Exchange,
}

impl Server {
    /// Starts the server of one peer and waits until it listens.
    pub(super) fn start(
        peer: Peer,
        exchange: &'static Exchange,
        cores: Option<NonZeroUsize>,
    ) -> Result<Self> {
        let program = std::env::current_exe().context("cannot find the path of this program")?;
        let mut process = Command::new(program)
            .args(["serve", &peer.name(), "--service", &exchange.service.name()])
            .args(cores.map(|cores| format!("--cores={cores}")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the server of {}", peer.name()))?;
        let questions = process.stdin.take();
        let answers = process.stdout.take().map(BufReader::new).context("the server has no output")?;
        let mut server = Server { process, questions, answers, address: LOOPBACK, exchange };
        let port = server.read_number().with_context(|| format!("{}'s server did not start", peer.name()))?;
        server.address.set_port(port.try_into().context("the server's port is no port")?);
        Ok(server)
    }

    /// CPU time the server has used since this was asked last.
    pub(super) fn cpu(&mut self) -> Result<Duration> {
        self.ask("cpu").map(Duration::from_nanos)
    }

    /// CPU time that the busiest of the server's threads has used since this was asked last.
    pub(super) fn busiest_thread_cpu(&mut self) -> Result<Duration> {
        self.ask("busiest").map(Duration::from_nanos)
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
