//! What quinn asks of a runtime: tasks, time, and a UDP socket that it works itself.
//!
//! quinn knows QUIC, and the system calls that send and receive many datagrams at once (`quinn::udp`). Of the
//! runtime's socket it wants no `send_to`, only readiness: wait until a read or write would not block, and note when
//! the system says that it would. One thing more, and easily got wrong in a runtime: an endpoint has one socket for all of
//! its connections, and each connection is a task that waits to write *to the same socket*. Ours wakes all of them.
//!
//! Futures, timers and sockets must be `Send`, since quinn may be used with threads. Here nothing leaves its thread.

use std::io::{self, IoSliceMut};
use std::net::{self, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use cotask::net::{Direction, UdpSocket};
use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncTimer, AsyncUdpSocket, UdpPoller};

use super::here::Here;

// ANCHOR: runtime
/// The runtime of this thread, as quinn wants one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Runtime;

impl quinn::Runtime for Runtime {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        Box::pin(Timer(Here::new(cotask::time::sleep_until(ours(at)))))
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        cotask::spawn(future);
    }

    fn wrap_udp_socket(&self, socket: net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        // It sets the options that quinn needs, and finds out what else this system can do.
        let state = UdpSocketState::new((&socket).into())?;
        let io = Here::new(UdpSocket::from_std(socket)?);
        Ok(Arc::new(Socket { io, state }))
    }
}
// ANCHOR_END: runtime

/// quinn uses the machine's instants, we use the runtime's: the time left is the same on both clocks.
fn ours(at: Instant) -> cotask::time::Instant {
    cotask::time::Instant::now() + at.saturating_duration_since(Instant::now())
}

#[derive(Debug)]
struct Timer(Here<cotask::time::Sleep>);

impl AsyncTimer for Timer {
    fn reset(mut self: Pin<&mut Self>, at: Instant) {
        self.0.reset(ours(at));
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

#[derive(Debug)]
struct Socket {
    io: Here<UdpSocket>,
    state: UdpSocketState,
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writer(self))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.io.try_io(Direction::Write, || self.state.send((&*self.io).into(), transmit))
    }

    /// One task receives for all connections: the endpoint's.
    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        told: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.poll_read_ready(cx));
            match self.io.try_io(Direction::Read, || self.state.recv((&*self.io).into(), buffers, told)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return Poll::Ready(received),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }
}

// ANCHOR: writer
/// One connection's way to wait until it can send.
#[derive(Debug)]
struct Writer(Arc<Socket>);

impl UdpPoller for Writer {
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.io.poll_write_ready(cx).map(Ok)
    }
}
// ANCHOR_END: writer
