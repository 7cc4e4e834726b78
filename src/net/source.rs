//! A system's socket, watched by the runtime's reactor: what all the types of this module are made of.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::rc::Rc;
use std::task::{Context, Poll};

use mio::event;

use crate::executor::{self, Executor};
use crate::reactor::{Direction, Readiness};

/// Registered while it lives.
pub(super) struct Source<S: event::Source> {
    io: S,
    readiness: Rc<Readiness>,
    executor: Rc<Executor>,
}

impl<S: event::Source> Source<S> {
    #[track_caller]
    pub(super) fn new(mut io: S) -> io::Result<Source<S>> {
        let executor = executor::current("a socket");
        let readiness = executor.reactor().register(&mut io)?;
        Ok(Source { io, readiness, executor })
    }

    pub(super) fn io(&self) -> &S {
        &self.io
    }

    pub(super) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(super) async fn ready(&self, direction: Direction) {
        poll_fn(|cx| self.readiness.poll_ready(cx, direction)).await;
    }

    /// An operation that says nothing about whether another one would block.
    pub(super) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.readiness.poll_io(cx, direction, || operation(&self.io), |_| false)
    }

    pub(super) async fn wait<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        poll_fn(|cx| self.poll(cx, direction, &mut operation)).await
    }
}

/// For streams of bytes: there, less than asked means that there is no more. Nothing at all is the end of the
/// stream, and that remains.
impl<S: event::Source> Source<S>
where
    for<'a> &'a S: Read + Write,
{
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let asked = buffer.len();
        let read = || (&self.io).read(buffer);
        self.readiness.poll_io(cx, Direction::Read, read, |&n| 0 < n && n < asked)
    }

    pub(super) fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let asked: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        let read = || (&self.io).read_vectored(buffers);
        self.readiness.poll_io(cx, Direction::Read, read, |&n| 0 < n && n < asked)
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let write = || (&self.io).write(bytes);
        self.readiness.poll_io(cx, Direction::Write, write, |&n| 0 < n && n < bytes.len())
    }

    pub(super) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let asked: usize = slices.iter().map(|slice| slice.len()).sum();
        let write = || (&self.io).write_vectored(slices);
        self.readiness.poll_io(cx, Direction::Write, write, |&n| 0 < n && n < asked)
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.readiness.try_io(Direction::Read, || (&self.io).read(buffer))
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.readiness.try_io(Direction::Write, || (&self.io).write(bytes))
    }
}

impl<S: event::Source> Drop for Source<S> {
    fn drop(&mut self) {
        self.executor.reactor().deregister(&mut self.io, &self.readiness);
    }
}

impl<S: event::Source + fmt::Debug> fmt::Debug for Source<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.fmt(f)
    }
}

/// Says what was attempted, and with which address: "connect to 127.0.0.1:9: Connection refused".
pub(super) fn naming(what: &str, address: impl fmt::Display) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), Named { what: format!("{what} {address}"), error })
}

/// Keeps the system's own error as the source: its number tells more than its kind.
#[derive(Debug)]
struct Named {
    what: String,
    error: io::Error,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.error)
    }
}

impl std::error::Error for Named {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Implements `futures::io`'s traits for a type with a field `source`, and for references to it.
macro_rules! futures_io {
    ($stream:ty) => {
        impl futures::io::AsyncRead for &$stream {
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buffer: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.source.poll_read(cx, buffer)
            }

            fn poll_read_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.source.poll_read_vectored(cx, buffers)
            }
        }

        impl futures::io::AsyncWrite for &$stream {
            fn poll_write(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.source.poll_write(cx, bytes)
            }

            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                slices: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.source.poll_write_vectored(cx, slices)
            }

            /// Nothing is buffered here, so there is nothing to flush.
            fn poll_flush(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::task::Poll::Ready(Ok(()))
            }

            /// Ends the writing direction. That the peer is gone already is no error.
            fn poll_close(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::task::Poll::Ready(match self.shutdown(std::net::Shutdown::Write) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotConnected => Ok(()),
                    result => result,
                })
            }
        }

        $crate::net::source::forward_read!($stream, |stream| &*stream);
        $crate::net::source::forward_write!($stream, |stream| &*stream);
    };
}

/// Implements `AsyncRead` by forwarding to what `$of` gives for a `&mut` of the type.
macro_rules! forward_read {
    ($owner:ty, |$this:ident| $of:expr) => {
        impl futures::io::AsyncRead for $owner {
            fn poll_read(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buffer: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $this = &mut *self;
                std::pin::Pin::new(&mut $of).poll_read(cx, buffer)
            }

            fn poll_read_vectored(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $this = &mut *self;
                std::pin::Pin::new(&mut $of).poll_read_vectored(cx, buffers)
            }
        }
    };
}

/// Implements `AsyncWrite` in the same way.
macro_rules! forward_write {
    ($owner:ty, |$this:ident| $of:expr) => {
        impl futures::io::AsyncWrite for $owner {
            fn poll_write(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $this = &mut *self;
                std::pin::Pin::new(&mut $of).poll_write(cx, bytes)
            }

            fn poll_write_vectored(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                slices: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $this = &mut *self;
                std::pin::Pin::new(&mut $of).poll_write_vectored(cx, slices)
            }

            fn poll_flush(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                let $this = &mut *self;
                std::pin::Pin::new(&mut $of).poll_flush(cx)
            }

            fn poll_close(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                let $this = &mut *self;
                std::pin::Pin::new(&mut $of).poll_close(cx)
            }
        }
    };
}

pub(super) use {forward_read, forward_write, futures_io};
