//! Real servers for the guests to talk to: Redis, PostgreSQL and RabbitMQ, where they are installed.
//!
//! Each is private. It listens on a free port of the loopback interface, keeps all that it writes in a folder of its
//! own, and ends when its [`Server`] is dropped. It also ends when the process that started it has ended, in
//! whatever way: see `GUARD`.

use std::fs::{File, read_to_string};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, geteuid, kill_process, kill_process_group};
use tempfile::TempDir;

/// How long a server may take to start: Erlang is slow on a machine that is busy.
const START: Duration = Duration::from_secs(180);

/// How long a server may take to end before it is made to.
const END: Duration = Duration::from_secs(20);

/// Replaces the shell with the command that follows, beside a watcher that waits for its standard input to close.
/// This input is a pipe from us, so it closes when we end, even if we are killed and cannot clean up.
const GUARD: &str = "exec 3<&0
(
    trap '' INT
    read -r _ <&3
    kill -s INT $$
    for _ in 1 2 3 4 5; do sleep 1; kill -s 0 $$ || break; done
    kill -s KILL 0
) &
exec \"$@\" 3<&- </dev/null";

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A store of keys and values.
    Redis,
    /// A database.
    PostgreSql,
    /// A broker of messages.
    RabbitMq,
}

impl Kind {
    /// Names the Debian package that contains it.
    pub fn package(self) -> &'static str {
        match self {
            Kind::Redis => "redis-server",
            Kind::PostgreSql => "postgresql",
            Kind::RabbitMq => "rabbitmq-server",
        }
    }

    /// Returns the path of its program, if it is installed.
    pub fn installed(self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let named = std::env::split_paths(&path).map(|folder| folder.join(self.program()));
        // Debian keeps each version of PostgreSQL in a folder of its own, and in front of RabbitMQ's script one that
        // changes the user.
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let hidden =
            versions.map(|version| version.path().join("bin")).chain(["/usr/lib/rabbitmq/bin".into()]);
        hidden.map(|folder| folder.join(self.program())).chain(named).find(|file| file.is_file())
    }

    fn program(self) -> &'static str {
        match self {
            Kind::Redis => "redis-server",
            Kind::PostgreSql => "postgres",
            Kind::RabbitMq => "rabbitmq-server",
        }
    }

    /// Returns what a client sends first, and the first byte of the answer once the server is ready.
    fn greeting(self) -> (&'static [u8], u8) {
        match self {
            Kind::Redis => (b"PING\r\n", b'+'),
            // Length, version 3.0, user and database. While the server starts up, it answers E, for error.
            Kind::PostgreSql => (b"\0\0\0\x27\0\x03\0\0user\0cotask\0database\0postgres\0\0", b'R'),
            // Asks for version 0-9-1, and receives a method frame.
            Kind::RabbitMq => (b"AMQP\0\0\x09\x01", 1),
        }
    }

    /// Returns the signal that ends it at once. Redis and RabbitMQ are killed, as by a power cut. PostgreSQL would
    /// leave shared memory behind, so its signal asks it to break off its work and end.
    fn end(self) -> Signal {
        match self {
            Kind::Redis | Kind::RabbitMq => Signal::KILL,
            Kind::PostgreSql => Signal::INT,
        }
    }
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    address: SocketAddr,
    /// The server is the last; before it come the processes that it needs.
    processes: Vec<Process>,
    folder: TempDir,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// The process ends when this pipe closes.
    _wanted: ChildStdin,
}

impl Server {
    /// Returns the address if there is one: a server already runs there. Otherwise starts a private one, which ends
    /// when it is dropped.
    ///
    /// # Errors
    /// Those of [`start`](Server::start).
    pub fn at_or_start(address: Option<SocketAddr>, kind: Kind) -> Result<(SocketAddr, Option<Server>)> {
        if let Some(address) = address {
            return Ok((address, None));
        }
        let server =
            Server::start(kind).context("there is no private server; pass the --address of another")?;
        Ok((server.address(), Some(server)))
    }

    /// Starts a server and waits until it accepts connections.
    ///
    /// # Errors
    /// When it is not installed, or does not start; the error then contains the end of its log.
    pub fn start(kind: Kind) -> Result<Server> {
        let Some(program) = kind.installed() else {
            bail!("{} is not installed (on Debian, the package {})", kind.program(), kind.package());
        };
        let mut wrote = String::new();
        // A port that was free a moment ago may have been taken by the time that the server asks for it.
        for _ in 0..3 {
            let mut server = Server::launch(kind, &program)?;
            if server.is_ready_in(START)? {
                return Ok(server);
            }
            wrote = server.log();
        }
        bail!("{} does not start; the last that it wrote:\n{wrote}", program.display())
    }

