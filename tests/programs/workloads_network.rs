//! The workloads with a server: every style finds the same answer, and reports what is wrong with a failing server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::example_programs::{record, refuses, run, same_answer};

/// A server that does `serve` with each connection, numbered from 0, for as long as the test runs.
fn server(serve: impl Fn(usize, TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            serve(number, stream.unwrap());
        }
    });
    address
}

/// An address at which no server listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Reads some of what the client sends, so that closing does not take back what was sent to it.
fn hear(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0; 4096]);
}

const RATES: [&str; 6] = ["sequential", "threads", "pool", "callbacks", "coroutines", "tokio"];

#[test]
fn rates_agree() {
    let small = ["--pairs", "12", "--latency", "2ms", "--jitter", "3ms"];
    let answer = same_answer("rates", &RATES, &small);
    // The answer is made of the rates, not of when they came.
    assert_eq!(
        answer,
        same_answer("rates", &RATES, &["--pairs", "12", "--latency", "0ms", "--jitter", "0ms"])
    );
    assert_ne!(answer, same_answer("rates", &RATES, &["--pairs", "12", "--latency", "0ms", "--seed", "2"]));
    assert_ne!(answer, same_answer("rates", &RATES, &["--pairs", "13", "--latency", "0ms"]));
    same_answer("rates", &["pool"], &["--pairs", "5", "--workers", "2", "--latency", "1ms"]);
}

#[test]
fn rates_cost_as_many_threads_as_the_style_says() {
    for (style, threads) in
        [("sequential", 1), ("callbacks", 1), ("coroutines", 1), ("tokio", 1), ("pool", 5)]
    {
        // The pool's workers count beside the thread that waits for them.
        let args = ["--pairs", "8", "--workers", "4", "--latency", "40ms"];
        let record = record("rates", style, &args);
        if cfg!(target_os = "linux") {
            assert_eq!(record["threads"], threads, "{record}");
            assert!(record["peak_pss_kib"].as_u64().is_some_and(|kib| kib > 500), "{record}");
        }
        assert!(record["wall_ms"].as_f64().is_some_and(|ms| ms >= 40.0), "no answer comes early: {record}");
        assert!(record["p50_us"].as_u64().is_some_and(|us| us >= 39_900), "{record}");
    }
}

#[test]
fn rates_refuse_bad_arguments() {
    refuses("rates", &["--pairs", "0"], 2, &["--pairs"]);
    refuses("rates", &["--pairs", "1000000"], 2, &["--pairs"]);
    refuses("rates", &["--latency", "soon"], 2, &["--latency", "soon"]);
    refuses("rates", &["--server", "nowhere"], 2, &["--server", "nowhere"]);
    refuses("rates", &["--style", "processes"], 2, &["processes", "callbacks"]);
    let help = run("rates", &["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--jitter"));
}

/// What every style must say when the quote server fails in some way.
fn rates_fail(server: SocketAddr, more: &[&str], words: &[&str]) {
    let address = server.to_string();
    for style in RATES {
        let args = ["--style", style, "--pairs", "6", "--server", &address];
        let args: Vec<&str> = args.iter().chain(more).copied().collect();
        refuses("rates", &args, 1, words);
    }
}

#[test]
fn rates_name_the_server_that_refuses() {
    let address = nobody();
    rates_fail(address, &[], &["no rate for AED/", &address.to_string(), "refused"]);
}

