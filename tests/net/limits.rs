//! Accepting when the process has no descriptor left.

use std::future::poll_fn;
use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::pin;
use std::time::{Duration, Instant};

use cotask::net::{TcpListener, UnixListener, raw_os_error};
use futures::{AsyncReadExt, AsyncWriteExt};
use nix::sys::resource::{UsageWho, getrusage};

use crate::alone::alone;
use crate::exhaust::take_every_descriptor;
use crate::support::run;

const EMFILE: i32 = rustix::io::Errno::MFILE.raw_os_error();

fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the usage is known");
    let (user, system) = (usage.user_time(), usage.system_time());
    Duration::from_micros((user.tv_sec() + system.tv_sec()) as u64 * 1_000_000)
        + Duration::from_micros((user.tv_usec() + system.tv_usec()) as u64)
}

/// Asks for a connection until five errors came, each with a wait before it, and checks that these were waits.
/// Returns the first error.
async fn five_errors<T>(mut accept: impl AsyncFnMut() -> io::Result<T>) -> io::Error {
    let Err(first) = accept().await else { panic!("a connection without a descriptor") };
    let started = (Instant::now(), cpu_time());
    let mut polls = 0;
    for _ in 0..4 {
        let mut again = pin!(accept());
        let result = poll_fn(|cx| {
            polls += 1;
            again.as_mut().poll(cx)
        });
        assert!(result.await.is_err(), "a connection without a descriptor");
    }
    let (waited, worked) = (started.0.elapsed(), cpu_time() - started.1);
    assert!(polls <= 4 * 3, "{polls} polls for 4 errors");
    assert!(waited >= Duration::from_millis(4 * 50), "4 errors within {waited:?}");
    assert!(worked < waited / 2, "{worked:?} of work in {waited:?} of waiting");
    first
}

#[test]
fn a_tcp_listener_outlasts_the_lack_of_descriptors() {
    alone("limits::a_tcp_listener_outlasts_the_lack_of_descriptors", || {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let mut clients = Vec::new();
            for _ in 0..3 {
                clients.push(std::net::TcpStream::connect(address)?);
            }
            let mut taken = take_every_descriptor();

            let error = five_errors(async || listener.accept().await).await;
            assert!(error.to_string().starts_with(&format!("accept at {address}: ")), "{error}");
            assert_eq!(raw_os_error(&error), Some(EMFILE));

            // One is freed, and one connection served; then the next.
            let mut servers = Vec::new();
            for client in &clients {
                taken.pop();
                let (mut server, from) = listener.accept().await?;
                assert_eq!(from, client.local_addr()?);
                server.write_all(b"served").await?;
                let mut heard = [0; 6];
                io::Read::read_exact(&mut { client }, &mut heard)?;
                assert_eq!(&heard, b"served");
                servers.push(server);
            }
            io::Result::Ok(())
        })
        .unwrap();
    });
}

#[test]
fn a_unix_listener_outlasts_the_lack_of_descriptors() {
    alone("limits::a_unix_listener_outlasts_the_lack_of_descriptors", || {
        let path = std::env::temp_dir().join(format!("cotask-limits-{}", std::process::id()));
        run(async {
            let listener = UnixListener::bind(&path)?;
            let mut client = StdUnixStream::connect(&path)?;
            let mut taken = take_every_descriptor();

            let error = five_errors(async || listener.accept().await).await;
            assert!(error.to_string().starts_with("accept at "), "{error}");
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");

            taken.pop();
            let (mut server, _) = listener.accept().await?;
            io::Write::write_all(&mut client, b"served")?;
            let mut heard = [0; 6];
            server.read_exact(&mut heard).await?;
            assert_eq!(&heard, b"served");
            std::fs::remove_file(&path)
        })
        .unwrap();
    });
}
