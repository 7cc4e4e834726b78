//! The same seed repeats the same run: twice, in another process, beside others; whatever goes wrong in it.

use std::ops::ControlFlow;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use cotask::net::{TcpListener, TcpStream, UdpSocket};
use cotask::sim::{self, Failure, Kind, Plan, Report, Search, Searched, Simulation};
use cotask::time::{sleep, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

const MS: Duration = Duration::from_millis(1);
const HORIZON: Duration = Duration::from_secs(8);
const HOSTS: [&str; 5] = ["one", "two", "three", "four", "five"];

/// Answers each request, `!` at its end, with the same bytes. Errors end the connection alone.
async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while stream.read(&mut byte).await? > 0 {
        request.push(byte[0]);
        if byte[0] == b'!' {
            let answer = std::mem::take(&mut request);
            let answer = cotask::spawn_blocking(move || answer).await.map_err(std::io::Error::other)?;
            stream.write_all(&answer).await?;
        }
    }
    Ok(())
}

/// Each host serves, asks the others, and shouts datagrams about.
async fn peer(name: &'static str) {
    // A host may be started while it has no descriptors.
    let (listener, socket) = loop {
        match (TcpListener::bind("0.0.0.0:7").await, UdpSocket::bind("0.0.0.0:9").await) {
            (Ok(listener), Ok(socket)) => break (listener, socket),
            _ => sleep(100 * MS).await,
        }
    };
    cotask::spawn(async move {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                cotask::spawn(serve(stream));
            }
        }
    });
    cotask::spawn(async move {
        let shout = async {
            loop {
                sleep(MS * (sim::random() % 200) as u32).await;
                let to = HOSTS[(sim::random() % 5) as usize];
                let _ = socket.send_to(name.as_bytes(), (to, 9)).await;
            }
        };
        let hear = async {
            while let Ok((length, _)) = socket.recv_from(&mut [0; 64]).await {
                sim::invariant((3..=5).contains(&length), "a datagram comes whole or not at all");
            }
        };
        futures::future::join(shout, hear).await;
    });
    for round in 0_u32.. {
        sleep(MS * (sim::random() % 300) as u32).await;
        let to = HOSTS[(sim::random() % 5) as usize];
        let ask = async {
            let mut stream = TcpStream::connect((to, 7)).await?;
            for size in [1, 30, 700] {
                let question = format!("{name} {round} {}!", "?".repeat(size));
                stream.write_all(question.as_bytes()).await?;
                let mut answer = vec![0; question.len()];
                stream.read_exact(&mut answer).await?;
                sim::invariant(
                    answer == question.as_bytes(),
                    format_args!("{name} asked {to}, round {round}"),
                );
            }
            std::io::Result::Ok(())
        };
        let _ = timeout(2_000 * MS, ask).await;
    }
}

fn five_hosts(seed: u64, trace: usize) -> Report<()> {
    let plan = Plan::draw(seed, &HOSTS, HORIZON, &Kind::ALL);
    Simulation::builder().seed(seed).plan(plan).trace(trace).build().run(async {
        for name in HOSTS {
            sim::host(name, move || peer(name));
        }
        sleep(HORIZON).await;
    })
}

#[test]
fn whatever_goes_wrong_answers_are_right_and_a_seed_repeats_them() {
    let mut seen = std::collections::BTreeMap::<Kind, u64>::new();
    for seed in 0..24 {
        let report = five_hosts(seed, 0);
        assert_eq!(report.result, Ok(()), "seed {seed}");
        assert_eq!(report.hash, five_hosts(seed, 0).hash, "seed {seed}: two runs differ");
        for (kind, times) in report.faults {
            *seen.entry(kind).or_default() += times;
        }
    }
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| !seen.contains_key(kind)).collect();
    assert!(missing.is_empty(), "{missing:?} never happened: {seen:?}");
}

#[test]
fn two_runs_have_the_same_trace_byte_for_byte() {
    let bytes = |seed| {
        let trace = five_hosts(seed, 10_000_000).trace;
        assert_eq!(trace.dropped, 0);
        let mut bytes = Vec::new();
        trace.write_json_lines(&mut bytes).unwrap();
        bytes
    };
    let first = bytes(3);
    assert!(first.len() > 100_000);
    assert!(first == bytes(3));
    assert!(first != bytes(4));
}

/// Started by the test below, in a process of its own.
#[test]
fn child() {
    if let Ok(seed) = std::env::var("SIM_SEED") {
        println!("hash {:016x}", five_hosts(seed.parse().unwrap(), 0).hash);
    }
}

#[test]
fn another_process_makes_the_same_of_a_seed() {
    for seed in [1, 2] {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "determinism::child", "--nocapture"])
            .env("SIM_SEED", seed.to_string())
            .output()
            .unwrap();
        let told = String::from_utf8(child.stdout).unwrap();
        let expected = format!("hash {:016x}", five_hosts(seed, 0).hash);
        assert!(child.status.success() && told.contains(&expected), "{expected} is not in {told}");
    }
}

