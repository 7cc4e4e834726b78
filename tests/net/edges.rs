//! Readiness comes in edges. These are the ways to lose one.

use std::cell::RefCell;
use std::io::Write;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc;
use std::task::Poll;
use std::{io, thread};

use cotask::net::{Direction, TcpStream, UnixStream};
use futures::{AsyncReadExt, AsyncWriteExt};
use rustix::event::PollFlags;

use crate::support::{arrived, half_std_pair, run};

#[cfg(target_os = "linux")]
const DATA_AND_END: PollFlags = PollFlags::IN.union(PollFlags::RDHUP);

/// The reader is known to wait for an event: a try has said that there is nothing.
fn drain(stream: &TcpStream) {
    let nothing = stream.try_read(&mut [0; 1]).expect_err("nothing was sent yet");
    assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
}

/// The end comes with the same edge as the last bytes. A short read takes the bytes and shows that the socket
/// is drained; it must not clear what the edge said of the end, because no other edge will come.
#[cfg(target_os = "linux")]
#[test]
fn data_and_end_in_one_edge() -> io::Result<()> {
    run(async {
        let (mut reader, mut writer) = half_std_pair()?;
        drain(&reader);
        writer.write_all(b"last")?;
        writer.shutdown(Shutdown::Write)?;
        arrived(&reader, DATA_AND_END);

        let mut buffer = [0; 64];
        assert_eq!(reader.read(&mut buffer).await?, 4);
        assert_eq!(reader.read(&mut buffer).await?, 0);
        assert_eq!(reader.read(&mut buffer).await?, 0, "the end of a stream remains");
        Ok(())
    })
}

/// The same before the reactor has seen any event of the source, which is then believed to be ready.
#[cfg(target_os = "linux")]
#[test]
fn data_and_end_before_the_first_poll() -> io::Result<()> {
    run(async {
        let (mut reader, mut writer) = half_std_pair()?;
        writer.write_all(b"last")?;
        writer.shutdown(Shutdown::Write)?;
        arrived(&reader, DATA_AND_END);

        let mut buffer = [0; 64];
        assert_eq!(reader.read(&mut buffer).await?, 4);
        assert_eq!(reader.read(&mut buffer).await?, 0);
        Ok(())
    })
}

/// And between the event that reported the data and the read that takes it.
#[cfg(target_os = "linux")]
#[test]
fn end_between_the_event_and_the_read() -> io::Result<()> {
    run(async {
        let (mut reader, mut writer) = half_std_pair()?;
        drain(&reader);
        writer.write_all(b"last")?;
        reader.readable().await;
        writer.shutdown(Shutdown::Write)?;
        arrived(&reader, DATA_AND_END);

        let mut buffer = [0; 64];
        assert_eq!(reader.read(&mut buffer).await?, 4);
        assert_eq!(reader.read(&mut buffer).await?, 0);
        Ok(())
    })
}

#[test]
fn data_and_end_in_one_edge_of_a_unix_stream() -> io::Result<()> {
    run(async {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair()?;
        let mut ours = UnixStream::from_std(ours)?;
        let nothing = ours.try_read(&mut [0; 1]).expect_err("nothing was sent yet");
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        // Within one machine, what was written is there when the call is back.
        theirs.write_all(b"last")?;
        drop(theirs);

        let mut buffer = [0; 64];
        assert_eq!(ours.read(&mut buffer).await?, 4);
        assert_eq!(ours.read(&mut buffer).await?, 0);
        Ok(())
    })
}

/// A read stops short at the mark of urgent data, though more lies behind it.
#[cfg(target_os = "linux")]
#[test]
fn urgent_data_makes_a_read_short_that_has_not_drained() -> io::Result<()> {
    run(async {
        let (mut reader, mut writer) = half_std_pair()?;
        drain(&reader);
        writer.write_all(b"before")?;
        socket2::SockRef::from(&writer).send_out_of_band(b"!")?;
        writer.write_all(b"behind")?;
        let all = b"before".len() + b"behind".len();
        arrived(&reader, PollFlags::IN | PollFlags::PRI);

        let mut buffer = [0; 64];
        let mut heard = Vec::new();
        while heard.len() < all {
            let n = reader.read(&mut buffer).await?;
            heard.extend_from_slice(&buffer[..n]);
        }
        assert_eq!(heard, b"beforebehind");
        Ok(())
    })
}

