//! What every kind of socket has: readiness, a try without waiting, and the descriptor.

use std::io;
use std::task::{Context, Poll};

use crate::executor::ready::Direction;
use crate::trace::{Resource, Traced};

#[cfg(unix)]
use super::fd::AsyncFd;
use super::tcp::TcpStream;
use super::udp::UdpSocket;
#[cfg(unix)]
use super::unix::{UnixDatagram, UnixStream};

/// What every kind of socket has.
macro_rules! socket {
    ([$($generics:tt)*] $kind:ty) => {
        /// For operations that this crate does not know: wait, try, and wait again when the try says `WouldBlock`.
        impl<$($generics)*> $kind {
            /// Waits until a read would not block. It may do so all the same: then the try says `WouldBlock`, and one
            /// waits again. A socket that is new counts as ready until a try has said so: without one, this says
            /// nothing of it.
            ///
            /// Cancel safety: dropping this future loses nothing.
            ///
            /// # Panics
            /// When it has to wait and is not in the runtime that the socket was made in.
            ///
            /// # Examples
            /// ```
            /// # use cotask::net::{TcpListener, TcpStream};
            /// # cotask::block_on(async {
            /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// # let client = TcpStream::connect(listener.local_addr()?).await?;
            /// # let (server, _) = listener.accept().await?;
            /// server.try_write(b"x")?;
            /// client.readable().await;
            /// assert_eq!(client.try_read(&mut [0; 8])?, 1);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub async fn readable(&self) {
                self.0.ready(Direction::Read).await;
            }

            /// Waits until a write would not block, as [`readable`](Self::readable) does for a read.
            ///
            /// # Panics
            /// When it has to wait and is not in the runtime that the socket was made in.
            ///
            /// # Examples
            /// ```
            /// # use cotask::net::{TcpListener, TcpStream};
            /// # cotask::block_on(async {
            /// # let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// # let client = TcpStream::connect(listener.local_addr()?).await?;
            /// client.writable().await;
            /// assert_eq!(client.try_write(b"x")?, 1);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub async fn writable(&self) {
                self.0.ready(Direction::Write).await;
            }

            /// [`readable`](Self::readable), to be polled by hand. Each waker that it is polled with is woken, now and then more than once.
            ///
            /// A future of this crate removes its waker when it is dropped; a caller that polls by hand cannot. So
            /// when more than 1,024 wakers that wake different tasks wait in this way, all of them are woken early.
            ///
            /// # Panics
            /// When it has to wait and is not in the runtime that the socket was made in.
            ///
            /// # Examples
            /// ```
            /// use std::future::poll_fn;
            /// use std::task::Poll;
            ///
            /// # cotask::block_on(async {
            /// let socket = cotask::net::UdpSocket::bind("127.0.0.1:0").await?;
            /// let mut buffer = [0; 16];
            /// // A socket that is new counts as ready. A receive finds nothing; from then on it is not.
            /// let nothing = poll_fn(|cx| Poll::Ready(socket.poll_recv_from(cx, &mut buffer)));
            /// assert!(nothing.await.is_pending());
            /// assert!(poll_fn(|cx| Poll::Ready(socket.poll_read_ready(cx))).await.is_pending());
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
                self.0.poll_ready(cx, Direction::Read)
            }

            /// [`writable`](Self::writable), to be polled by hand, as [`poll_read_ready`](Self::poll_read_ready) is
            /// for a read.
            ///
            /// # Panics
            /// When it has to wait and is not in the runtime that the socket was made in.
            ///
            /// # Examples
            /// ```
            /// # cotask::block_on(async {
            /// let socket = cotask::net::UdpSocket::bind("127.0.0.1:0").await?;
            /// std::future::poll_fn(|cx| socket.poll_write_ready(cx)).await;
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
                self.0.poll_ready(cx, Direction::Write)
            }

            /// Does an operation of your own, once, whether the socket is believed to be ready or not. When the
            /// operation returns `WouldBlock`, the socket no longer counts as ready in this direction, and a task can
            /// wait for it.
            ///
            /// Any other result changes nothing: an operation that transferred less than it was asked to does not
            /// show here that the next one would block.
            ///
            /// # Errors
            /// Those of the operation. It must return `WouldBlock` only when the system has returned it for this very
            /// socket, and for what this direction waits for. After a false one a task may wait forever: a call that
            /// asks for urgent data, for example, blocks while there are ordinary bytes to read.
            ///
            /// # Examples
            /// ```
            /// use cotask::net::{Direction, UdpSocket};
            /// use std::io::ErrorKind;
            ///
            /// # cotask::block_on(async {
            /// // The same socket twice, so that one can be asked for what the other does not offer.
            /// let std = std::net::UdpSocket::bind("127.0.0.1:0")?;
            /// let socket = UdpSocket::from_std(std.try_clone()?)?;
            /// let peek = || socket.try_io(Direction::Read, || std.peek(&mut [0; 16]));
            /// assert_eq!(peek().unwrap_err().kind(), ErrorKind::WouldBlock);
            ///
            /// socket.send_to(b"to myself", socket.local_addr()?).await?;
            /// socket.readable().await;
            /// assert_eq!(peek()?, 9);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn try_io<T>(
                &self,
                direction: Direction,
                operation: impl FnOnce() -> io::Result<T>,
            ) -> io::Result<T> {
                self.0.readiness.try_io(direction, operation)
            }
        }

        impl<$($generics)*> Traced for $kind {
            fn resource(&self) -> Resource {
                self.0.readiness.resource()
            }
        }

        /// For options and operations that this crate does not know.
        ///
        /// From then on the runtime does not rely on a short read or write to show that the next one would block,
        /// because the user can change what it means. On Linux that costs a stream one more system call for each wait.
        #[cfg(unix)]
        impl<$($generics)*> std::os::fd::AsFd for $kind {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.0.readiness.lend();
                self.0.io.os().as_fd()
            }
        }
    };
}

socket!([] TcpStream);
socket!([] UdpSocket);
#[cfg(unix)]
socket!([] UnixStream);
#[cfg(unix)]
socket!([] UnixDatagram);
#[cfg(unix)]
socket!([F: std::os::fd::AsFd] AsyncFd<F>);