/// What a seed does is the same on every machine, and from one version to the next. A change that must alter it puts the
/// new counts here; then the seeds that the book names have changed, too.
#[test]
fn a_seed_does_the_same_on_every_machine() {
    let counts = |seed| format!("{:?}", five_hosts(seed, 0).faults.into_values().collect::<Vec<_>>());
    let expected = [
        "[1, 1, 22, 1, 187, 2, 8, 22]",
        "[1, 1, 4, 5, 1, 15, 114, 1, 2, 2, 12, 4]",
        "[29, 29, 1, 12, 6, 5, 115, 167, 1, 2, 2, 7]",
    ];
    assert_eq!([1, 2, 3].map(counts), expected);
}

#[test]
fn simulations_in_threads_do_not_see_each_other() {
    let alone: Vec<u64> = (0..4).map(|seed| five_hosts(seed, 0).hash).collect();
    let threads: Vec<_> = (0..3)
        .map(|first| {
            std::thread::spawn(move || {
                (0..4).map(|seed| five_hosts((seed + first) % 4, 0).hash).collect::<Vec<_>>()
            })
        })
        .collect();
    for (first, thread) in threads.into_iter().enumerate() {
        let mut hashes = thread.join().unwrap();
        hashes.rotate_right(first);
        assert_eq!(hashes, alone);
    }
}

/// What leaks the machine's randomness into a run is found by its hash.
#[test]
fn a_hash_finds_what_depends_on_the_machine() {
    let leaky = || {
        let report = Simulation::builder().seed(1).build().run(async {
            let map: std::collections::HashMap<u32, ()> = (0..20).map(|key| (key, ())).collect();
            for key in map.keys() {
                sleep(MS * *key).await;
            }
        });
        report.hash
    };
    // Two maps of 20 keys have the same order once in very many times.
    assert!((0..3).any(|_| leaky() != leaky()));
}

#[test]
fn first_come_first_served_is_an_order_too() {
    let run = |fifo, seed| {
        let report = Simulation::builder().seed(seed).fifo(fifo).build().run(async {
            let order = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
            let tasks: Vec<_> = (0..20)
                .map(|number| {
                    let order = std::rc::Rc::clone(&order);
                    cotask::spawn(async move { order.borrow_mut().push(number) })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            order.take()
        });
        report.result.unwrap()
    };
    assert_eq!(run(true, 1), (0..20).collect::<Vec<_>>());
    assert_ne!(run(false, 1), run(false, 2));
    assert_eq!(run(false, 1), run(false, 1));
}

#[test]
fn a_failure_repeats_as_well() {
    let fails = || {
        Simulation::builder().seed(9).build().run(async {
            sim::host("one", || async {
                sleep(MS * (sim::random() % 1_000) as u32).await;
                sim::invariant(false, sim::random());
                std::future::pending::<()>().await
            });
            std::future::pending::<()>().await
        })
    };
    let (first, second) = (fails(), fails());
    assert!(matches!(first.result, Err(Failure::Invariant(_))));
    assert_eq!((first.result, first.hash), (second.result, second.hash));
}

/// Seed 3 fails, and, if there are two threads, only when the other one has run seed 4, and is at seed 5.
fn three_fails(threads: usize) -> (Searched, Vec<u64>) {
    let (gate, at_gate) = mpsc::sync_channel(1);
    let (at_gate, told) = (std::sync::Mutex::new(at_gate), std::sync::Mutex::new(Vec::new()));
    let prepare = |seed| {
        match seed {
            3 if threads > 1 => at_gate.lock().unwrap().recv().unwrap(),
            5 => gate.send(()).unwrap(),
            _ => {}
        }
        Simulation::builder().seed(seed).limit(if seed == 3 { MS } else { 100 * MS })
    };
    let progress = |so_far: &Searched| {
        told.lock().unwrap().push(so_far.seeds);
        ControlFlow::Continue(())
    };
    let program = || async { sleep(10 * MS).await };
    let searched = Search::new(0..100).threads(threads).run(prepare, program, progress);
    (searched, told.into_inner().unwrap())
}

#[test]
fn a_search_finds_the_same_with_any_number_of_threads() {
    let ((alone, told_alone), (both, told_both)) = (three_fails(1), three_fails(2));
    assert_eq!(alone.seeds, 4);
    assert_eq!(alone.failed.keys().collect::<Vec<_>>(), [&3]);
    assert_eq!(format!("{alone:?}"), format!("{both:?}"));
    assert_eq!((told_alone, told_both), (vec![1, 2, 3, 4], vec![1, 2, 3, 4]));
}
