//! Streams of bytes: the same for TCP and for Unix sockets.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::task::{Context, Poll};

use crate::base::os::{self, Source};

use crate::executor::ready::Direction;

use super::io::Io;
use super::socket::Socket;

/// What is particular to a kind of stream.
pub trait Stream: Source + Sized {
    /// Whether a read that gave less than asked shows that there is no more.
    const SHORT_READ_DRAINS: bool;

    /// What reads and writes through a shared reference.
    fn bytes(io: &Io<Self>) -> impl Read + Write;
    fn shutdown(io: &Io<Self>, how: Shutdown) -> io::Result<()>;
}

impl Stream for os::TcpStream {
    const SHORT_READ_DRAINS: bool = true;

    fn bytes(io: &Io<Self>) -> impl Read + Write {
        io
    }

    fn shutdown(io: &Io<Self>, how: Shutdown) -> io::Result<()> {
        io.shutdown(how)
    }
}

#[cfg(unix)]
impl Stream for os::UnixStream {
    /// A read stops short after bytes with which the peer has passed descriptors, and no event reports that.
    const SHORT_READ_DRAINS: bool = false;

    fn bytes(io: &Io<Self>) -> impl Read + Write {
        io.os()
    }

    fn shutdown(io: &Io<Self>, how: Shutdown) -> io::Result<()> {
        io.os().shutdown(how)
    }
}

impl<S: Stream> Socket<S> {
    /// Nothing at all is the end of a stream, and that remains: it does not count as short.
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Transfer {
        let asked = buffer.len();
        let drained = |&n: &usize| S::SHORT_READ_DRAINS && 0 < n && n < asked;
        self.poll_io(cx, Direction::Read, |io| S::bytes(io).read(buffer), drained)
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Transfer {
        let drained = |&n: &usize| 0 < n && n < bytes.len();
        self.poll_io(cx, Direction::Write, |io| S::bytes(io).write(bytes), drained)
    }

    /// The system takes so many slices in one call (1,024 on Linux) and leaves the others: less than asked says
    /// nothing here, and in `poll_write_vectored` neither.
    pub(super) fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Transfer {
        self.poll(cx, Direction::Read, None, |io| S::bytes(io).read_vectored(buffers))
    }

    pub(super) fn poll_write_vectored(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Transfer {
        self.poll(cx, Direction::Write, None, |io| S::bytes(io).write_vectored(slices))
    }

    /// Ends the writing direction. That the peer is gone already is no error.
    pub(super) fn end(&self) -> io::Result<()> {
        match S::shutdown(&self.io, Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }
}

/// How many bytes went over.
pub(super) type Transfer = Poll<io::Result<usize>>;
