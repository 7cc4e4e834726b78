//! What a `TcpListener` and a `UnixListener` have.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::executor::reactor::Place;
use crate::trace::{Resource, Traced};

use super::listener::Listening;
use super::tcp::{TcpListener, TcpStream};
#[cfg(unix)]
use super::unix::{UnixListener, UnixStream};

/// The connections that a listener accepts: [`incoming`](super::TcpListener::incoming).
pub struct Incoming<'a, L = TcpListener> {
    listener: &'a L,
    place: Place<'a>,
}

impl<L: fmt::Debug> fmt::Debug for Incoming<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("listener", self.listener).finish()
    }
}

/// What a `TcpListener` and a `UnixListener` have.
macro_rules! listener {
    ($kind:ident, $stream:ident, $address:ty) => {
        impl $kind {
            /// Waits for a connection. A connection that was gone before it was accepted is passed over.
            ///
            /// After any other error, mostly that the system has no descriptor or no memory left, the *next* call waits
            /// 50 ms before it asks again: a server that logs the error and goes on accepting neither spins nor stays
            /// deaf, and the connection that met the error is served then.
            ///
            /// Cancel safety: dropping this future loses no connection.
            ///
            /// # Errors
            /// Those of the system, naming the listener's address. None need be the listener's end: Linux also hands
            /// out here what the network has done to the connection.
            ///
            /// # Examples
            /// ```
            /// use cotask::net::{TcpListener, TcpStream};
            ///
            /// # cotask::block_on(async {
            /// let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// let client = TcpStream::connect(listener.local_addr()?).await?;
            /// let (_server, address) = listener.accept().await?;
            /// assert_eq!(address, client.local_addr()?);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub async fn accept(&self) -> io::Result<($stream, $address)> {
                let mut place = self.0.place();
                poll_fn(|cx| self.0.poll_accept_at(cx, Some(&mut place)))
                    .await
                    .map(|(stream, address)| ($stream(stream), address))
            }

            /// [`accept`](Self::accept), to be polled by hand.
            ///
            /// # Examples
            /// ```
            /// use cotask::net::TcpListener;
            /// use std::future::poll_fn;
            ///
            /// # cotask::block_on(async {
            /// let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// let nobody = poll_fn(|cx| std::task::Poll::Ready(listener.poll_accept(cx))).await;
            /// assert!(nobody.is_pending());
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<($stream, $address)>> {
                self.0.poll_accept_at(cx, None).map_ok(|(stream, address)| ($stream(stream), address))
            }

            /// The connections as a stream, which never ends by itself.
            ///
            /// # Examples
            /// ```
            /// use cotask::net::{TcpListener, TcpStream};
            /// use futures::StreamExt;
            ///
            /// # cotask::block_on(async {
            /// let listener = TcpListener::bind("127.0.0.1:0").await?;
            /// let _client = TcpStream::connect(listener.local_addr()?).await?;
            /// let first = listener.incoming().next().await.unwrap()?;
            /// assert!(first.peer_addr()?.ip().is_loopback());
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn incoming(&self) -> Incoming<'_, $kind> {
                Incoming { listener: self, place: self.0.place() }
            }

            /// The address it listens at.
            ///
            /// # Errors
            /// Those of the system.
            ///
            /// # Examples
            /// ```
            /// # cotask::block_on(async {
            /// let listener = cotask::net::TcpListener::bind("127.0.0.1:0").await?;
            /// assert_ne!(listener.local_addr()?.port(), 0);
            /// # std::io::Result::Ok(())
            /// # }).unwrap();
            /// ```
            pub fn local_addr(&self) -> io::Result<$address> {
                Listening::local_addr(&self.0.socket.io)
            }
        }

        impl futures::Stream for Incoming<'_, $kind> {
            type Item = io::Result<$stream>;

            fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                let Incoming { listener, place } = &mut *self;
                let accepted = listener.0.poll_accept_at(cx, Some(place));
                accepted.map(|accepted| Some(accepted.map(|(stream, _)| $stream(stream))))
            }
        }

        impl Traced for $kind {
            fn resource(&self) -> Resource {
                self.0.socket.readiness.resource()
            }
        }
    };
}

listener!(TcpListener, TcpStream, std::net::SocketAddr);
#[cfg(unix)]
listener!(UnixListener, UnixStream, std::os::unix::net::SocketAddr);
