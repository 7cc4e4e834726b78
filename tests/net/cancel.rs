//! Every future of a socket dropped after every number of polls, with what it waits for happening before, between
//! and after these polls: nothing that it did not hand out may be lost.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::pin::pin;
use std::task::Poll;

use cotask::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::support::{half_std_pair, run, turn};

const POLLS: usize = 4;

/// One way to cut a future off: after how many polls, and before which of them the event comes. An event that
/// has not come by then comes when the future is gone.
#[derive(Clone, Copy, Debug)]
struct Cut {
    polls: usize,
    event_before: usize,
}

fn all_cuts() -> impl Iterator<Item = Cut> {
    (0..=POLLS).flat_map(|polls| (0..=POLLS).map(move |event_before| Cut { polls, event_before }))
}

impl Cut {
    /// Polls the future so often, with a look at the sockets after each, and drops it.
    async fn off<T>(self, future: impl Future<Output = T>, event: impl FnOnce()) -> Option<T> {
        let mut event = Some(event);
        let output = {
            let mut future = pin!(future);
            let mut output = None;
            for poll in 0..self.polls {
                if poll == self.event_before {
                    event.take().expect("it comes once")();
                }
                if let Poll::Ready(ready) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
                    output = Some(ready);
                    break;
                }
                turn().await;
            }
            output
        };
        if let Some(event) = event {
            event();
        }
        output
    }
}

/// The harness itself: that it drops after each number of polls, and has the event come before, between and after.
#[test]
fn the_cuts_are_where_they_should_be() {
    run(async {
        for cut in all_cuts() {
            let (polled, came_at) = (Cell::new(0), Cell::new(None));
            let never = poll_fn(|_| {
                polled.set(polled.get() + 1);
                Poll::<()>::Pending
            });
            assert!(cut.off(never, || came_at.set(Some(polled.get()))).await.is_none());
            assert_eq!(polled.get(), cut.polls);
            assert_eq!(came_at.get(), Some(cut.event_before.min(cut.polls)));
        }
    });
}

#[test]
fn accept_loses_no_connection() {
    run(async {
        for cut in all_cuts() {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let client = Cell::new(None);
            let connect = || {
                client.set(Some(std::net::TcpStream::connect(address).unwrap()));
            };
            let accepted = match cut.off(listener.accept(), connect).await {
                Some(accepted) => accepted,
                None => listener.accept().await,
            };
            let (_server, from) = accepted.unwrap();
            assert_eq!(from, client.take().unwrap().local_addr().unwrap(), "{cut:?}");
        }
    });
}

#[test]
fn a_unix_accept_loses_no_connection() {
    let path = std::env::temp_dir().join(format!("cotask-cancel-{}", std::process::id()));
    run(async {
        for cut in all_cuts() {
            let listener = UnixListener::bind(&path).unwrap();
            let client = Cell::new(None);
            let connect = || {
                let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
                stream.write_all(b"it is me").unwrap();
                client.set(Some(stream));
            };
            let accepted = match cut.off(listener.accept(), connect).await {
                Some(accepted) => accepted,
                None => listener.accept().await,
            };
            let mut heard = [0; 8];
            accepted.unwrap().0.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"it is me", "{cut:?}");
            std::fs::remove_file(&path).unwrap();
        }
    });
}

/// What is read, and what is left for the next who reads, make the whole.
#[test]
fn read_and_its_kin_lose_no_byte() {
    enum Kind {
        Read,
        Peek,
        Readable,
        Vectored,
    }
    run(async {
        for cut in all_cuts() {
            for kind in [Kind::Read, Kind::Peek, Kind::Readable, Kind::Vectored] {
                let (mut stream, mut peer) = half_std_pair().unwrap();
                let send = || {
                    peer.write_all(b"abcdef").unwrap();
                    peer.shutdown(std::net::Shutdown::Write).unwrap();
                };
                let mut buffer = [0; 3];
                let taken = match kind {
                    Kind::Read => cut.off(stream.read(&mut buffer), send).await.map(Result::unwrap),
                    Kind::Peek => cut.off(stream.peek(&mut buffer), send).await.map(|_| 0),
                    Kind::Readable => cut.off(stream.readable(), send).await.map(|()| 0),
                    Kind::Vectored => {
                        let slices = &mut [io::IoSliceMut::new(&mut buffer)];
                        cut.off(stream.read_vectored(slices), send).await.map(Result::unwrap)
                    }
                };
                let mut heard = buffer[..taken.unwrap_or(0)].to_vec();
                stream.read_to_end(&mut heard).await.unwrap();
                assert_eq!(heard, b"abcdef", "{cut:?}");
            }
        }
    });
}

