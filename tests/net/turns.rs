//! Invariant 7: a socket that is always ready leaves room for the others, within a stated bound.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use cotask::net::{AsyncFd, Direction, TcpStream, UdpSocket, UnixStream};
use cotask::time::{Instant, sleep_until};
use futures::AsyncReadExt;

use crate::support::{half_std_pair, run, tcp_pair};

/// Operations of one poll, and polls between two looks outside: as the runtime states them.
const OPERATIONS: usize = 128;
const POLLS_A_TURN: usize = 61;
/// Until an event is seen, and then until who waits for it has its turn, behind each task once.
const WITHIN: usize = OPERATIONS * (POLLS_A_TURN + 2);

/// An operation that never has to wait, and what keeps it so.
struct Flood {
    name: &'static str,
    operation: Box<dyn Operation>,
    _peer: Box<dyn Any>,
}

trait Operation {
    fn once(&mut self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>>;
}

impl<F: AsyncFnMut() -> io::Result<()>> Operation for F {
    fn once(&mut self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(self())
    }
}

impl Flood {
    fn new(
        name: &'static str,
        peer: impl Any,
        operation: impl AsyncFnMut() -> io::Result<()> + 'static,
    ) -> Flood {
        Flood { name, operation: Box::new(operation), _peer: Box::new(peer) }
    }

    async fn once(&mut self) {
        self.operation.once().await.unwrap();
    }
}

/// One of each kind of operation.
async fn always_ready() -> io::Result<Vec<Flood>> {
    let (full, mut peer_of_full) = half_std_pair()?;
    peer_of_full.write_all(b"never taken")?;
    full.readable().await;
    let (mut ended, peer_of_ended) = tcp_pair().await?;
    drop(peer_of_ended);
    let (closed, peer_of_closed) = UnixStream::pair()?;
    drop(peer_of_closed);
    let sender = UdpSocket::bind("127.0.0.1:0").await?;
    let receiver = UdpSocket::bind("127.0.0.1:0").await?;
    let to = receiver.local_addr()?;
    let (open, peer_of_open) = tcp_pair().await?;
    let (reader, writer) = io::pipe()?;
    let pipe = AsyncFd::new(writer)?;
    Ok(vec![
        Flood::new("peek", peer_of_full, async move || full.peek(&mut [0; 4]).await.map(drop)),
        Flood::new("read at the end", (), async move || ended.read(&mut [0; 4]).await.map(drop)),
        Flood::new("readable", (), async move || {
            closed.readable().await;
            Ok(())
        }),
        Flood::new("send_to", receiver, async move || sender.send_to(b"x", to).await.map(drop)),
        Flood::new("writable, and a try", reader, async move || {
            pipe.writable().await;
            pipe.try_io(Direction::Write, || Ok(()))
        }),
        Flood::new("writable", peer_of_open, async move || {
            open.writable().await;
            Ok(())
        }),
    ])
}

#[test]
fn other_tasks_have_their_turn() -> io::Result<()> {
    run(async {
        for mut flood in always_ready().await? {
            let name = flood.name;
            let done = Rc::new(Cell::new(0));
            let counted = Rc::clone(&done);
            let flooding = cotask::spawn(async move {
                loop {
                    flood.once().await;
                    counted.set(counted.get() + 1);
                }
            });
            for _ in 0..20 {
                let before = done.get();
                cotask::yield_now().await;
                let between = done.get() - before;
                assert!((1..=OPERATIONS).contains(&between), "{between} times {name} while a task was ready");
            }
            flooding.abort();
        }
        Ok(())
    })
}

#[test]
fn timers_have_their_turn() -> io::Result<()> {
    run(async {
        for mut flood in always_ready().await? {
            let name = flood.name;
            let late = Rc::new(Cell::new(0));
            let counted = Rc::clone(&late);
            let deadline = Instant::now() + Duration::from_millis(5);
            // A timer fires at the first whole millisecond that is not before its deadline.
            let due = deadline + Duration::from_millis(1);
            let flooding = cotask::spawn(async move {
                loop {
                    flood.once().await;
                    if Instant::now() >= due {
                        counted.set(counted.get() + 1);
                    }
                }
            });
            sleep_until(deadline).await;
            assert!(late.get() <= WITHIN, "{} times {name} while a timer was due", late.get());
            flooding.abort();
        }
        Ok(())
    })
}

#[test]
fn other_sockets_have_their_turn() -> io::Result<()> {
    run(async {
        for mut flood in always_ready().await? {
            let name = flood.name;
            let late = Rc::new(Cell::new(0));
            let counted = Rc::clone(&late);
            let (ours, mut theirs) = std::os::unix::net::UnixStream::pair()?;
            let mut ours = UnixStream::from_std(ours)?;
            let flooding = cotask::spawn(async move {
                for i in 0_u64.. {
                    flood.once().await;
                    match i {
                        0..5000 => {}
                        // Within one machine it is there when the call is back.
                        5000 => theirs.write_all(b"x").unwrap(),
                        _ => counted.set(counted.get() + 1),
                    }
                }
            });
            ours.read_exact(&mut [0; 1]).await?;
            assert!(late.get() <= WITHIN, "{} times {name} while a socket was ready", late.get());
            flooding.abort();
        }
        Ok(())
    })
}

/// A peer that floods from another thread, read in small pieces.
#[test]
fn a_flooding_peer() -> io::Result<()> {
    const BYTES: usize = 4 << 20;
    run(async {
        let (mut flooded, mut peer): (TcpStream, _) = half_std_pair()?;
        let flood = thread::spawn(move || {
            let piece = vec![1; 1 << 16];
            (0..BYTES / piece.len()).try_for_each(|_| peer.write_all(&piece))
        });
        let reads = Rc::new(Cell::new(0));
        let counted = Rc::clone(&reads);
        let reading = cotask::spawn(async move {
            let mut heard = 0;
            let mut piece = [0; 64];
            loop {
                match flooded.read(&mut piece).await? {
                    0 => return io::Result::Ok(heard),
                    n => heard += n,
                }
                counted.set(counted.get() + 1);
            }
        });
        let mut turns = 0;
        let mut most = 0;
        while !reading.is_finished() {
            let before = reads.get();
            cotask::yield_now().await;
            most = most.max(reads.get() - before);
            turns += 1;
        }
        assert_eq!(reading.await.expect("the reader does not panic")?, BYTES);
        assert!(most <= OPERATIONS, "{most} reads while a task was ready");
        assert!(turns >= BYTES / 64 / OPERATIONS);
        flood.join().expect("the peer does not panic")
    })
}