#[test]
fn rates_name_the_server_that_talks_nonsense() {
    let address = server(|_, mut stream| {
        hear(&mut stream);
        let _ = stream.write_all(b"\x00\x01 what do you mean?\r\n\r\n");
    });
    rates_fail(address, &[], &[&address.to_string(), "not HTTP"]);
    let endless = server(|_, mut stream| {
        hear(&mut stream);
        let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1_000)).as_bytes());
    });
    rates_fail(endless, &[], &["longer than"]);
    let wrong = server(|_, mut stream| {
        hear(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmany");
    });
    rates_fail(wrong, &[], &["'many' is no price"]);
    let missing = server(|_, mut stream| {
        hear(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    });
    rates_fail(missing, &[], &["404"]);
}

#[test]
fn rates_name_the_server_that_dies_halfway() {
    let address = server(|number, mut stream| {
        hear(&mut stream);
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n1.2345";
        let sent = if number % 6 < 3 { whole.len() } else { whole.len() - 2 };
        let _ = stream.write_all(&whole.as_bytes()[..sent]);
    });
    rates_fail(address, &[], &[&address.to_string(), "closed after"]);
}

#[test]
fn rates_do_not_wait_for_ever() {
    // Keeps every connection open and says nothing.
    let address = server(|_, stream| std::mem::forget(stream));
    rates_fail(address, &["--timeout", "60ms"], &[]);
}

#[test]
fn echo_agrees() {
    let one = ["--connections", "1", "--messages", "20", "--rate", "2000"];
    let all = ["sequential", "threads", "pool", "callbacks", "coroutines", "tokio"];
    let answer = same_answer("echo", &all, &one);
    let many = ["--connections", "9", "--busy", "4", "--messages", "21", "--rate", "2000"];
    assert_ne!(answer, same_answer("echo", &all[1..], &many));
    refuses(
        "echo",
        &["--style", "pool", "--workers", "2", "--connections", "3"],
        1,
        &["2 threads", "3 connections"],
    );
    refuses("echo", &["--connections", "2", "--busy", "3"], 1, &["--busy 3", "--connections 2"]);
    refuses("echo", &["--connections", "0"], 2, &["--connections"]);
}

#[test]
fn the_load_client_names_a_server_that_fails() {
    let load = |address: SocketAddr, words: &[&str]| {
        let address = address.to_string();
        let args =
            ["load", &address, "--connections", "2", "--messages", "8", "--rate", "1000", "--timeout", "5s"];
        refuses("echo", &args, 1, words);
    };
    let refused = nobody();
    load(refused, &[&refused.to_string(), "refused"]);
    load(server(|_, _| ()), &["2 connections failed"]);
    load(
        server(|_, mut stream| {
            let mut message = [0; 64];
            let _ = stream.read_exact(&mut message);
            message[63] ^= 1;
            let _ = stream.write_all(&message);
        }),
        &["came back as another one"],
    );
}

#[test]
fn asyncio_agrees() {
    if !std::process::Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        eprintln!("no python3: not tested");
        return;
    }
    same_answer("rates", &["coroutines", "asyncio"], &["--pairs", "9", "--latency", "1ms"]);
    same_answer(
        "echo",
        &["coroutines", "asyncio"],
        &["--connections", "5", "--messages", "20", "--rate", "1000"],
    );
    let address = nobody().to_string();
    refuses("rates", &["--style", "asyncio", "--server", &address], 1, &["asyncio.py"]);
}

const SITES: [&str; 5] = ["threads", "pool", "callbacks", "coroutines", "tokio"];

#[test]
fn webapp_agrees() {
    let small =
        ["--rate", "50", "--visits", "3", "--latency", "1ms", "--slow-percent", "0", "--patience", "10s"];
    let answer = same_answer("webapp", &["sequential"], &small);
    assert_eq!(answer, same_answer("webapp", &SITES, &small));
    refuses("webapp", &["--rate", "0"], 2, &["--rate"]);
    refuses("webapp", &["--style", "blocking"], 2, &["blocking", "callbacks"]);
}

#[test]
fn a_page_does_not_wait_for_its_advertisement() {
    for style in SITES {
        let args = ["--rate", "50", "--visits", "4", "--latency", "1ms"];
        let slow = ["--slow-percent", "100", "--slow", "5s", "--patience", "20ms"];
        let record = record("webapp", style, &[&args[..], &slow[..]].concat());
        assert_eq!(record["also"]["without ad %"], 100.0, "{record}");
        assert!(record["p50_us"].as_u64().is_some_and(|us| us < 4_000_000), "{record}");
    }
}

#[test]
fn whoever_is_too_many_is_turned_away() {
    for style in SITES {
        let args =
            ["--rate", "2000", "--visits", "40", "--latency", "60ms", "--at-once", "2", "--workers", "1"];
        let record = record("webapp", style, &args);
        // All forty come long before the first of them has had its two queries of 60 ms.
        assert!(record["also"]["turned away %"].as_f64().is_some_and(|part| part > 0.0), "{record}");
        assert!(record["operations"].as_u64().is_some_and(|served| served >= 1), "{record}");
        assert_eq!(record["errors"], 0, "{record}");
    }
}

