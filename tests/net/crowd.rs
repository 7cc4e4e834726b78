//! Ten thousand connections open at once, between two processes.

use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use cotask::net::{TcpListener, TcpStream};
use cotask::sync::{Notify, Semaphore};
use cotask::time::timeout;
use cotask::{JoinSet, Runtime};
use futures::{AsyncReadExt, AsyncWriteExt};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::alone::alone;
use crate::open::descriptors;

const WANTED: usize = 10_000;
/// What a process has open beside its connections.
const OTHERS: u64 = 100;
const ROLE: &str = "COTASK_CROWD_CLIENTS_OF";
const TEST: &str = "crowd::ten_thousand_connections";
const LONG: Duration = Duration::from_secs(120);

#[test]
fn ten_thousand_connections() {
    alone(TEST, || match std::env::var(ROLE) {
        Ok(address) => clients(address.parse().expect("an address"), how_many()),
        Err(_) => server(how_many()),
    });
}

/// As many as the descriptor limit allows, at most the number wanted.
fn how_many() -> usize {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("the limit is known");
    let limit = hard.min(WANTED as u64 + OTHERS);
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard).expect("the limit can be raised up to the hard one");
    let allowed = WANTED.min((limit - OTHERS) as usize);
    if allowed < WANTED {
        println!("{allowed} connections instead of {WANTED}: the limit is {limit} descriptors a process");
    }
    allowed
}

/// How many have come so far, and a notice when all have.
struct Gathering {
    expected: usize,
    come: std::cell::Cell<usize>,
    all: Notify,
}

impl Gathering {
    fn of(expected: usize) -> Rc<Gathering> {
        Rc::new(Gathering { expected, come: std::cell::Cell::new(0), all: Notify::new() })
    }

    /// Waits until all are here.
    async fn here(&self) {
        self.come.set(self.come.get() + 1);
        if self.come.get() == self.expected {
            self.all.notify_waiters();
        } else {
            self.all.notified().await;
        }
    }
}

fn server(connections: usize) {
    let before = descriptors();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut clients = Command::new(std::env::current_exe().expect("the test's own file"))
            .args(["--exact", TEST, "--nocapture", "--test-threads", "1"])
            .env(ROLE, address.to_string())
            .spawn()
            .expect("the test's own file starts");

        // No client is answered before all are connected and have asked.
        let gathering = Gathering::of(connections);
        let mut serving = JoinSet::new();
        let all = timeout(LONG, async {
            for _ in 0..connections {
                let (stream, _) = listener.accept().await.unwrap();
                serving.spawn(serve(stream, Rc::clone(&gathering)));
            }
            gathering.all.notified().await;
        });
        all.await.unwrap_or_else(|_| panic!("only {} of {connections} have come", gathering.come.get()));
        assert!(descriptors() >= before + connections);
        while let Some(served) = serving.join_next().await {
            served.expect("no task panics").unwrap();
        }
        assert!(clients.wait().expect("it is our child").success());
    });
    assert_eq!(runtime.tasks(), 0);
    drop(runtime);
    assert_eq!(descriptors(), before);
}

async fn serve(mut stream: TcpStream, gathering: Rc<Gathering>) -> io::Result<()> {
    stream.write_all(b"!").await?;
    let mut question = [0; 8];
    stream.read_exact(&mut question).await?;
    gathering.here().await;
    stream.write_all(&(u64::from_le_bytes(question) + 1).to_le_bytes()).await?;
    // The client goes with a reset, so that no port is kept for it.
    let end = stream.read(&mut question).await;
    assert!(matches!(&end, Ok(0)) || end.is_err(), "{end:?}");
    Ok(())
}

fn clients(address: SocketAddr, connections: usize) {
    let before = descriptors();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        // No more at once than the listener's queue holds: a client that finds it full tries again after seconds.
        let connecting = Rc::new(Semaphore::new(100));
        let answered = Gathering::of(connections);
        let mut asking = JoinSet::new();
        for number in 0..connections as u64 {
            asking.spawn(ask(address, number, Rc::clone(&connecting), Rc::clone(&answered)));
        }
        let all = timeout(LONG, async {
            while let Some(asked) = asking.join_next().await {
                asked.expect("no task panics").unwrap();
            }
        });
        all.await.unwrap_or_else(|_| panic!("only {} of {connections} had an answer", answered.come.get()));
    });
    assert_eq!(runtime.tasks(), 0);
    drop(runtime);
    assert_eq!(descriptors(), before);
}

async fn ask(
    address: SocketAddr,
    number: u64,
    connecting: Rc<Semaphore>,
    answered: Rc<Gathering>,
) -> io::Result<()> {
    let turn = connecting.acquire().await.expect("it is never closed");
    let mut stream = TcpStream::connect(address).await?;
    stream.read_exact(&mut [0; 1]).await?;
    drop(turn);
    stream.write_all(&number.to_le_bytes()).await?;
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).await?;
    assert_eq!(u64::from_le_bytes(answer), number + 1);
    answered.here().await;
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))
}
