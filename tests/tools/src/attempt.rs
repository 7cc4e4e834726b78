//! A try of a tool at a version of an exhibit, in a process of its own, which a bug may hang or abort.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::sanitizer::Sanitizer;
use crate::{Args, LEAST, PASSED, RUN};

/// A process that says nothing for so long is left to itself while the next is tried. It may hang.
const QUIET: Duration = Duration::from_millis(500);

/// What came of it.
pub enum Found {
    /// The bug, in this run.
    InRun(u32),
    /// The same; and when all was left out that need not be there, so many things were left.
    Shrunk(u32, u32),
    /// It hung: a test without a time limit would say nothing, but its author would notice.
    Hangs,
    /// A sanitizer said this.
    Said(&'static str),
    Nothing,
}

/// A process under way.
pub struct Attempt {
    called: String,
    child: Child,
    lines: Receiver<String>,
    errors: JoinHandle<std::io::Result<String>>,
    start: Instant,
    deadline: Instant,
    sanitizer: Option<&'static Sanitizer>,
    told: Told,
}

/// What it has said so far.
#[derive(Default)]
struct Told {
    run: Option<u32>,
    least: Option<u32>,
    passed: bool,
    /// How long it took.
    ended: Option<Duration>,
}

impl Told {
    fn hear(&mut self, line: &str) {
        if let Some(run) = line.strip_prefix(RUN) {
            self.run = run.parse().ok();
        } else if let Some(least) = line.strip_prefix(LEAST) {
            self.least = least.parse().ok();
        }
        self.passed |= line == PASSED;
    }
}

impl Attempt {
    /// Starts `program` with the tool of that name.
    pub fn start(
        args: &Args,
        program: &Path,
        sanitizer: Option<&'static Sanitizer>,
        [tool, exhibit, version]: [&str; 3],
    ) -> Result<Attempt> {
        let limit = Duration::from_secs(args.seconds);
        let mut command = Command::new(program);
        command.args(["--runs", &args.runs.to_string(), "--seconds", &args.seconds.to_string()]);
        command.args(["run", tool, exhibit, version]);
        // Shrinking panics often, and to look up where takes longest.
        command.env("RUST_BACKTRACE", "0");
        let start = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = BufReader::new(child.stdout.take().context("the child's output")?);
        let (sender, lines) = channel();
        thread::spawn(move || output.lines().map_while(|line| sender.send(line.ok()?).ok()).count());
        let mut pipe = child.stderr.take().context("the child's errors")?;
        let errors = thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        });
        let called = format!("{tool}, {exhibit}/{version}");
        // The tools stop by themselves at their time limit, so that only a hanging program is killed.
        let deadline = start + limit + limit / 2 + Duration::from_secs(5);
        Ok(Attempt { called, child, lines, errors, start, deadline, sanitizer, told: Told::default() })
    }

    /// Reads lines until the program ends, is silent for `quiet`, or reaches its deadline.
    fn hear_until(&mut self, quiet: Duration) {
        while self.told.ended.is_none() {
            let wait = quiet.min(self.deadline.saturating_duration_since(Instant::now()));
            match self.lines.recv_timeout(wait) {
                Ok(line) => self.told.hear(&line),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => self.told.ended = Some(self.start.elapsed()),
            }
        }
    }

    /// Whether there is nothing more to wait for: it has ended, or hangs.
    pub fn is_over(&mut self) -> bool {
        self.hear_until(Duration::ZERO);
        self.told.ended.is_some() || Instant::now() >= self.deadline
    }

    /// Waits until the program ends or, if it is on real threads, is silent for a while: it should not have to share
    /// the machine with the next one, and a hanging program uses nothing of the machine.
    pub fn settle(&mut self, on_threads: bool) {
        self.hear_until(if on_threads { QUIET } else { Duration::MAX });
    }

    /// Waits until the program ends. Returns what came of it, and how long it took, if it did not hang.
    pub fn finish(mut self) -> Result<(Found, Duration)> {
        self.hear_until(Duration::MAX);
        if self.told.ended.is_none() {
            self.child.kill()?;
        }
        let status = self.child.wait()?;
        let errors = self.errors.join().map_err(|_| anyhow!("a reader panicked"))??;
        let said = self.sanitizer.iter().flat_map(|sanitizer| sanitizer.says);
        let said = said.filter(|(text, _)| errors.contains(text)).map(|(_, word)| *word).next();
        // A deadlock whose destructors lock again aborts the process, but not before it has been reported.
        let told = || errors.split_once(" FAILED (execution ")?.1.split_once(')')?.0.parse().ok();
        let found = match (self.told.run.or_else(told), self.told.least, said) {
            _ if self.told.ended.is_none() => Found::Hangs,
            // What lies about after a failed assertion is no leak of the exhibit's.
            (_, _, Some(word)) if !errors.contains("panicked at") => Found::Said(word),
            _ if self.told.passed => Found::Nothing,
            (Some(run), Some(least), _) => Found::Shrunk(run, least),
            (Some(run), None, _) => Found::InRun(run),
            (None, ..) => bail!("{} ended with {status} and without a word:\n{errors}", self.called),
        };
        Ok((found, self.told.ended.unwrap_or_default()))
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Found::InRun(run) => write!(f, "{run}"),
            Found::Shrunk(run, least) => write!(f, "{run}>{least}"),
            Found::Hangs => f.write_str("hang"),
            Found::Said(word) => f.write_str(word),
            Found::Nothing => f.write_str("-"),
        }
    }
}