/// A write that was dropped while it waited has sent nothing.
#[test]
fn write_sends_what_it_says_or_nothing() {
    run(async {
        for cut in all_cuts() {
            let (ours, mut peer) = std::os::unix::net::UnixStream::pair().unwrap();
            let mut ours = UnixStream::from_std(ours).unwrap();
            let mut sent = 0;
            while let Ok(n) = ours.try_write(&[1; 4096]) {
                sent += n;
            }
            let mut heard = vec![0; sent];
            let make_room = || peer.read_exact(&mut heard).unwrap();
            let written = cut.off(ours.write(b"marked"), make_room).await;
            assert!(written.is_some() || cut.polls <= cut.event_before + 1, "{cut:?}: it has waited on");
            let written = written.map_or(0, Result::unwrap);
            ours.close().await.unwrap();
            let mut rest = Vec::new();
            peer.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, b"marked"[..written], "{cut:?}");
        }
    });
}

#[test]
fn a_datagram_is_received_once() {
    run(async {
        for cut in all_cuts() {
            let here = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let there = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            let address = here.local_addr().unwrap();
            let send = || {
                there.send_to(b"first", address).unwrap();
                there.send_to(b"second!", address).unwrap();
            };
            let mut buffer = [0; 16];
            let first = cut.off(here.recv_from(&mut buffer), send).await;
            let mut lengths = Vec::from_iter(first.map(|received| received.unwrap().0));
            while lengths.len() < 2 {
                lengths.push(here.recv_from(&mut buffer).await.unwrap().0);
            }
            assert_eq!(lengths, [5, 7], "{cut:?}");
        }
    });
}

#[test]
fn a_datagram_is_sent_whole_or_not_at_all() {
    run(async {
        for cut in all_cuts() {
            let here = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let there = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let to = there.local_addr().unwrap();
            let sent = cut.off(here.send_to(b"cut", to), || ()).await;
            assert_eq!(sent.is_some(), cut.polls > 0, "there is always room");
            here.send_to(b"marked", to).await.unwrap();
            let mut lengths = Vec::new();
            let mut buffer = [0; 16];
            while lengths.last() != Some(&6) {
                lengths.push(there.recv_from(&mut buffer).await.unwrap().0);
            }
            assert_eq!(lengths.len(), usize::from(sent.is_some()) + 1, "{cut:?}");
        }
    });
}

/// The same where there is no room at first.
#[test]
fn a_unix_datagram_is_sent_whole_or_not_at_all() {
    run(async {
        for cut in all_cuts() {
            let (here, there) = std::os::unix::net::UnixDatagram::pair().unwrap();
            let here = UnixDatagram::from_std(here).unwrap();
            let mut queued = 0;
            while poll_fn(|cx| Poll::Ready(pin!(here.send(b"fill")).poll(cx))).await.is_ready() {
                queued += 1;
                turn_if_budget_is_spent(queued).await;
            }
            let mut buffer = [0; 16];
            // All of it: the system reports room only when there is plenty.
            let make_room = || (0..queued).for_each(|_| assert_eq!(there.recv(&mut buffer).unwrap(), 4));
            let sent = cut.off(here.send(b"cut"), make_room).await;
            assert!(sent.is_some() || cut.polls <= cut.event_before + 1, "{cut:?}: it has waited on");

            here.send(b"marked").await.unwrap();
            let mut received = Vec::new();
            while received.last() != Some(&6) {
                received.push(there.recv(&mut buffer).unwrap());
            }
            assert_eq!(received, [vec![3; usize::from(sent.is_some())], vec![6]].concat(), "{cut:?}");
        }
    });
}

async fn turn_if_budget_is_spent(operations: usize) {
    if operations.is_multiple_of(64) {
        cotask::yield_now().await;
    }
}

/// Dropped, a connect is given up: the server sees no connection, or the end of one.
#[test]
fn a_connect_is_made_or_given_up() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        for cut in all_cuts() {
            let connected = cut.off(TcpStream::connect(address), || ()).await;
            assert!(connected.is_some() || cut.polls < 2, "{cut:?}: loopback answers at once");
            let Some(client) = connected else {
                if cut.polls > 0 {
                    let (mut server, _) = listener.accept().await.unwrap();
                    assert!(matches!(server.read(&mut [0; 1]).await, Ok(0) | Err(_)), "{cut:?}");
                }
                continue;
            };
            let client = client.unwrap();
            let (server, from) = listener.accept().await.unwrap();
            assert_eq!(from, client.local_addr().unwrap(), "{cut:?}");
            drop(server);
        }
        let none = poll_fn(|cx| Poll::Ready(pin!(listener.accept()).poll(cx).is_pending()));
        assert!(none.await, "a connection that no client has made");
    });
}

/// Given up while the pool looks up the name: no task waits for the answer, and nothing hangs.
#[test]
fn a_look_up_may_be_given_up() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for cut in all_cuts() {
            drop(cut.off(TcpStream::connect(("localhost", port)), || ()).await);
        }
        let client = TcpStream::connect(("localhost", port)).await.unwrap();
        assert_eq!(client.peer_addr().unwrap().port(), port);
    });
}
