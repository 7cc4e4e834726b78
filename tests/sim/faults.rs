//! Each kind of fault really happens, by hand and from a plan, and is counted only then.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use cotask::net::{TcpListener, TcpStream, UdpSocket};
use cotask::sim::{self, Failure, Kind, Plan, Report, Simulation};
use cotask::time::{Instant, sleep, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// The host `server`: what comes in goes back.
async fn echo() {
    let listener = TcpListener::bind("0.0.0.0:7").await.unwrap();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            cotask::spawn(async move { futures::io::copy(&stream, &mut &stream).await });
        }
    }
}

fn echo_server() -> sim::Host<()> {
    sim::host("server", echo)
}

/// Sends a line and reads it back.
async fn exchange(stream: &mut TcpStream, line: &[u8]) -> std::io::Result<()> {
    stream.write_all(line).await?;
    let mut answer = vec![0; line.len()];
    stream.read_exact(&mut answer).await?;
    assert_eq!(answer, line, "what comes back is what was sent");
    Ok(())
}

fn run<F: Future>(seed: u64, main: F) -> Report<F::Output> {
    Simulation::builder().seed(seed).build().run(main)
}

fn by_plan<F: Future>(plan: &str, main: F) -> Report<F::Output> {
    Simulation::builder().seed(3).plan(plan.parse().unwrap()).build().run(main)
}

fn counted<T>(report: &Report<T>, kind: Kind) -> u64 {
    report.faults.get(&kind).copied().unwrap_or(0)
}

/// How long each of some exchanges took, from `main` to `server`.
async fn round_trips(times: usize) -> Vec<Duration> {
    let mut stream = TcpStream::connect("server:7").await.unwrap();
    let mut took = Vec::new();
    for _ in 0..times {
        let start = sim::elapsed();
        exchange(&mut stream, b"0123456789").await.unwrap();
        took.push(sim::elapsed() - start);
    }
    took
}

#[test]
fn latency_and_jitter() {
    let report = run(1, async {
        echo_server();
        sim::link("main", "server").latency(20 * MS..20 * MS);
        let steady = round_trips(10).await;
        sim::link("main", "server").latency(20 * MS..80 * MS);
        (steady, round_trips(20).await)
    });
    assert!(counted(&report, Kind::Latency) > counted(&report, Kind::Jitter));
    assert!(counted(&report, Kind::Jitter) >= 40);
    let (steady, jittered) = report.result.unwrap();
    assert!(steady.iter().all(|&took| took == 40 * MS), "{steady:?}");
    assert!(jittered.iter().all(|took| (40 * MS..=160 * MS).contains(took)), "{jittered:?}");
    assert!(jittered.iter().max().unwrap().abs_diff(*jittered.iter().min().unwrap()) > 10 * MS);
}

#[test]
fn what_is_lost_tcp_delays_and_never_loses() {
    let report = run(2, async {
        echo_server();
        sim::link("main", "server").loss(0.3);
        round_trips(50).await
    });
    assert!(counted(&report, Kind::Loss) > 10);
    let took = report.result.unwrap();
    assert!(took.iter().any(|&took| took > 200 * MS), "repeated after 200 ms");
    assert!(took.iter().any(|&took| took < 5 * MS), "not all are lost");
}

#[test]
fn a_stream_stays_in_order_though_packets_do_not() {
    let report = run(3, async {
        echo_server();
        sim::link("main", "server").latency(MS..100 * MS).loss(0.05);
        let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
        let (mut reader, mut writer) = TcpStream::connect("server:7").await?.into_split();
        let copy = bytes.clone();
        cotask::spawn(async move {
            writer.write_all(&copy).await.unwrap();
            writer.close().await.unwrap();
        });
        let mut back = Vec::new();
        reader.read_to_end(&mut back).await?;
        std::io::Result::Ok(back == bytes)
    });
    assert!(report.result.unwrap().unwrap());
    assert!(report.faults[&Kind::Loss] > 0);
}

