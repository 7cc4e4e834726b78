//! What sockets are for: bytes and datagrams that arrive as they were sent.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::path::PathBuf;

use cotask::JoinSet;
use cotask::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use futures::io::{AsyncRead, AsyncWrite, copy};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};

use crate::support::{run, tcp_pair};

/// More than any buffer of the system holds, so that both ends must take turns.
const MUCH: usize = 8 << 20;

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8).collect()
}

/// Writes and reads at once, as an echo of more than the buffers hold demands.
async fn goes_around<S>(stream: S, bytes: &[u8]) -> io::Result<Vec<u8>>
where
    S: AsyncRead + AsyncWrite,
{
    let (mut reader, mut writer) = stream.split();
    let mut heard = Vec::new();
    let write = async {
        writer.write_all(bytes).await?;
        writer.close().await
    };
    let (written, read) = futures::future::join(write, reader.read_to_end(&mut heard)).await;
    written.and(read).map(|_| heard)
}

#[test]
fn tcp_echo_of_more_than_the_buffers_hold() -> io::Result<()> {
    run(async {
        let listener = TcpListener::bind("localhost:0").await?;
        let address = listener.local_addr()?;
        cotask::spawn(async move {
            let mut connections = listener.incoming();
            while let Some(Ok(stream)) = connections.next().await {
                cotask::spawn(async move {
                    copy(&stream, &mut &stream).await?;
                    stream.shutdown(Shutdown::Write)
                });
            }
        });
        let mut clients = JoinSet::new();
        for client in 0..4 {
            clients.spawn(async move {
                let bytes = pattern(MUCH + client);
                let heard = goes_around(TcpStream::connect(address).await?, &bytes).await?;
                assert!(heard == bytes);
                io::Result::Ok(())
            });
        }
        while let Some(result) = clients.join_next().await {
            result.expect("no client panics")?;
        }
        Ok(())
    })
}

/// A folder of its own, removed when the test has finished.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(test: &str) -> io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("cotask-net-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn unix_echo_of_more_than_the_buffers_hold() -> io::Result<()> {
    let folder = Folder::new("echo")?;
    let path = folder.0.join("socket");
    run(async {
        let listener = UnixListener::bind(&path)?;
        assert_eq!(listener.local_addr()?.as_pathname(), Some(path.as_path()));
        cotask::spawn(async move {
            let (stream, _unnamed) = listener.accept().await?;
            copy(&stream, &mut &stream).await?;
            stream.shutdown(Shutdown::Write)
        });
        let bytes = pattern(MUCH);
        assert!(goes_around(UnixStream::connect(&path).await?, &bytes).await? == bytes);
        Ok(())
    })
}

#[test]
fn udp_echo() -> io::Result<()> {
    run(async {
        let server = UdpSocket::bind("127.0.0.1:0").await?;
        let address = server.local_addr()?;
        cotask::spawn(async move {
            let mut datagram = [0; 2048];
            loop {
                let (length, from) = server.recv_from(&mut datagram).await?;
                server.send_to(&datagram[..length], from).await?;
            }
            #[expect(unreachable_code, reason = "tells the block's type")]
            io::Result::Ok(())
        });
        let client = UdpSocket::bind("127.0.0.1:0").await?;
        client.connect(address).await?;
        let mut answer = [0; 2048];
        // One at a time: of datagrams that pile up the system may drop some.
        for length in [0, 1, 2, 1000, 1400] {
            let bytes = pattern(length);
            client.send(&bytes).await?;
            assert_eq!(client.recv(&mut answer).await?, length);
            assert_eq!(answer[..length], bytes);
        }
        client.send(b"longer than the buffer").await?;
        assert_eq!(client.recv(&mut answer[..6]).await?, 6, "the rest of a datagram is cut off");
        client.send(b"next").await?;
        assert_eq!(client.peek_from(&mut answer).await?, (4, address));
        assert_eq!(client.recv(&mut answer).await?, 4);
        assert_eq!(&answer[..4], b"next");
        Ok(())
    })
}