/// Takes the urgent byte with a system call of our own, before the reactor has seen any event of it. The event then
/// reports no urgent data any more, and the read stops at its mark all the same.
#[cfg(target_os = "linux")]
fn urgent_data_that_the_user_takes_first(
    sockets: impl AsyncFnOnce() -> io::Result<(TcpStream, std::net::TcpStream)>,
    take: impl FnOnce(&TcpStream, &dyn Fn(BorrowedFd<'_>) -> io::Result<()>) -> io::Result<()>,
) -> io::Result<()> {
    const PART: usize = 4096;
    run(async {
        let (reader, mut writer) = sockets().await?;
        drain(&reader);
        let mut buffer = [0; 2 * PART];
        // The first read has to wait for the event.
        let mut first = Box::pin(async { (&reader).read(&mut buffer).await });
        let polled = std::future::poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending()));
        assert!(polled.await);

        writer.write_all(&[1; PART])?;
        socket2::SockRef::from(&writer).send_out_of_band(b"!")?;
        writer.write_all(&[2; PART])?;
        take(&reader, &|reader| {
            // Look at the socket without `AsFd` of ours.
            arrived(&reader, PollFlags::IN | PollFlags::PRI);
            let mut urgent = [0; 1];
            rustix::net::recv(reader, &mut urgent, rustix::net::RecvFlags::OOB)?;
            assert_eq!(&urgent, b"!");
            Ok(())
        })?;

        let mut heard = first.await?;
        while heard < 2 * PART {
            heard += (&reader).read(&mut [0; 2 * PART]).await?;
        }
        Ok(())
    })
}

#[cfg(target_os = "linux")]
async fn made_by_the_runtime() -> io::Result<(TcpStream, std::net::TcpStream)> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let ours = TcpStream::connect(listener.local_addr()?).await?;
    Ok((ours, listener.accept()?.0))
}

#[cfg(target_os = "linux")]
#[test]
fn urgent_data_taken_through_try_io() -> io::Result<()> {
    urgent_data_that_the_user_takes_first(made_by_the_runtime, |reader, take| {
        reader.try_io(Direction::Read, || take(reader.as_fd()))
    })
}

#[cfg(target_os = "linux")]
#[test]
fn urgent_data_taken_from_a_borrowed_descriptor() -> io::Result<()> {
    urgent_data_that_the_user_takes_first(made_by_the_runtime, |reader, take| take(reader.as_fd()))
}

/// The user has kept a second descriptor of a socket that the runtime took over.
#[cfg(target_os = "linux")]
#[test]
fn urgent_data_taken_from_a_second_descriptor() -> io::Result<()> {
    let kept = RefCell::new(None);
    let sockets = async || {
        let (ours, theirs) = crate::support::std_pair()?;
        kept.replace(Some(ours.try_clone()?));
        Ok((TcpStream::from_std(ours)?, theirs))
    };
    urgent_data_that_the_user_takes_first(sockets, |_, take| {
        take(kept.borrow().as_ref().expect("it was just kept").as_fd())
    })
}

/// A short read still saves the call that would return `WouldBlock`, if only the runtime has a descriptor of the
/// socket.
#[cfg(target_os = "linux")]
#[test]
fn a_short_read_is_believed_of_a_socket_that_is_the_runtimes_alone() -> io::Result<()> {
    run(async {
        for lent in [false, true] {
            let (reader, mut writer) = made_by_the_runtime().await?;
            if lent {
                let _ = reader.as_fd();
            }
            writer.write_all(b"short")?;
            assert_eq!((&reader).read(&mut [0; 64]).await?, 5);
            let asked = std::future::poll_fn(|cx| Poll::Ready(reader.poll_read_ready(cx).is_ready())).await;
            assert_eq!(asked, lent, "whether the socket still counts as ready");
        }
        Ok(())
    })
}

