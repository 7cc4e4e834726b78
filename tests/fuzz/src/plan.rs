//! The plans of the simulation.

use std::io;
use std::time::Duration;

use cotask::net::{TcpListener, TcpStream};
use cotask::sim::{Failure, Plan, Simulation, host};
use cotask::time::{sleep, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

/// As a plan, which is printed as it was read, and then happens to two hosts.
pub fn plan(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let plan: Plan = match text.parse() {
        Ok(plan) => plan,
        Err(error) => {
            assert!(error.to_string().starts_with("line "), "{error}");
            return;
        }
    };
    assert_eq!(plan.to_string().parse::<Plan>().as_ref(), Ok(&plan), "{plan}");
    if plan.faults.len() > 20 {
        return;
    }
    let simulation = Simulation::builder().plan(plan).limit(Duration::from_secs(100)).build();
    let report = simulation.run(async {
        host("server", || async { _ = serve().await });
        host("client", ask);
        sleep(Duration::from_secs(10)).await;
    });
    if let Err(failure @ (Failure::Contract(_) | Failure::Panic { .. })) = report.result {
        panic!("{failure}");
    }
}

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let echo = async { futures::io::copy(&stream, &mut &stream).await };
        let _ = timeout(Duration::from_secs(5), echo).await;
    }
}

async fn ask() {
    for _ in 0..4 {
        let exchange = async {
            let mut stream = TcpStream::connect("server:80").await?;
            stream.write_all(b"hello").await?;
            stream.read_exact(&mut [0; 5]).await
        };
        let _ = timeout(Duration::from_secs(1), exchange).await;
        sleep(Duration::from_millis(300)).await;
    }
}
