//! Operations that the kit does not know: wait for readiness, try, and wait again. On descriptors that it does
//! not know by name, and on datagrams.

use std::future::poll_fn;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::rc::Rc;
use std::task::{Context, Poll};

use cotask::net::{AsyncFd, Direction, UdpSocket, UnixDatagram};
use cotask::spawn;
use futures_test::task::new_count_waker;
use rustix::io::ioctl_fionbio;

use crate::alone::alone;
use crate::support::{run, turn};

/// A pipe whose ends do not block.
fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    ioctl_fionbio(&reader, true)?;
    ioctl_fionbio(&writer, true)?;
    Ok((reader, writer))
}

/// Reads what is there, once.
fn try_read(pipe: &AsyncFd<PipeReader>, buffer: &mut [u8]) -> io::Result<usize> {
    pipe.try_io(Direction::Read, || pipe.get_ref().read(buffer))
}

#[track_caller]
fn would_block<T: std::fmt::Debug>(result: io::Result<T>) {
    assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
}

/// Whether one would wait, asked without waiting.
async fn waits(mut ready: impl FnMut(&mut Context<'_>) -> Poll<()>) -> bool {
    poll_fn(|cx| Poll::Ready(ready(cx).is_pending())).await
}

/// At first it counts as ready. That the system says `WouldBlock` clears it, and an event sets it again.
#[cfg(target_os = "linux")]
#[test]
fn an_eventfd() -> io::Result<()> {
    use rustix::event::{EventfdFlags, eventfd};

    run(async {
        let counter = AsyncFd::new(eventfd(0, EventfdFlags::NONBLOCK)?)?;
        let take = |counter: &AsyncFd<std::os::fd::OwnedFd>| {
            let mut bytes = [0; 8];
            let read = || Ok(rustix::io::read(counter.get_ref(), &mut bytes)?);
            assert_eq!(counter.try_io(Direction::Read, read)?, 8);
            io::Result::Ok(u64::from_ne_bytes(bytes))
        };
        assert!(!waits(|cx| counter.poll_read_ready(cx)).await);
        would_block(take(&counter));
        assert!(waits(|cx| counter.poll_read_ready(cx)).await);
        assert!(!waits(|cx| counter.poll_write_ready(cx)).await, "the other direction is as it was");

        let counter = Rc::new(counter);
        let waiting = spawn({
            let counter = Rc::clone(&counter);
            async move {
                counter.readable().await;
                take(&counter)
            }
        });
        cotask::yield_now().await;
        assert!(!waiting.is_finished());
        rustix::io::write(counter.get_ref(), &7_u64.to_ne_bytes())?;
        assert_eq!(waiting.await.unwrap()?, 7);
        would_block(take(&counter));
        Ok(())
    })
}

/// The end of the pipe comes with the same edge as the last bytes, which a larger buffer takes all at once.
#[test]
fn a_short_read_hides_nothing() -> io::Result<()> {
    run(async {
        let (reader, mut writer) = pipe()?;
        let reader = AsyncFd::new(reader)?;
        let mut buffer = [0; 64];
        would_block(try_read(&reader, &mut buffer));
        writer.write_all(b"last")?;
        drop(writer);
        reader.readable().await;
        assert_eq!(try_read(&reader, &mut buffer)?, 4);
        assert!(!waits(|cx| reader.poll_read_ready(cx)).await, "a short read proves nothing here");
        assert_eq!(try_read(&reader, &mut buffer)?, 0);
        assert_eq!(try_read(&reader, &mut buffer)?, 0, "the end remains");
        Ok(())
    })
}

/// One edge reports all that is there: a second read does not have to wait.
#[test]
fn one_edge_many_tries() -> io::Result<()> {
    run(async {
        let (reader, mut writer) = pipe()?;
        let reader = AsyncFd::new(reader)?;
        would_block(try_read(&reader, &mut [0; 1]));
        writer.write_all(b"one by one")?;
        for _ in 0..10 {
            reader.readable().await;
            assert_eq!(try_read(&reader, &mut [0; 1])?, 1);
        }
        would_block(try_read(&reader, &mut [0; 1]));
        Ok(())
    })
}

#[test]
fn a_full_pipe_is_written_when_there_is_room() -> io::Result<()> {
    run(async {
        let (mut reader, writer) = pipe()?;
        let mut writer = AsyncFd::new(writer)?;
        let mut sent = 0;
        while let Ok(length) = writer.try_io(Direction::Write, || writer.get_ref().write(&[1; 4096])) {
            sent += length;
        }
        assert!(sent > 0);
        assert!(waits(|cx| writer.poll_write_ready(cx)).await);

        let writing = spawn(async move {
            writer.writable().await;
            // An operation that asks for a mutable reference.
            let written = writer.get_mut().write(b"the rest");
            writer.try_io(Direction::Write, || written)
        });
        cotask::yield_now().await;
        assert!(!writing.is_finished());
        let mut all = vec![0; sent];
        reader.read_exact(&mut all)?;
        assert_eq!(writing.await.unwrap()?, 8);
        let mut rest = [0; 8];
        reader.read_exact(&mut rest)?;
        assert_eq!(&rest, b"the rest");
        Ok(())
    })
}

/// A task that waits to write must try again when the reader is gone, so it is woken.
#[test]
fn a_reader_that_leaves_ends_the_wait_of_the_writer() -> io::Result<()> {
    run(async {
        let (reader, writer) = pipe()?;
        let writer = AsyncFd::new(writer)?;
        while writer.try_io(Direction::Write, || writer.get_ref().write(&[1; 4096])).is_ok() {}
        let writing = spawn(async move {
            writer.writable().await;
            writer.try_io(Direction::Write, || writer.get_ref().write(b"x"))
        });
        cotask::yield_now().await;
        assert!(!writing.is_finished());
        drop(reader);
        assert_eq!(writing.await.unwrap().unwrap_err().kind(), ErrorKind::BrokenPipe);
        Ok(())
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_is_refused_in_words() -> io::Result<()> {
    run(async {
        for name in [std::env::current_exe()?, std::env::temp_dir()] {
            let error = AsyncFd::new(std::fs::File::open(name)?).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            assert!(error.to_string().starts_with("watch descriptor "), "{error}");
            assert!(error.to_string().contains("spawn_blocking"), "{error}");
        }
        // It comes to no harm: a pipe is watched as ever.
        let (reader, mut writer) = pipe()?;
        let reader = AsyncFd::new(reader)?;
        writer.write_all(b"x")?;
        reader.readable().await;
        assert_eq!(try_read(&reader, &mut [0; 8])?, 1);
        Ok(())
    })
}

/// What is lent is given back open and unwatched; what is given is closed. In a process of its own: where another test starts
/// a process, the copy of the reader stays open there for a moment, and so does the pipe.
#[test]
fn what_it_owns_is_dropped_with_it() {
    alone("ready::what_it_owns_is_dropped_with_it", || {
        let done: io::Result<()> = run(async {
            let (reader, mut writer) = pipe()?;
            for _ in 0..3 {
                let lent = AsyncFd::new(&reader)?;
                #[cfg(target_os = "linux")]
                assert_eq!(AsyncFd::new(&reader).unwrap_err().kind(), ErrorKind::AlreadyExists);
                writer.write_all(b"x")?;
                lent.readable().await;
                assert_eq!(lent.try_io(Direction::Read, || (&reader).read(&mut [0; 8]))?, 1);
            }
            drop(AsyncFd::new(reader)?);
            assert_eq!(writer.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
            Ok(())
        });
        done.unwrap();
    });
}

#[test]
fn datagrams() -> io::Result<()> {
    run(async {
        let system = Rc::new(std::net::UdpSocket::bind("127.0.0.1:0")?);
        let socket = Rc::new(UdpSocket::from_std(system.try_clone()?)?);
        let receive = |system: &std::net::UdpSocket, socket: &UdpSocket| {
            let mut buffer = [0; 8];
            let length = socket.try_io(Direction::Read, || system.recv(&mut buffer))?;
            io::Result::Ok(buffer[..length].to_vec())
        };
        socket.writable().await;
        would_block(receive(&system, &socket));
        let waiting = spawn({
            let (system, socket) = (Rc::clone(&system), Rc::clone(&socket));
            async move {
                socket.readable().await;
                receive(&system, &socket)
            }
        });
        cotask::yield_now().await;
        assert!(!waiting.is_finished());
        let address = socket.local_addr()?;
        for datagram in [b"one", b"two", b"six"] {
            socket.send_to(datagram, address).await?;
        }
        assert_eq!(waiting.await.unwrap()?, b"one");
        // One edge reported all three.
        assert_eq!(receive(&system, &socket)?, b"two");
        assert_eq!(receive(&system, &socket)?, b"six");
        would_block(receive(&system, &socket));
        assert!(waits(|cx| socket.poll_read_ready(cx)).await);
        Ok(())
    })
}

/// A queue of datagrams that is full, as UDP on the loopback interface never shows one.
#[test]
fn datagrams_wait_for_room() -> io::Result<()> {
    run(async {
        let (ours, theirs) = std::os::unix::net::UnixDatagram::pair()?;
        theirs.set_nonblocking(true)?;
        let system = ours.try_clone()?;
        let ours = UnixDatagram::from_std(ours)?;
        let mut sent = 0;
        while ours.try_io(Direction::Write, || system.send(b"x")).is_ok() {
            sent += 1;
        }
        assert!(waits(|cx| ours.poll_write_ready(cx)).await);
        let waiting = spawn(async move {
            ours.writable().await;
            ours.try_io(Direction::Write, || system.send(b"y"))
        });
        cotask::yield_now().await;
        assert!(!waiting.is_finished());
        for _ in 0..sent {
            assert_eq!(theirs.recv(&mut [0; 8])?, 1);
        }
        assert_eq!(waiting.await.unwrap()?, 1);
        Ok(())
    })
}

/// A caller that polls by hand leaves a waker, and none takes the place of another.
#[test]
fn all_who_wait_are_woken() -> io::Result<()> {
    run(async {
        let (reader, mut writer) = pipe()?;
        let reader = AsyncFd::new(reader)?;
        would_block(try_read(&reader, &mut [0; 1]));
        let wakers: Vec<_> = (0..3).map(|_| new_count_waker()).collect();
        for (waker, _) in wakers.iter().chain(&wakers) {
            assert!(reader.poll_read_ready(&mut Context::from_waker(waker)).is_pending());
        }
        writer.write_all(b"x")?;
        while wakers.iter().any(|(_, woken)| woken.get() == 0) {
            turn().await;
        }
        assert!(wakers.iter().all(|(_, woken)| woken.get() == 1), "once each, though each was left twice");
        Ok(())
    })
}
