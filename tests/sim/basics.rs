//! The simulation's own ground: time, order, sockets between hosts, and that a seed repeats a run.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

#[cfg(unix)]
use cotask::net::AsyncFd;
use cotask::net::{TcpListener, TcpStream, UdpSocket};
use cotask::sim::{self, Builder, Failure, Plan, Report, Simulation};
use cotask::time::{Instant, interval, sleep, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

const MS: Duration = Duration::from_millis(1);

async fn echo() {
    let listener = TcpListener::bind("0.0.0.0:7").await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        cotask::spawn(async move { futures::io::copy(&stream, &mut &stream).await });
    }
}

/// What comes back of what is sent to the host `server`.
async fn ask(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let stream = TcpStream::connect("server:7").await?;
    let (mut reader, mut writer) = stream.into_split();
    let send = async {
        writer.write_all(bytes).await?;
        writer.close().await
    };
    let mut answer = Vec::new();
    let (sent, received) = futures::future::join(send, reader.read_to_end(&mut answer)).await;
    sent?;
    received?;
    Ok(answer)
}

fn clients_and_server(builder: Builder) -> Report<usize> {
    builder.build().run(async {
        sim::host("server", echo);
        let clients: Vec<_> = (0..3)
            .map(|number| {
                sim::host(&format!("client{number}"), move || async move {
                    for round in 0..5 {
                        let text = [b'a' + number, b'0' + round].repeat(1_000 * (1 + round as usize));
                        assert_eq!(ask(&text).await.unwrap(), text);
                        sleep(MS * (sim::random() % 20) as u32).await;
                    }
                })
            })
            .collect();
        let mut done = 0;
        for client in clients {
            client.done().await;
            done += 1;
        }
        done
    })
}

#[test]
fn programs_for_real_sockets_run_between_hosts() {
    let report = clients_and_server(Simulation::builder().seed(1));
    assert_eq!(report.result.unwrap(), 3);
    assert!(report.virtual_time > MS);
}

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    let run = |seed| {
        let report = clients_and_server(Simulation::builder().seed(seed).trace(1_000_000));
        let mut bytes = Vec::new();
        report.trace.write_json_lines(&mut bytes).unwrap();
        assert_eq!(report.trace.dropped, 0);
        (report.hash, bytes, report.virtual_time)
    };
    let first = run(5);
    assert_eq!(first, run(5));
    assert_ne!(first.0, run(6).0);
    let beside = [(); 4].map(|()| std::thread::spawn(move || [run(6), run(5), run(7)]));
    for thread in beside {
        let [_, same, _] = thread.join().unwrap();
        assert!(first == same, "beside other simulations in other threads");
    }
}

#[test]
fn a_day_of_timers_takes_no_time() {
    let day = Duration::from_secs(86_400);
    let report = Simulation::builder().limit(2 * day).build().run(async move {
        let start = Instant::now();
        let mut ticks = interval(Duration::from_secs(1));
        for _ in 0..=86_400 {
            ticks.tick().await;
        }
        start.elapsed()
    });
    assert_eq!(report.result.unwrap(), day);
    assert_eq!(report.virtual_time, day);
}

#[test]
fn datagrams_go_between_hosts_by_name() {
    let report = Simulation::builder().seed(2).build().run(async {
        sim::host("clock", || async {
            let socket = UdpSocket::bind("0.0.0.0:123").await.unwrap();
            let mut buffer = [0; 8];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                socket.send_to(&buffer[..length], from).await.unwrap();
            }
        });
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        socket.send_to(b"what time", "clock:123").await?;
        let mut buffer = [0; 64];
        let (length, from) = socket.recv_from(&mut buffer).await?;
        std::io::Result::Ok((buffer[..length].to_vec(), from.port()))
    });
    assert_eq!(report.result.unwrap().unwrap(), (b"what tim".to_vec(), 123));
}

#[test]
fn a_simulated_socket_tells_when_it_is_ready() {
    let report = Simulation::builder().seed(2).build().run(async {
        let socket = UdpSocket::bind("0.0.0.0:9").await?;
        let nothing = poll_fn(|cx| Poll::Ready(socket.poll_recv_from(cx, &mut [0; 8]).is_pending())).await;
        assert!(nothing);
        sim::host("sender", || async {
            let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
            socket.writable().await;
            socket.send_to(b"x", "main:9").await.unwrap();
        });
        socket.readable().await;
        let mut buffer = [0; 8];
        let received = poll_fn(|cx| Poll::Ready(socket.poll_recv_from(cx, &mut buffer))).await;
        assert!(received.is_ready(), "it was readable");
        std::io::Result::Ok(())
    });
    report.result.unwrap().unwrap();
}

