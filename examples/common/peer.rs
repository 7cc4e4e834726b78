//! Helpers in processes of their own: this program, started once more.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{WAY_BACK, exit, trace};

/// No helper process lives longer, whatever happens.
const LONGEST_LIFE: Duration = Duration::from_secs(600);

/// Tells a process that another one of this program has started it.
const HELPER_OF: &str = "COTASK_HELPER_OF";

/// How long a helper may take to start, or to end once its standard input is closed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server, load client or worker of the workload in another process.
///
/// It hears us on its standard input and answers in lines on its standard output; it ends when its standard
/// input closes, which also happens when we die. Dropping a `Peer` ends it.
pub(crate) struct Peer {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    what: String,
}

impl Peer {
    /// Starts this program again, for the workload that is running, with `args` (without the program's name).
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub(crate) fn spawn<I, S>(args: I) -> Result<Peer>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(program);
        command.args(WAY_BACK.get().into_iter().flatten());
        command.args(args);
        command.env(HELPER_OF, std::process::id().to_string());
        trace::tell(&mut command);
        let what = command.get_args().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ");
        Peer::start(command, what)
    }

    /// Starts any `command` as a peer, to be called `what` in errors.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub(crate) fn start(mut command: Command, what: String) -> Result<Peer> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("its output was asked for");
        let (send, lines) = channel();
        // The thread ends with the child: its output closes then.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(io::Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Peer { child, stdin, lines, what })
    }

    /// The address that the peer announced with [`announce`].
    ///
    /// # Errors
    ///
    /// When it ends or stays silent instead, or says something else.
    pub(crate) fn address(&mut self) -> Result<SocketAddr> {
        let line = self.line(PATIENCE)?;
        let address = line.strip_prefix(ANNOUNCEMENT).and_then(|address| address.parse().ok());
        address.with_context(|| format!("'{}' announced no address but '{line}'", self.what))
    }

    /// The peer's next line.
    ///
    /// # Errors
    ///
    /// When none comes within `limit`, or the peer ends.
    pub(crate) fn line(&mut self, limit: Duration) -> Result<String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => bail!("'{}' said nothing for {limit:?}", self.what),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait().context("cannot wait for a helper process")?;
                bail!("'{}' ended early ({status})", self.what)
            }
        }
    }

    /// Sends the peer a line.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub(crate) fn tell(&mut self, line: &str) -> Result<()> {
        let Some(stdin) = self.stdin.as_mut() else { bail!("the input of '{}' is closed", self.what) };
        writeln!(stdin, "{line}")
            .and_then(|()| stdin.flush())
            .with_context(|| format!("'{}' has ended", self.what))
    }

    /// Closes the peer's input: it has heard all that it is to hear, and ends when it has said all.
    pub(crate) fn close_input(&mut self) {
        drop(self.stdin.take());
    }

    /// The peer's process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Closes the peer's input and waits until it has ended.
    ///
    /// # Errors
    ///
    /// When it does not end, or ends with an error of its own.
    pub(crate) fn finish(mut self) -> Result<()> {
        let status = self.end().context("cannot wait for a helper process")?;
        if !status.success() {
            bail!("'{}' ended badly ({status})", self.what);
        }
        Ok(())
    }

    /// Ends the peer, with force if it does not hear.
    fn end(&mut self) -> io::Result<std::process::ExitStatus> {
        drop(self.stdin.take());
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        if let Err(RecvTimeoutError::Timeout) = self.lines.recv_timeout(Duration::ZERO) {
            self.child.kill()?;
        }
        self.child.wait()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

const ANNOUNCEMENT: &str = "listening on ";

/// Prints where this process listens.
pub(crate) fn announce(address: SocketAddr) {
    say(&format!("{ANNOUNCEMENT}{address}"));
}

/// Prints a line on standard output for the process or person that started this one. If it cannot be written, this process
/// ends: a helper as quietly as when its standard input closes, because its parent has gone.
pub(crate) fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    let Err(why) = writeln!(stdout, "{line}").and_then(|()| stdout.flush()) else { return };
    if std::env::var_os(HELPER_OF).is_some() || why.kind() == io::ErrorKind::BrokenPipe {
        exit(0);
    }
    eprintln!("error: cannot write to standard output: {why}");
    exit(1);
}

static HELPER: AtomicBool = AtomicBool::new(false);

/// Whether this process was started by another one of this program and ends with it.
pub(crate) fn is_helper() -> bool {
    HELPER.load(Ordering::Relaxed)
}

/// Ends this process when its standard input closes, and in any case after ten minutes. What comes on the input is ignored.
pub(crate) fn end_with_parent() {
    end_with_parent_and(|_| {});
}

/// Like [`end_with_parent`], but passes each line of standard input to `hear`, on a thread of its own.
pub(crate) fn end_with_parent_and(mut hear: impl FnMut(&str) + Send + 'static) {
    HELPER.store(true, Ordering::Relaxed);
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(io::Result::ok) {
            hear(&line);
        }
        exit(0);
    });
    end_after_ten_minutes("a helper process ends itself after ten minutes");
}

fn end_after_ten_minutes(words: &'static str) {
    thread::spawn(move || {
        thread::sleep(LONGEST_LIFE);
        eprintln!("{words}");
        exit(1);
    });
}

/// How long a server serves that a person has started.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Life {
    /// Serve until Ctrl-C or SIGTERM, whatever becomes of standard input and however long that is
    #[arg(long)]
    keep_running: bool,
}

/// For a server: ends this process as [`end_with_parent`] does, if another one of this program has started it. If a person
/// has, the end is explained, and `--keep-running` prevents it. A terminal is not read: the system stops a process in
/// the background that does, and Ctrl-C comes from there in any case.
///
/// Called after [`announce`], because a standard input that is closed from the start ends the process at once.
pub(crate) fn serve_for(life: Life) {
    if std::env::var_os(HELPER_OF).is_some() {
        return end_with_parent();
    }
    if life.keep_running {
        return;
    }
    end_after_ten_minutes("the server has served for ten minutes and ends; --keep-running serves longer");
    if io::stdin().is_terminal() {
        let id = std::process::id();
        eprintln!(
            "serving until Ctrl-C or `kill {id}`, for ten minutes at most; --keep-running serves longer"
        );
        return;
    }
    thread::spawn(|| {
        io::stdin().lock().lines().map_while(io::Result::ok).for_each(drop);
        eprintln!("standard input has closed, and so the server ends; --keep-running serves until Ctrl-C");
        exit(0);
    });
}
