//! Many tasks wait to write to one socket, as the connections of a QUIC endpoint do: which of them are woken?

mod support;

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram as SystemDatagram;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use cotask::net::{Direction, UnixDatagram};
use cotask::time::timeout;
use cotask::{spawn, yield_now};
use ecosystem::adapters::here::Here;
use ecosystem::adapters::quinn::Runtime;
use ecosystem::on_cotask::quic::{ask, serve, server, trusting};
use ecosystem::on_cotask::tls::Identity;
use futures::channel::mpsc;
use futures::future::try_join_all;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, Runtime as _, UdpPoller};
use support::{PATIENCE, leaves_nothing};

const CONNECTIONS: usize = 8;

/// A UDP socket with a gate, where each send leaves a ticket. The gate is a queue of the system, which can be full:
/// over the loopback interface a UDP socket itself never is.
#[derive(Debug)]
struct Gated {
    inner: Arc<dyn AsyncUdpSocket>,
    gate: Here<UnixDatagram>,
    gate_of_system: SystemDatagram,
    /// The pollers that wait, and those that were woken, by number.
    waiting: Mutex<BTreeSet<usize>>,
    pollers: AtomicUsize,
    woken: Arc<Mutex<BTreeSet<usize>>>,
}

impl Gated {
    fn leave_ticket(&self) -> io::Result<()> {
        self.gate.try_io(Direction::Write, || self.gate_of_system.send(b"t")).map(drop)
    }
}

impl AsyncUdpSocket for Gated {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        let number = self.pollers.fetch_add(1, Ordering::Relaxed);
        Box::pin(Poller { number, socket: self })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.leave_ticket()?;
        self.inner.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        told: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_recv(cx, buffers, told)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

#[derive(Debug)]
struct Poller {
    number: usize,
    socket: Arc<Gated>,
}

impl UdpPoller for Poller {
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = &self.socket;
        let counted =
            Counted { waker: cx.waker().clone(), number: self.number, woken: Arc::clone(&socket.woken) };
        let counted = Waker::from(Arc::new(counted));
        let cx = &mut Context::from_waker(&counted);
        let polled = socket.gate.poll_write_ready(cx);
        let mut waiting = socket.waiting.lock().unwrap();
        match polled {
            Poll::Pending => waiting.insert(self.number),
            Poll::Ready(()) => waiting.remove(&self.number),
        };
        polled.map(Ok)
    }
}

struct Counted {
    waker: Waker,
    number: usize,
    woken: Arc<Mutex<BTreeSet<usize>>>,
}

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().insert(self.number);
        self.waker.wake_by_ref();
    }
}

/// Lets all connections of one endpoint wait at the gate, and opens it. Returns how many of them this woke. In the
/// end each connection has its answer.
fn woken_at_the_gate() -> usize {
    leaves_nothing(async || timeout(PATIENCE, wait_at_the_gate()).await.expect("nothing hangs"))
}

async fn wait_at_the_gate() -> usize {
    let (gate_of_system, behind) = SystemDatagram::pair().unwrap();
    let gate = Here::new(UnixDatagram::from_std(gate_of_system.try_clone().unwrap()).unwrap());
    gate_of_system.set_nonblocking(true).unwrap();
    let behind = UnixDatagram::from_std(behind).unwrap();
    let inner = Runtime.wrap_udp_socket(std::net::UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap();
    let socket = Arc::new(Gated {
        inner,
        gate,
        gate_of_system,
        waiting: Mutex::default(),
        pollers: AtomicUsize::default(),
        woken: Arc::default(),
    });

    let identity = Identity::new().unwrap();
    let server = server("127.0.0.1:0".parse().unwrap(), &identity).unwrap();
    let (told, _) = mpsc::unbounded();
    let serving = spawn(serve(server.clone(), told));
    let config = EndpointConfig::default();
    let mut endpoint =
        Endpoint::new_with_abstract_socket(config, None, Arc::clone(&socket) as _, Arc::new(Runtime))
            .unwrap();
    endpoint.set_default_client_config(trusting(identity.trust).unwrap());
    let address = server.local_addr().unwrap();
    let connect = || async { endpoint.connect(address, "localhost").unwrap().await };
    let connections = try_join_all((0..CONNECTIONS).map(|_| connect())).await.unwrap();

    // The gate is closed, and each connection has something to send.
    while socket.leave_ticket().is_ok() {}
    socket.woken.lock().unwrap().clear();
    let body = vec![7; 100_000];
    let asks = connections.iter().map(|connection| ask(connection, "POST /echo", &body));
    let mut asks = Box::pin(try_join_all(asks));
    assert!(poll_fn(|cx| Poll::Ready(asks.as_mut().poll(cx).is_pending())).await);
    while socket.waiting.lock().unwrap().len() < CONNECTIONS {
        yield_now().await;
    }
    assert!(socket.woken.lock().unwrap().is_empty());

    // All tickets are taken away at once: that is one event, and the reactor wakes all that wait for it.
    while behind.try_io(Direction::Read, || Ok(rustix::io::read(&behind, &mut [0; 8])?)).is_ok() {}
    while socket.woken.lock().unwrap().is_empty() {
        yield_now().await;
    }
    let woken = socket.woken.lock().unwrap().len();

    // From here on the gate stays open.
    let open = spawn(async move { while behind.recv(&mut [0; 8]).await.is_ok() {} });
    for (number, echo) in asks.await.unwrap() {
        assert!(number == 200 && echo == body);
    }
    connections.iter().for_each(|connection| connection.close(0_u32.into(), b"done"));
    server.close(0_u32.into(), b"done");
    assert_eq!(serving.await.unwrap(), CONNECTIONS);
    endpoint.wait_idle().await;
    open.abort();
    woken
}

#[test]
fn each_connection_that_waits_to_write_is_woken() {
    let _alone = support::alone();
    assert_eq!(woken_at_the_gate(), CONNECTIONS);
}