/// A read of a Unix stream stops short after bytes that came with descriptors, though more lies behind them.
#[test]
fn passed_descriptors_make_a_read_short_that_has_not_drained() -> io::Result<()> {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    use std::os::fd::AsFd;

    run(async {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair()?;
        let mut ours = UnixStream::from_std(ours)?;
        let nothing = ours.try_read(&mut [0; 1]).expect_err("nothing was sent yet");
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);

        let passed = [theirs.as_fd()];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(&passed)));
        sendmsg(&theirs, &[io::IoSlice::new(b"with one")], &mut control, SendFlags::empty())?;
        theirs.write_all(b", behind")?;

        let mut heard = [0; 16];
        let mut filled = 0;
        while filled < heard.len() {
            let mut buffer = [0; 64];
            let n = ours.read(&mut buffer).await?;
            heard[filled..filled + n].copy_from_slice(&buffer[..n]);
            filled += n;
        }
        assert_eq!(&heard, b"with one, behind");
        Ok(())
    })
}

/// The system takes 1,024 slices in one call. That it has not written the others does not show that there is
/// no room.
#[test]
fn more_slices_than_the_system_takes() -> io::Result<()> {
    const SLICES: usize = 3000;
    run(async {
        let (mut writer, reader) = half_std_pair()?;
        let bytes: Vec<u8> = (0..SLICES).map(|i| i as u8).collect();
        let slices: Vec<_> = bytes.chunks(1).map(io::IoSlice::new).collect();
        let mut written = 0;
        while written < SLICES {
            written += writer.write_vectored(&slices[written..]).await?;
        }
        writer.close().await?;

        let mut reader = TcpStream::from_std(reader)?;
        let mut heard = vec![0; SLICES];
        let mut filled = 0;
        while filled < SLICES {
            let mut slices: Vec<_> = heard[filled..].chunks_mut(1).map(io::IoSliceMut::new).collect();
            filled += reader.read_vectored(&mut slices).await?;
        }
        assert_eq!(heard, bytes);
        Ok(())
    })
}

/// Bytes that come one by one, from a thread that does not wait for the reader, and a reader whose reads are
/// all short: between each read and the clearing of the flag there may be a new edge, which must survive.
#[test]
fn a_stale_clear_erases_nothing() -> io::Result<()> {
    const BYTES: usize = 20_000;
    run(async {
        let (mut reader, mut writer) = half_std_pair()?;
        writer.set_nodelay(true)?;
        let writing = thread::spawn(move || (0..BYTES).try_for_each(|i| writer.write_all(&[i as u8])));
        let mut buffer = [0; 64];
        let mut heard = 0;
        loop {
            let n = reader.read(&mut buffer).await?;
            if n == 0 {
                break;
            }
            for byte in &buffer[..n] {
                assert_eq!(*byte, heard as u8);
                heard += 1;
            }
        }
        assert_eq!(heard, BYTES);
        writing.join().expect("the writer does not panic")
    })
}

/// The writer fills the system's buffers, notices this by a short write, and must be woken when there is room again.
#[test]
fn a_short_write_waits_for_room() -> io::Result<()> {
    const BYTES: usize = 64 << 20;
    run(async {
        let (mut writer, reader) = half_std_pair()?;
        let (full, read_now) = mpsc::channel();
        let reading = thread::spawn(move || {
            read_now.recv().expect("the writer meets a full buffer");
            let mut heard = Vec::with_capacity(BYTES);
            io::Read::read_to_end(&mut { reader }, &mut heard).map(|_| heard)
        });
        let bytes: Vec<u8> = (0..BYTES).map(|i| (i / 7) as u8).collect();
        let mut rest = &bytes[..];
        let mut short = 0;
        while !rest.is_empty() {
            let n = writer.write(rest).await?;
            if n < rest.len() {
                short += 1;
                // Once it has been short, the next write has to wait.
                let _ = full.send(());
            }
            rest = &rest[n..];
        }
        writer.close().await?;
        assert!(short > 0, "64 MiB went into the system's buffers at once");
        assert!(reading.join().expect("the reader does not panic")? == bytes);
        Ok(())
    })
}
