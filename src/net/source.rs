//! A system's socket, watched by the runtime's reactor: what all the types of this module are made of.

use std::any::type_name;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::rc::Rc;
use std::task::{Context, Poll};

use mio::event;

use crate::current;
use crate::executor::Executor;
use crate::reactor::{Direction, Readiness};
use crate::trace::Event;

/// Registered while it lives.
pub(super) struct Source<S: event::Source> {
    io: S,
    readiness: Rc<Readiness>,
    executor: Rc<Executor>,
}

impl<S: event::Source> Source<S> {
    #[track_caller]
    pub(super) fn new(mut io: S) -> io::Result<Source<S>> {
        let executor = current::executor("a socket");
        let readiness = executor.reactor().register(&mut io)?;
        executor.record(|recorder, at| {
            let (socket, by) = (readiness.resource(), recorder.actor());
            let kind = type_name::<S>().rsplit("::").next().unwrap_or_default();
            recorder.push(at, Event::SocketOpened { socket, by, kind });
        });
        Ok(Source { io, readiness, executor })
    }

    pub(super) fn io(&self) -> &S {
        &self.io
    }

    pub(super) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(super) async fn ready(&self, direction: Direction) {
        poll_fn(|cx| self.awaited(self.readiness.poll_ready(cx, direction))).await;
    }

    /// Only its own runtime can wake who waits for a socket: anywhere else the wait would be for ever.
    fn awaited<T>(&self, polled: Poll<T>) -> Poll<T> {
        assert!(
            polled.is_ready() || current::is(&self.executor),
            "a socket was awaited outside of the runtime that it was made in, which alone can tell when it is \
             ready: await it inside that runtime's `block_on`, or in a task spawned there"
        );
        polled
    }

    /// An operation that says nothing about whether another one would block.
    pub(super) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.poll_io(cx, direction, || operation(&self.io), |_| false)
    }

    fn poll_io<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        operation: impl FnMut() -> io::Result<T>,
        drained: impl FnOnce(&T) -> bool,
    ) -> Poll<io::Result<T>> {
        self.awaited(self.readiness.poll_io(cx, direction, operation, drained))
    }

    pub(super) async fn wait<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        poll_fn(|cx| self.poll(cx, direction, &mut operation)).await
    }
}

/// What is particular to a kind of stream.
pub(super) trait Stream: event::Source {
    /// Whether a read that gave less than asked shows that there is no more.
    const SHORT_READ_DRAINS: bool;
}

impl Stream for mio::net::TcpStream {
    const SHORT_READ_DRAINS: bool = true;
}

/// A read stops short after bytes with which the peer has passed descriptors, and no event tells of it.
#[cfg(unix)]
impl Stream for mio::net::UnixStream {
    const SHORT_READ_DRAINS: bool = false;
}

/// Nothing at all is the end of a stream, and that remains: it does not count as short.
impl<S: Stream> Source<S>
where
    for<'a> &'a S: Read + Write,
{
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let asked = buffer.len();
        let read = || (&self.io).read(buffer);
        self.poll_io(cx, Direction::Read, read, |&n| S::SHORT_READ_DRAINS && 0 < n && n < asked)
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let write = || (&self.io).write(bytes);
        self.poll_io(cx, Direction::Write, write, |&n| 0 < n && n < bytes.len())
    }

    /// The system takes so many slices in one call (1,024 on Linux) and leaves the others: less than asked says
    /// nothing here, and in `poll_write_vectored` neither.
    pub(super) fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, Direction::Read, |io| { io }.read_vectored(buffers))
    }

    pub(super) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, Direction::Write, |io| { io }.write_vectored(slices))
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
        self.executor.record(|recorder, at| {
            let (socket, by) = (self.readiness.resource(), recorder.actor());
            recorder.push(at, Event::SocketClosed { socket, by });
        });
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

/// Lets a socket be named in traces: a type with this field.
macro_rules! traced {
    ($socket:ty, $field:ident) => {
        impl $crate::trace::Traced for $socket {
            fn resource(&self) -> $crate::trace::Resource {
                self.$field.readiness().resource()
            }
        }
    };
}

pub(super) use {forward_read, forward_write, futures_io, traced};

#[cfg(test)]
mod tests {
    use super::*;

    /// Closing a descriptor has the system forget it, mostly; the reactor must be told in any case.
    #[test]
    fn a_source_that_is_dropped_is_not_watched_any_more() {
        crate::block_on(async {
            let executor = current::executor("this test");
            let reactor = executor.reactor();
            for _ in 0..10 {
                let address = "127.0.0.1:0".parse().unwrap();
                let source = Source::new(mio::net::UdpSocket::bind(address).unwrap()).unwrap();
                assert_eq!(reactor.len(), 1);
                drop(source);
                assert_eq!(reactor.len(), 0);
            }
        });
    }
}