#[test]
fn bandwidth() {
    let report = run(4, async {
        echo_server();
        sim::link("main", "server").bandwidth(100_000);
        let start = sim::elapsed();
        let stream = TcpStream::connect("server:7").await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let send = async {
            writer.write_all(&[7; 200_000]).await.unwrap();
            writer.close().await.unwrap();
        };
        let mut back = Vec::new();
        futures::future::join(send, reader.read_to_end(&mut back)).await.1.unwrap();
        (back.len(), sim::elapsed() - start)
    });
    assert!(counted(&report, Kind::Bandwidth) > 0);
    let (length, took) = report.result.unwrap();
    assert_eq!(length, 200_000);
    assert!((2 * SECOND..6 * SECOND).contains(&took), "200 kB at 100 kB/s, there and back: {took:?}");
}

/// Sends numbered datagrams to `sink` and returns those that arrive, in the order of arrival.
fn datagrams(seed: u64, link: impl FnOnce(sim::Link)) -> Report<Vec<u32>> {
    run(seed, async {
        let arrived = Rc::new(RefCell::new(Vec::new()));
        sim::host("sink", {
            let arrived = Rc::clone(&arrived);
            move || {
                let arrived = Rc::clone(&arrived);
                async move {
                    let socket = UdpSocket::bind("0.0.0.0:9").await.unwrap();
                    let mut buffer = [0; 4];
                    loop {
                        socket.recv(&mut buffer).await.unwrap();
                        arrived.borrow_mut().push(u32::from_be_bytes(buffer));
                    }
                }
            }
        });
        link(sim::link("main", "sink"));
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        sleep(MS).await;
        for number in 0..200_u32 {
            socket.send_to(&number.to_be_bytes(), "sink:9").await.unwrap();
            sleep(MS).await;
        }
        sleep(SECOND).await;
        arrived.take()
    })
}

#[test]
fn datagrams_arrive_in_order_where_nothing_is_wrong() {
    let report = datagrams(1, |_| ());
    assert_eq!(report.result.unwrap(), (0..200).collect::<Vec<_>>());
    assert!(report.faults.is_empty(), "{:?}", report.faults);
}

#[test]
fn datagrams_are_lost() {
    let report = datagrams(1, |link| drop(link.loss(0.2)));
    let lost = counted(&report, Kind::DatagramLost);
    assert_eq!(report.result.unwrap().len() as u64, 200 - lost);
    assert!((10..80).contains(&lost), "{lost}");
}

#[test]
fn datagrams_are_duplicated() {
    let report = datagrams(2, |link| drop(link.duplicate(0.2)));
    let twice = counted(&report, Kind::DatagramDuplicated);
    assert_eq!(report.result.unwrap().len() as u64, 200 + twice);
    assert!((10..80).contains(&twice), "{twice}");
}

#[test]
fn datagrams_overtake_each_other() {
    let report = datagrams(3, |link| drop(link.reorder(0.2)));
    assert!(counted(&report, Kind::DatagramReordered) > 10);
    let arrived = report.result.unwrap();
    assert_eq!(arrived.len(), 200);
    assert!(!arrived.is_sorted());
}

#[test]
fn a_partition_delays_a_stream_and_loses_datagrams() {
    let report = run(5, async {
        echo_server();
        let udp = UdpSocket::bind("0.0.0.0:5").await.unwrap();
        let mut stream = TcpStream::connect("server:7").await.unwrap();
        exchange(&mut stream, b"before").await.unwrap();
        sim::partition("main", "server");
        udp.send_to(b"lost", "server:1").await.unwrap();
        let during = timeout(10 * SECOND, exchange(&mut stream, b"during")).await;
        assert!(during.is_err(), "nothing comes back");
        sim::heal("main", "server");
        // The answer to what was sent before.
        let mut late = [0; 6];
        stream.read_exact(&mut late).await.unwrap();
        assert_eq!(&late, b"during");
        sim::elapsed()
    });
    assert!(report.faults[&Kind::Partition] >= 2);
    assert!((10 * SECOND..11 * SECOND).contains(&report.result.unwrap()));
}

#[test]
fn a_connection_across_a_partition_times_out() {
    let report = run(6, async {
        echo_server();
        sim::partition("main", "server");
        let error = TcpStream::connect("server:7").await.unwrap_err();
        (error.kind(), sim::elapsed())
    });
    assert_eq!(report.result.unwrap(), (ErrorKind::TimedOut, 127 * SECOND));
}