#[test]
fn what_is_not_simulated_says_so() {
    let report = Simulation::builder().build().run(async {
        let here = std::net::UdpSocket::bind("127.0.0.1:0")?;
        UdpSocket::from_std(here)
    });
    let error = report.result.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
    assert!(error.to_string().contains("not simulated"), "{error}");
    #[cfg(unix)]
    {
        let report = Simulation::builder().build().run(async { AsyncFd::new(std::io::pipe()?.0).map(drop) });
        let error = report.result.unwrap().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
        assert!(error.to_string().contains("not simulated"), "{error}");
    }
}

#[test]
fn the_limit_ends_a_program_that_does_not() {
    let limit = Duration::from_secs(10);
    let report = Simulation::builder().limit(limit).build().run(async {
        loop {
            let _ = timeout(MS * 700, std::future::pending::<()>()).await;
        }
    });
    assert!(matches!(report.result, Err(Failure::TimeLimit { .. })), "{:?}", report.result);
    assert!(report.virtual_time < limit + Duration::from_secs(1));
}

#[test]
fn a_program_that_never_waits_is_told_so() {
    let report = Simulation::builder().build().run(async {
        loop {
            cotask::yield_now().await;
        }
    });
    assert!(matches!(report.result, Err(Failure::Spins { .. })), "{:?}", report.result);
}

#[test]
fn a_panic_names_its_host_and_task() {
    let report = Simulation::builder().build().run(async {
        sim::host("fragile", || async {
            cotask::spawn_named("glass", async { panic!("dropped") });
            std::future::pending::<()>().await
        });
        std::future::pending::<()>().await
    });
    let text = report.result.unwrap_err().to_string();
    assert_eq!(text, "panic on host fragile, in task fragile: glass: dropped");
}

/// Shrinking keeps the words of a failure and not its numbers, so the message may be another one.
#[test]
fn a_check_says_when_fewer_faults_lead_to_another_message() {
    let failed = std::panic::catch_unwind(|| {
        let plan: Plan = "1s jump-forward main by=2s\n2s jump-forward main by=3s\n".parse().unwrap();
        let prepare = |seed| Simulation::builder().seed(seed).plan(plan.clone());
        sim::check_with(0..1, prepare, || async {
            sleep(Duration::from_secs(10)).await;
            let took = sim::elapsed();
            assert!(took >= Duration::from_secs(10), "it took only {took:?}");
        });
    });
    let told = *failed.unwrap_err().downcast::<String>().unwrap();
    let file = told.lines().last().and_then(|line| line.strip_prefix("timeline: ")).unwrap();
    std::fs::remove_file(file).unwrap();
    assert!(told.contains("it took only 5s") && told.contains("of 2 planned faults it takes 1:"), "{told}");
    assert!(told.contains("# the clock of main jumps ahead by"), "{told}");
    assert!(told.contains("with these it fails with another message: panic on host main"), "{told}");
}

#[test]
fn a_plan_is_read_as_it_is_printed() {
    for seed in 0..200 {
        let plan = Plan::draw(seed, &["a", "b", "c"], Duration::from_secs(30), &sim::Kind::ALL);
        assert_eq!(plan.in_words().parse(), Ok(plan.clone()));
        assert_eq!(plan.to_string().parse(), Ok(plan));
    }
    let error = "1s crash a\n2s crush b".parse::<Plan>().unwrap_err().to_string();
    assert!(error.starts_with("line 2:") && error.contains("crush b"), "{error}");
    let error = "soon crash a".parse::<Plan>().unwrap_err().to_string();
    assert!(error.contains("`soon` is no time"), "{error}");
}

/// Waiters for one direction of a simulated socket are all woken, as those of a real one are (`tests/net/waiters.rs`).
#[test]
fn two_tasks_wait_for_one_simulated_socket() {
    let report = Simulation::builder().build().run(async {
        let socket = std::rc::Rc::new(UdpSocket::bind("0.0.0.0:9").await.unwrap());
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let socket = std::rc::Rc::clone(&socket);
                cotask::spawn(async move { socket.recv_from(&mut [0; 8]).await.unwrap().0 })
            })
            .collect();
        timeout(MS, socket.recv_from(&mut [0; 8])).await.unwrap_err();
        for _ in 0..2 {
            socket.send_to(b"one", socket.local_addr().unwrap()).await.unwrap();
        }
        let mut received = 0;
        for task in tasks {
            received += task.await.unwrap();
        }
        received
    });
    assert_eq!(report.result.unwrap(), 6);
}