    fn launch(kind: Kind, program: &Path) -> Result<Server> {
        let folder = tempfile::Builder::new().prefix("cotask-server-").tempdir()?;
        if let Some((user, group)) = somebody_else() {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let address = free_address()?;
        let mut server = Server { kind, address, processes: Vec::new(), folder };
        let folder = server.folder.path();
        let commands = match kind {
            Kind::Redis => vec![redis(program, folder, address)],
            Kind::PostgreSql => {
                let status = prepared(make_database(program, folder), folder)?.status()?;
                ensure!(status.success(), "the database could not be made: {status}\n{}", server.log());
                vec![postgres(program, folder, address)]
            }
            Kind::RabbitMq => rabbitmq(program, folder, address)?.into(),
        };
        for command in commands {
            let process = Process::start(&command, server.folder.path())?;
            server.processes.push(process);
        }
        Ok(server)
    }

    /// Waits until the server is ready. Returns `false` if it ends before.
    fn is_ready_in(&mut self, time: Duration) -> Result<bool> {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            let server = self.processes.last_mut().context("there is one")?;
            if server.child.try_wait()?.is_some() {
                return Ok(false);
            }
            if self.greets().unwrap_or(false) {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{:?} is not ready after {time:?}; the last that it wrote:\n{}", self.kind, self.log())
    }

    fn greets(&self) -> io::Result<bool> {
        let (words, welcome) = self.kind.greeting();
        let mut stream = TcpStream::connect_timeout(&self.address, END)?;
        stream.set_read_timeout(Some(END))?;
        stream.write_all(words)?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        Ok(answer == [welcome])
    }

    /// Returns the kind of server.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the address at which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the folder that it writes to. This is also the home (`$HOME`) of each of its processes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the server, even in the middle of its work, and waits until it has ended.
    pub fn stop(&mut self) {
        let signal = self.kind.end();
        for process in self.processes.iter_mut().rev() {
            process.end(signal);
        }
    }

    /// Returns the end of its log.
    fn log(&self) -> String {
        let written = read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = written.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Process {
    fn start(command: &Command, folder: &Path) -> Result<Process> {
        let mut guarded = Command::new("sh");
        guarded.args(["-c", GUARD, "sh"]).arg(command.get_program()).args(command.get_args());
        guarded.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        // A group of its own: what the server starts in turn ends with it, and Ctrl-C reaches only us.
        let mut child = prepared(guarded, folder)?.stdin(Stdio::piped()).process_group(0).spawn()?;
        let wanted = child.stdin.take().context("it was asked for")?;
        Ok(Process { child, _wanted: wanted })
    }

    fn end(&mut self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        if let Ok(None) = self.child.try_wait() {
            // The process may have ended by itself in between.
            let _ = kill_process(pid, signal);
            let deadline = Instant::now() + END;
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        // The watcher, and any process that ignored the signal.
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Makes a command run in the folder and write to the log there, and not as root: PostgreSQL would refuse that.
fn prepared(mut command: Command, folder: &Path) -> Result<Command> {
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    // HOME is where Erlang keeps the secret by which nodes know each other. It also marks whose process this is.
    command.env("HOME", folder).env_remove("NOTIFY_SOCKET");
    if let Some((user, group)) = somebody_else() {
        command.uid(user).gid(group);
    }
    Ok(command)
}

/// Returns the user and group as which servers run when we are root: those of `nobody`.
fn somebody_else() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let users = read_to_string("/etc/passwd").unwrap_or_default();
    let nobody =
        users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|user| user[0] == "nobody");
    let number = |field: &str| field.parse().ok();
    nobody.and_then(|user| Some((number(user.get(2)?)?, number(user.get(3)?)?)))
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn redis(program: &Path, folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
    command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(folder);
    command
}

fn make_database(postgres: &Path, folder: &Path) -> Command {
    let mut command = Command::new(postgres.with_file_name("initdb"));
    command.args([
        "--auth",
        "trust",
        "--username",
        "cotask",
        "--encoding",
        "UTF8",
        "--no-locale",
        "--no-sync",
    ]);
    command.arg("--pgdata").arg(folder.join("data"));
    command
}

fn postgres(program: &Path, folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &address.port().to_string(), "-k", "", "-F"]);
    command.arg("-D").arg(folder.join("data"));
    command
}

/// Returns epmd, by which Erlang's nodes find each other's ports, and the broker. Without ours, the broker would
/// start one in the background, for the whole machine, and leave it running.
fn rabbitmq(program: &Path, folder: &Path, address: SocketAddr) -> Result<[Command; 2]> {
    let names = free_address()?.port().to_string();
    let mut epmd = Command::new("epmd");
    let mut broker = Command::new(program);
    for command in [&mut epmd, &mut broker] {
        command.env("ERL_EPMD_PORT", &names).env("ERL_EPMD_ADDRESS", "127.0.0.1");
    }
    broker.env("RABBITMQ_NODENAME", "cotask@localhost");
    broker.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1").env("RABBITMQ_NODE_PORT", address.port().to_string());
    broker.env("RABBITMQ_DIST_PORT", free_address()?.port().to_string());
    for (name, place) in [
        ("RABBITMQ_MNESIA_BASE", "mnesia"),
        ("RABBITMQ_LOG_BASE", "logs"),
        ("RABBITMQ_PID_FILE", "pid"),
        ("RABBITMQ_GENERATED_CONFIG_DIR", "config"),
        // None of these exists: no settings of this machine, and no plugins.
        ("RABBITMQ_CONFIG_FILE", "none"),
        ("RABBITMQ_CONF_ENV_FILE", "none"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "none"),
    ] {
        broker.env(name, folder.join(place));
    }
    // With input allowed, the script replaces itself with the broker instead of staying to forward signals. Then we
    // must say that there is no input.
    broker.env("RABBITMQ_LOGS", "-").env("RABBITMQ_ALLOW_INPUT", "1").env(
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
        "-noinput +S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
    );
    Ok([epmd, broker])
}
