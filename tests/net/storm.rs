//! Connections that break off at random points, thousands of them; and slow readers beside quick ones.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use cotask::net::{TcpListener, TcpStream};
use cotask::sync::oneshot;
use cotask::{JoinSet, Runtime};
use futures::future::{Either, select};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::alone::alone;
use crate::open::descriptors;
use crate::support::{run, tcp_pair, turn};

const STORMS: u64 = 4;
const THREADS: u64 = 2;
const CONNECTIONS_A_THREAD: u64 = 1000;
/// What the allocator may keep of one storm for the next.
const SLACK: u64 = 4 << 20;

#[test]
fn a_storm_of_resets_leaves_nothing() {
    alone("storm::a_storm_of_resets_leaves_nothing", || {
        let before = descriptors();
        let runtime = Runtime::new().unwrap();
        let settled = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let standing = descriptors();
            let mut resident = Vec::new();
            for storm in 0..STORMS {
                let served = weather(&listener, storm).await;
                assert_eq!(served, THREADS * CONNECTIONS_A_THREAD, "connections that were accepted");
                assert_eq!(descriptors(), standing);
                resident.push(resident_bytes());
            }
            resident
        });
        assert_eq!(runtime.tasks(), 0);
        drop(runtime);
        assert_eq!(descriptors(), before);
        // The first storm makes the buffers grow; the others find them.
        let (first, last) = (settled[0], settled[settled.len() - 1]);
        assert!(last <= first + SLACK, "resident bytes after each storm: {settled:?}");
    });
}

/// One storm: serves who comes until the clients are through, and then until no task is left.
async fn weather(listener: &TcpListener, storm: u64) -> u64 {
    let address = listener.local_addr().unwrap();
    let clients: Vec<_> = (0..THREADS)
        .map(|thread| {
            let mut random = Random(storm * THREADS + thread + 1);
            let (over, is_over) = oneshot::channel();
            let running = thread::spawn(move || {
                for _ in 0..CONNECTIONS_A_THREAD {
                    break_off(address, &mut random).unwrap();
                }
                over.send(()).unwrap();
            });
            (running, is_over)
        })
        .collect();

    let mut serving = JoinSet::new();
    let mut served = 0;
    for (running, mut is_over) in clients {
        loop {
            let accepting = std::pin::pin!(listener.accept());
            match select(accepting, &mut is_over).await {
                Either::Left((accepted, _)) => {
                    let (stream, _) = accepted.unwrap();
                    serving.spawn(echo(stream, served));
                    served += 1;
                }
                Either::Right((over, _)) => {
                    over.unwrap();
                    break;
                }
            }
        }
        running.join().expect("no client panics");
    }
    // What has connected is in the listener's queue, and the reactor hears of it in its next turn.
    turn().await;
    loop {
        let accepting = std::pin::pin!(listener.accept());
        match select(accepting, std::future::ready(())).await {
            Either::Left((accepted, _)) => {
                serving.spawn(echo(accepted.unwrap().0, served));
                served += 1;
            }
            Either::Right(_) => break,
        }
    }
    while let Some(echoed) = serving.join_next().await {
        echoed.expect("no task panics");
    }
    served
}

/// Some servers break off themselves. Every error of a connection is the end of it, and of nothing else.
async fn echo(mut stream: TcpStream, number: u64) {
    let mut buffer = [0; 512];
    for round in 0.. {
        let Ok(n) = stream.read(&mut buffer).await else { return };
        if n == 0 || stream.write_all(&buffer[..n]).await.is_err() || number % 7 == 3 && round == 2 {
            return;
        }
    }
}

/// Connects, does a little of this and that, and goes without a farewell.
fn break_off(address: SocketAddr, random: &mut Random) -> io::Result<()> {
    let mut stream = std::net::TcpStream::connect(address)?;
    // A reset: also what keeps the ports of this machine free.
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    for _ in 0..random.below(4) {
        let bytes = vec![7; 1 + random.below(3000) as usize];
        // The server may have gone first.
        let Ok(()) = stream.write_all(&bytes) else { return Ok(()) };
        if random.below(2) == 0 {
            let mut some = vec![0; 1 + random.below(bytes.len() as u64) as usize];
            let _ = stream.read(&mut some);
        }
    }
    Ok(())
}

/// xorshift64, by G. Marsaglia (2003).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn resident_bytes() -> u64 {
    let statm = procfs::process::Process::myself().and_then(|process| process.statm());
    statm.expect("/proc/self/statm").resident * procfs::page_size()
}

/// Twenty connections whose client does not read, and whose server has much to write; beside them twenty whose
/// messages go to and fro. The quick ones come to their end while the slow ones stand.
#[test]
fn slow_readers_do_not_hold_up_quick_ones() -> io::Result<()> {
    const EACH: usize = 20;
    const MUCH: usize = 16 << 20;
    const ROUND_TRIPS: usize = 300;
    run(async {
        let bytes = Rc::new(vec![5; MUCH]);
        let finished = Rc::new(Cell::new(0));
        let mut writing = JoinSet::new();
        let mut slow = Vec::new();
        for _ in 0..EACH {
            let (client, mut server) = tcp_pair().await?;
            slow.push(client);
            let (bytes, finished) = (Rc::clone(&bytes), Rc::clone(&finished));
            writing.spawn(async move {
                server.write_all(&bytes).await?;
                finished.set(finished.get() + 1);
                server.close().await
            });
        }
        let mut quick = JoinSet::new();
        for _ in 0..EACH {
            let (mut client, mut server) = tcp_pair().await?;
            quick.spawn(async move {
                let mut message = [0; 64];
                while server.read_exact(&mut message).await.is_ok() {
                    server.write_all(&message).await?;
                }
                io::Result::Ok(())
            });
            quick.spawn(async move {
                let mut message = [1; 64];
                for _ in 0..ROUND_TRIPS {
                    client.write_all(&message).await?;
                    client.read_exact(&mut message).await?;
                }
                Ok(())
            });
        }
        while let Some(done) = quick.join_next().await {
            done.expect("no task panics")?;
        }
        assert_eq!(finished.get(), 0, "16 MiB that no client reads do not fit into the system's buffers");

        // And now the slow ones.
        let mut reading = JoinSet::new();
        for mut client in slow {
            reading.spawn(async move {
                let mut piece = vec![0; 1 << 16];
                let mut heard = 0;
                loop {
                    match client.read(&mut piece).await? {
                        0 => return io::Result::Ok(heard),
                        n => heard += n,
                    }
                }
            });
        }
        while let Some(heard) = reading.join_next().await {
            assert_eq!(heard.expect("no task panics")?, MUCH);
        }
        assert_eq!(finished.get(), EACH);
        Ok(())
    })
}