#[test]
fn visitors_name_a_server_that_fails() {
    let visit = |address: SocketAddr, words: &[&str]| {
        refuses("webapp", &["visit", &address.to_string(), "--visits", "2"], 1, words);
    };
    let refused = nobody();
    visit(refused, &[&refused.to_string(), "refused"]);
    visit(
        server(|_, mut stream| {
            hear(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        }),
        &["sees 'hello'"],
    );
    visit(
        server(|_, mut stream| {
            hear(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le");
        }),
        &["closed after"],
    );
}

#[test]
fn chat_agrees() {
    let styles = ["threads", "callbacks", "coroutines", "tokio"];
    let small = ["--messages", "12", "--rate", "1000", "--listeners", "3", "--slow", "1", "--pause", "1ms"];
    let answers: Vec<String> = ["wait", "cut", "unbounded"]
        .iter()
        .map(|policy| same_answer("chat", &styles, &[&small[..], &["--policy", policy]].concat()))
        .collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    refuses("chat", &["--policy", "shout"], 2, &["--policy", "unbounded"]);
    refuses("chat", &["--listeners", "0"], 2, &["--listeners"]);
}

#[test]
fn backpressure_makes_all_wait_for_the_slowest() {
    for style in ["threads", "callbacks", "coroutines", "tokio"] {
        // Beyond what the sockets and a queue of two hold, the slow one must have taken its messages before the others
        // hear theirs: 60 of 120 of them, at 5 ms each.
        let slow = ["--messages", "120", "--rate", "100000", "--queue", "2", "--slow", "1", "--pause", "5ms"];
        let waiting = record("chat", style, &[&slow[..], &["--policy", "wait"]].concat());
        assert!(waiting["wall_ms"].as_f64().is_some_and(|ms| ms > 300.0), "{waiting}");
        assert!(
            waiting["also"]["slow: heard by then"].as_f64().is_some_and(|heard| heard > 60.0),
            "{waiting}"
        );
    }
}

#[test]
fn the_crowd_names_a_server_that_fails() {
    let refused = nobody();
    refuses("chat", &["crowd", &refused.to_string()], 1, &[&refused.to_string(), "refused", "the speaker"]);
    let silent = server(|_, _| ());
    refuses("chat", &["crowd", &silent.to_string()], 1, &[&silent.to_string(), "no welcome"]);
    let rude = server(|_, mut stream| {
        let _ = stream.write_all(&[7; 8 * 1024]);
    });
    refuses("chat", &["crowd", &rude.to_string()], 1, &["does not begin with a welcome"]);
}

/// Each server that a person can start alone.
const SERVERS: [(&str, &str); 3] = [("rates", "serve"), ("echo", "serve"), ("webapp", "database")];

#[test]
fn a_server_whose_input_closes_says_why_it_ends_and_how_to_keep_it() {
    for (workload, server) in SERVERS {
        let output = run(workload, &[server]);
        // Whether it gets as far as to listen is open.
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{why}");
        assert!(why.contains("standard input has closed") && why.contains("--keep-running"), "{why}");
    }
}

/// A helper of another process ends as often as there is a run: without a word.
#[test]
fn a_server_of_a_run_ends_in_silence() {
    let output = run("rates", &["--pairs", "1", "--latency", "1ms"]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// The address at the end of a server's first line.
#[cfg(target_os = "linux")]
fn announced(out: impl Read) -> String {
    use std::io::{BufRead, BufReader};
    let lines = BufReader::new(out).lines().map(|line| line.expect("text"));
    let found = lines.map(|line| line.trim().to_string()).find(|line| line.starts_with("listening on "));
    found.expect("it listens")["listening on ".len()..].to_string()
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_is_kept_running_without_an_input() {
    use nix::sys::signal::{Signal, kill};
    let mut serve =
        crate::example_programs::command("rates", &["serve", "--keep-running", "--latency", "1ms"]);
    serve.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut server = serve.spawn().unwrap();
    let address = announced(server.stdout.take().unwrap());
    for _ in 0..2 {
        assert_eq!(record("rates", "coroutines", &["--pairs", "2", "--server", &address])["ok"], true);
    }
    kill(nix::unistd::Pid::from_raw(server.id().cast_signed()), Signal::SIGTERM).unwrap();
    let ended = server.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(143));
    assert_eq!(String::from_utf8_lossy(&ended.stderr).trim(), "terminated");
}

/// The system stops a background process that reads its terminal, and a stopped server answers no client.
#[cfg(target_os = "linux")]
#[test]
fn a_server_in_the_background_of_a_terminal_serves() {
    use nix::sys::signal::{Signal, kill};
    use std::process::{Command, Stdio};
    // `script` has a terminal for the shell, `set -m` puts the server into a background of its own.
    let mut script = Command::new("script");
    let program = crate::example_programs::command::<&str>("rates", &[]);
    let background =
        format!("set -m; {} serve --latency 1ms & echo id $!; wait", program.get_program().display());
    script.args(["--quiet", "--return", "--command", &format!("sh -c '{background}'"), "/dev/null"]);
    let Ok(mut terminal) = script.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() else {
        eprintln!("no script: not tested");
        return;
    };
    let (mut id, mut address) = (None, None);
    let mut out = std::io::BufReader::new(terminal.stdout.take().unwrap());
    while id.is_none() || address.is_none() {
        let mut line = String::new();
        assert!(std::io::BufRead::read_line(&mut out, &mut line).unwrap() > 0, "it ends: {id:?} {address:?}");
        id = line.trim().strip_prefix("id ").map(|id| id.parse().unwrap()).or(id);
        address = line.trim().strip_prefix("listening on ").map(String::from).or(address);
    }
    let args = ["--pairs", "2", "--timeout", "30s", "--server", &address.unwrap()];
    let answered = run("rates", &args);
    kill(nix::unistd::Pid::from_raw(id.unwrap()), Signal::SIGKILL).unwrap();
    assert!(answered.status.success(), "{answered:?}");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("tty input"), "{rest}");
    terminal.wait().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_the_program_and_its_server() {
    for style in ["sequential", "coroutines"] {
        let args = ["--style", style, "--latency", "100s", "--timeout", "200s"];
        let (code, text) = crate::example_programs::signalled(
            crate::example_programs::command("rates", &args),
            1,
            nix::sys::signal::Signal::SIGINT,
        );
        assert_eq!((code, text.trim()), (Some(130), "interrupted"));
    }
}