#[test]
fn data_that_nobody_acknowledges_breaks_the_connection_at_last() {
    let report = run(6, async {
        echo_server();
        let mut stream = TcpStream::connect("server:7").await.unwrap();
        sim::partition("main", "server");
        (exchange(&mut stream, b"anybody").await.unwrap_err().kind(), sim::elapsed() > 900 * SECOND)
    });
    assert_eq!(report.result.unwrap(), (ErrorKind::TimedOut, true));
}

#[test]
fn one_way_is_cut_and_the_other_is_not() {
    let report = run(7, async {
        let heard = Rc::new(RefCell::new(Vec::new()));
        sim::host("server", {
            let heard = Rc::clone(&heard);
            move || {
                let heard = Rc::clone(&heard);
                async move {
                    let socket = UdpSocket::bind("0.0.0.0:9").await.unwrap();
                    let mut buffer = [0; 16];
                    loop {
                        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                        heard.borrow_mut().push(buffer[..length].to_vec());
                        socket.send_to(b"yes", from).await.unwrap();
                    }
                }
            }
        });
        sleep(MS).await;
        sim::partition_one_way("server", "main");
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        socket.send_to(b"do you hear me", "server:9").await.unwrap();
        let answer = timeout(SECOND, socket.recv(&mut [0; 16])).await;
        (heard.take(), answer.is_err())
    });
    assert_eq!(report.faults[&Kind::PartitionOneWay], 1);
    assert_eq!(report.result.unwrap(), (vec![b"do you hear me".to_vec()], true));
}

#[test]
fn connections_are_reset() {
    let report = run(8, async {
        echo_server();
        let mut stream = TcpStream::connect("server:7").await.unwrap();
        exchange(&mut stream, b"fine").await.unwrap();
        sim::reset("main", "server");
        let first = exchange(&mut stream, b"not any more").await.unwrap_err().kind();
        let then = exchange(&mut stream, b"nor now").await.unwrap_err().kind();
        let mut again = TcpStream::connect("server:7").await.unwrap();
        exchange(&mut again, b"a new one works").await.unwrap();
        (first, then)
    });
    assert_eq!(report.faults[&Kind::Reset], 2, "both ends");
    assert_eq!(report.result.unwrap(), (ErrorKind::ConnectionReset, ErrorKind::BrokenPipe));
}