/// A Unix datagram is never dropped: the sender waits while the receiver's queue is full.
#[test]
fn unix_datagrams_wait_for_room() -> io::Result<()> {
    const DATAGRAMS: usize = 2000;
    run(async {
        let (here, there) = UnixDatagram::pair()?;
        let sending = cotask::spawn(async move {
            for i in 0..DATAGRAMS {
                here.send(&pattern(i)).await?;
            }
            io::Result::Ok(())
        });
        // The sender goes first, and as far as it can: only then is its queue full.
        cotask::yield_now().await;
        let mut datagram = [0; DATAGRAMS];
        for i in 0..DATAGRAMS {
            let length = there.recv(&mut datagram).await?;
            assert_eq!(datagram[..length], pattern(i));
        }
        sending.await.expect("the sender does not panic")
    })
}

#[test]
fn unix_datagrams_between_paths() -> io::Result<()> {
    let folder = Folder::new("datagrams")?;
    let (here, there) = (folder.0.join("here"), folder.0.join("there"));
    run(async {
        let receiver = UnixDatagram::bind(&there)?;
        let sender = UnixDatagram::from_std(std::os::unix::net::UnixDatagram::bind(&here)?)?;
        assert_eq!(sender.try_send_to(b"one", &there)?, 3);
        let mut datagram = [0; 8];
        let (length, from) = receiver.recv_from(&mut datagram).await?;
        assert_eq!((&datagram[..length], from.as_pathname()), (&b"one"[..], Some(here.as_path())));
        sender.connect(&there)?;
        sender.send(b"four").await?;
        assert_eq!(receiver.recv(&mut datagram).await?, 4);
        let nowhere = sender.try_send_to(b"x", folder.0.join("nobody")).unwrap_err();
        assert_eq!(nowhere.kind(), io::ErrorKind::NotFound);
        assert!(nowhere.to_string().contains("nobody"), "{nowhere}");
        Ok(())
    })
}

#[test]
fn vectored_writes_keep_the_order() -> io::Result<()> {
    run(async {
        let (mut writer, mut reader) = tcp_pair().await?;
        let slices =
            [IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"two "), IoSlice::new(b"three")];
        assert_eq!(writer.write_vectored(&slices).await?, 13);
        writer.close().await?;
        let mut heard = String::new();
        reader.read_to_string(&mut heard).await?;
        assert_eq!(heard, "one two three");
        Ok(())
    })
}

#[test]
fn halves_in_two_tasks() -> io::Result<()> {
    run(async {
        let (client, server) = tcp_pair().await?;
        cotask::spawn(async move {
            copy(&server, &mut &server).await?;
            server.shutdown(Shutdown::Write)
        });
        let (mut reader, mut writer) = client.into_split();
        let reading = cotask::spawn(async move {
            let mut heard = Vec::new();
            reader.read_to_end(&mut heard).await.map(|_| heard)
        });
        let writing = cotask::spawn(async move {
            // Dropped at its end, which ends this direction alone.
            writer.write_all(&pattern(MUCH)).await
        });
        writing.await.expect("the writer does not panic")?;
        assert!(reading.await.expect("the reader does not panic")? == pattern(MUCH));
        Ok(())
    })
}

#[test]
fn peek_takes_nothing_and_tries_do_not_wait() -> io::Result<()> {
    run(async {
        let (client, mut server) = tcp_pair().await?;
        let mut buffer = [0; 16];
        assert_eq!(client.try_read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(server.try_write(b"hello")?, 5);
        assert_eq!(client.peek(&mut buffer).await?, 5);
        assert_eq!(client.peek(&mut buffer[..2]).await?, 2);
        client.readable().await;
        assert_eq!(client.try_read(&mut buffer)?, 5);
        assert_eq!(&buffer[..5], b"hello");
        assert_eq!(client.try_read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        server.close().await?;
        assert_eq!(client.peek(&mut buffer).await?, 0);
        assert_eq!(client.try_read(&mut buffer)?, 0);

        let mut room = 0;
        while let Ok(n) = client.try_write(&[0; 65_536]) {
            room += n;
        }
        let full = client.try_write(&[0; 65_536]).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        let mut taken = vec![0; room];
        futures::future::join(client.writable(), server.read_exact(&mut taken)).await.1?;
        Ok(())
    })
}

#[test]
fn options_and_addresses() -> io::Result<()> {
    run(async {
        let (client, server) = tcp_pair().await?;
        assert!(!client.nodelay()?);
        client.set_nodelay(true)?;
        assert!(client.nodelay()?);
        assert_eq!(client.local_addr()?, server.peer_addr()?);
        assert_eq!(client.peer_addr()?, server.local_addr()?);
        Ok(())
    })
}