#[test]
fn half_of_a_connection_is_closed_and_the_other_goes_on() {
    let report = run(9, async {
        sim::host("server", || async {
            let listener = TcpListener::bind("0.0.0.0:7").await.unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            // The client has said that it writes no more, and still reads.
            sleep(SECOND).await;
            all.reverse();
            stream.write_all(&all).await.unwrap();
        });
        let mut stream = TcpStream::connect("server:7").await.unwrap();
        stream.write_all(b"reward").await.unwrap();
        stream.close().await.unwrap();
        assert_eq!(stream.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    assert_eq!(report.result.unwrap(), "drawer");
}

/// As with every system: to close with unread bytes tells the peer that they were not read.
#[test]
fn closing_with_unread_bytes_is_a_reset_to_the_peer() {
    let report = run(10, async {
        sim::host("server", || async {
            let listener = TcpListener::bind("0.0.0.0:7").await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            sleep(SECOND).await;
            drop(stream);
        });
        let mut stream = TcpStream::connect("server:7").await.unwrap();
        stream.write_all(b"read me").await.unwrap();
        stream.read(&mut [0; 8]).await.unwrap_err().kind()
    });
    assert_eq!(report.result.unwrap(), ErrorKind::ConnectionReset);
}

#[test]
fn nobody_listens_or_the_port_is_refused() {
    let report = run(11, async {
        let server = echo_server();
        sleep(MS).await;
        let nobody = TcpStream::connect("server:8").await.unwrap_err();
        assert!(nobody.to_string().starts_with("connect to 10.0.0.2:8"), "{nobody}");
        server.refuse(7);
        let refused = TcpStream::connect("server:7").await.unwrap_err().kind();
        server.accept(7);
        TcpStream::connect("server:7").await.unwrap();
        (nobody.kind(), refused)
    });
    assert_eq!(report.faults[&Kind::Refused], 1, "a port without a listener is no fault");
    assert_eq!(report.result.unwrap(), (ErrorKind::ConnectionRefused, ErrorKind::ConnectionRefused));
}

#[test]
fn a_full_accept_queue_is_silent_until_there_is_room() {
    let report = run(12, async {
        let server = sim::host("server", || async {
            let listener = TcpListener::bind("0.0.0.0:7").await.unwrap();
            sleep(10 * SECOND).await;
            let mut kept = Vec::new();
            for _ in 0..3 {
                kept.push(listener.accept().await.unwrap());
            }
            kept.len()
        });
        server.backlog(1);
        sleep(MS).await;
        let mut took = Vec::new();
        let mut kept = Vec::new();
        for _ in 0..3 {
            kept.push(TcpStream::connect("server:7").await.unwrap());
            took.push(sim::elapsed());
        }
        assert_eq!(server.done().await, 3);
        took
    });
    assert!(report.faults[&Kind::BacklogFull] >= 3);
    let took = report.result.unwrap();
    assert!(took[0] < SECOND && took[1] > 10 * SECOND, "{took:?}");
}

#[test]
fn a_slow_disk() {
    let report = run(13, async {
        let host = sim::host("server", || async {
            let mut took = Vec::new();
            for _ in 0..10 {
                let start = Instant::now();
                cotask::spawn_blocking(|| 6 * 7).await.unwrap();
                took.push(start.elapsed());
            }
            took
        });
        host.disk(200 * MS..300 * MS);
        (host.done().await, cotask::spawn_blocking(sim::is_running).await.unwrap())
    });
    assert_eq!(report.faults[&Kind::SlowDisk], 10);
    let (took, inside) = report.result.unwrap();
    assert!(took.iter().all(|took| (200 * MS..=300 * MS).contains(took)), "{took:?}");
    assert!(inside, "a job runs on the loop itself");
}

#[test]
fn descriptors_run_out_and_an_accept_loop_survives_it() {
    let report = run(14, async {
        let server = echo_server();
        sleep(MS).await;
        server.descriptors(2);
        let mut first = TcpStream::connect("server:7").await.unwrap();
        exchange(&mut first, b"one").await.unwrap();
        let mut second = TcpStream::connect("server:7").await.unwrap();
        let starved = timeout(SECOND, exchange(&mut second, b"two")).await.is_err();
        drop(first);
        let mut answer = [0; 3];
        second.read_exact(&mut answer).await.unwrap();
        (starved, answer)
    });
    assert!(report.faults[&Kind::Descriptors] > 0);
    assert_eq!(report.result.unwrap(), (true, *b"two"));
}

#[test]
fn descriptors_of_the_one_who_connects_run_out_too() {
    let report = run(14, async {
        echo_server();
        let client = sim::host("client", || async {
            sleep(MS).await;
            TcpStream::connect("server:7").await.unwrap_err()
        });
        client.descriptors(0);
        cotask::net::raw_os_error(&client.done().await)
    });
    assert_eq!(report.result.unwrap(), Some(24), "EMFILE");
}

#[test]
fn a_clock_that_runs_fast_and_one_that_runs_slow() {
    let report = run(15, async {
        let measure = || async {
            sleep(MS).await;
            let (here, there) = (Instant::now(), sim::elapsed());
            sleep(100 * SECOND).await;
            (here.elapsed(), sim::elapsed() - there)
        };
        let fast = sim::host("fast", measure);
        fast.skew(100_000);
        let slow = sim::host("slow", measure);
        slow.skew(-100_000);
        (fast.done().await, slow.done().await)
    });
    assert!(report.faults[&Kind::ClockSkew] > 0);
    let (fast, slow) = report.result.unwrap();
    for (shown, _) in [fast, slow] {
        assert!((100 * SECOND..100 * SECOND + 3 * MS).contains(&shown), "by its own clock: {shown:?}");
    }
    assert!((90_909 * MS..90_913 * MS).contains(&fast.1), "{fast:?}");
    assert!((111_111 * MS..111_114 * MS).contains(&slow.1), "{slow:?}");
}

#[test]
fn a_clock_that_jumps_takes_timers_that_are_set_with_it() {
    let report = run(16, async {
        let wait = || async {
            let start = Instant::now();
            sleep(100 * SECOND).await;
            (start.elapsed() >= 100 * SECOND, sim::elapsed())
        };
        let (ahead, back) = (sim::host("ahead", wait), sim::host("back", wait));
        sleep(10 * SECOND).await;
        ahead.jump_forward(50 * SECOND);
        back.jump_back(5 * SECOND);
        (ahead.done().await, back.done().await)
    });
    assert_eq!(report.faults[&Kind::ClockJump], 2);
    let ((ahead, early), (back, late)) = report.result.unwrap();
    assert!(ahead && back, "no timer fires early by its own host's clock");
    assert!((50 * SECOND..50 * SECOND + 2 * MS).contains(&early), "{early:?}");
    assert!((105 * SECOND..105 * SECOND + 2 * MS).contains(&late), "{late:?}");
}

/// Tells when its future is dropped, and on which host.
struct Fell(Rc<RefCell<Vec<String>>>);

impl Drop for Fell {
    fn drop(&mut self) {
        // A drop may spawn and use sockets: it finds its host.
        cotask::spawn(async {});
        self.0.borrow_mut().push(sim::host_name());
    }
}

#[test]
fn a_host_crashes_and_comes_back() {
    let crashed = |seed| {
        run(seed, async {
            let (fell, starts) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(0)));
            let server = sim::host("server", {
                let (fell, starts) = (Rc::clone(&fell), Rc::clone(&starts));
                move || {
                    *starts.borrow_mut() += 1;
                    let (one, other) = (Fell(Rc::clone(&fell)), Fell(Rc::clone(&fell)));
                    async move {
                        let _one = one;
                        cotask::spawn(async move {
                            let _other = other;
                            std::future::pending::<()>().await
                        });
                        echo().await;
                    }
                }
            });
            let mut stream = TcpStream::connect("server:7").await.unwrap();
            exchange(&mut stream, b"up").await.unwrap();
            server.crash();
            sleep(MS).await;
            assert_eq!(
                fell.take(),
                ["server", "server"],
                "its futures were dropped, on the host that they are of"
            );
            let down = timeout(5 * SECOND, exchange(&mut stream, b"down")).await;
            server.restart();
            sleep(SECOND).await;
            let mut again = TcpStream::connect("server:7").await.unwrap();
            exchange(&mut again, b"up again").await.unwrap();
            assert_eq!(*starts.borrow(), 2);
            let old = exchange(&mut stream, b"who are you").await.unwrap_err().kind();
            (down.is_err(), old)
        })
    };
    let mut silent = 0;
    for seed in 0..20 {
        let report = crashed(seed);
        assert_eq!((report.faults[&Kind::Crash], report.faults[&Kind::Restart]), (1, 1));
        let (was_silent, old) = report.result.unwrap();
        // Silence, and later a reset from the machine that knows nothing of the connection; or a reset at once.
        assert!(matches!(old, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{old:?}");
        silent += usize::from(was_silent);
    }
    assert!((1..20).contains(&silent), "both are drawn: {silent} of 20 were silent");
}

#[test]
fn tasks_and_sockets_are_woken_for_no_reason() {
    let report = run(18, async {
        echo_server();
        sim::spurious(0.5);
        round_trips(100).await.len()
    });
    assert_eq!(report.result.unwrap(), 100);
    assert!(report.faults[&Kind::Spurious] > 50);
}

#[test]
fn reads_and_writes_are_short() {
    let report = run(19, async {
        let server = echo_server();
        server.short(0.5);
        let mut stream = TcpStream::connect("server:7").await.unwrap();
        for length in 1..60 {
            exchange(&mut stream, &vec![length as u8; length * 10]).await.unwrap();
        }
        stream.close().await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        rest.len()
    });
    assert_eq!(report.result.unwrap(), 0);
    assert!(
        report.faults[&Kind::ShortRead] > 20 && report.faults[&Kind::ShortWrite] > 20,
        "{:?}",
        report.faults
    );
}

/// The same faults as plain data, at their times.
#[test]
fn every_kind_of_fault_also_comes_by_plan() {
    let plan = "
        0s latency main server min=1ms max=9ms
        0s loss main server ppm=100000
        0s duplicate main server ppm=100000
        0s reorder main server ppm=100000
        0s bandwidth main server bytes=50000
        0s short server ppm=200000
        0s spurious ppm=100000
        0s disk server min=50ms max=90ms
        0s skew server ppm=1000
        2s partition main server
        3s heal main server
        4s partition-one-way server main
        5s heal main server
        6s jump-forward server by=10s
        7s jump-back server by=5s
        8s refuse server port=7
        9s accept server port=7
        10s descriptors server max=1
        11s descriptors server max=1000
        12s reset main server
        13s backlog server max=0
        14s backlog server max=10
        15s crash server
        16s restart server
    ";
    let report = by_plan(plan, async {
        sim::host("server", || async {
            cotask::spawn(async {
                let socket = UdpSocket::bind("0.0.0.0:9").await.unwrap();
                loop {
                    let _ = socket.recv(&mut [0; 16]).await;
                }
            });
            cotask::spawn(async {
                loop {
                    sleep(20 * MS).await;
                    let _ = cotask::spawn_blocking(Instant::now).await;
                }
            });
            echo().await;
        });
        let udp = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        cotask::spawn(async move {
            loop {
                sleep(10 * MS).await;
                udp.send_to(b"tick", "server:9").await.unwrap();
            }
        });
        while sim::elapsed() < 20 * SECOND {
            sleep(50 * MS).await;
            let attempt = async {
                let mut stream = TcpStream::connect("server:7").await?;
                for _ in 0..5 {
                    exchange(&mut stream, &[1; 3_000]).await?;
                    sleep(10 * MS).await;
                }
                std::io::Result::Ok(())
            };
            let _ = timeout(SECOND, attempt).await;
        }
    });
    report.result.as_ref().unwrap();
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| counted(&report, **kind) == 0).collect();
    assert!(missing.is_empty(), "{missing:?} did not happen: {:?}", report.faults);
}

/// What is drawn over many seeds has every kind in it.
#[test]
fn drawn_plans_have_every_kind() {
    let words: String =
        (0..50).map(|seed| Plan::draw(seed, &["a", "b"], 60 * SECOND, &Kind::ALL).to_string()).collect();
    for word in [
        "latency",
        "loss",
        "duplicate",
        "reorder",
        "bandwidth",
        "partition ",
        "partition-one-way",
        "heal",
        "reset",
        "crash",
        "restart",
        "skew",
        "jump-forward",
        "jump-back",
        "disk",
        "descriptors",
        "refuse",
        "accept",
        "backlog",
        "short",
        "spurious",
    ] {
        assert!(words.contains(word), "no `{word}` in 50 plans");
    }
}

#[test]
fn a_host_that_is_not_there_is_unreachable() {
    let report = run(20, async {
        let unknown = TcpStream::connect("nobody:1").await.unwrap_err();
        let lost = TcpStream::connect("10.0.99.99:1").await.unwrap_err();
        (unknown.kind(), lost.kind(), unknown.to_string())
    });
    let (unknown, lost, text) = report.result.unwrap();
    assert_eq!((unknown, lost), (ErrorKind::NotFound, ErrorKind::HostUnreachable));
    assert!(text.contains("nobody:1") && text.contains("no host of the simulation"), "{text}");
}

#[test]
fn addresses_are_those_of_a_real_host() {
    let report = run(21, async {
        let first = TcpListener::bind("0.0.0.0:80").await.unwrap();
        let taken = TcpListener::bind("127.0.0.1:80").await.unwrap_err().kind();
        let not_here = TcpListener::bind("10.0.7.7:80").await.unwrap_err().kind();
        drop(first);
        let local = TcpListener::bind("127.0.0.1:80").await.unwrap();
        let outside = sim::host("outside", || async {
            TcpStream::connect("main:80").await.map(drop).unwrap_err().kind()
        });
        let refused = outside.done().await;
        let inside = TcpStream::connect("localhost:80").await.unwrap();
        let (there, from) = local.accept().await.unwrap();
        assert_eq!(inside.local_addr().unwrap(), from);
        assert_eq!(inside.peer_addr().unwrap(), there.local_addr().unwrap());
        (taken, not_here, refused)
    });
    let expected = (ErrorKind::AddrInUse, ErrorKind::AddrNotAvailable, ErrorKind::ConnectionRefused);
    assert_eq!(report.result.unwrap(), expected);
}

#[test]
fn a_failure_of_an_invariant_ends_the_run() {
    let report = run(22, async {
        sim::host("judge", || async {
            sleep(SECOND).await;
            sim::invariant(false, format_args!("{} is not 3", 1 + 1));
            std::future::pending::<()>().await
        });
        sleep(10 * SECOND).await;
    });
    assert_eq!(report.result, Err(Failure::Invariant("2 is not 3".into())));
    assert!(report.virtual_time < 2 * SECOND);
}
