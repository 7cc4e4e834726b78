//! Simulated sockets do as the system's: one program calls every public method of `net` on both, and the outcomes are
//! compared one by one. What still differs is listed here, and in the documentation of `cotask::sim`.
//!
//! A simulated socket does as Linux's do, so the comparison is made there.

mod methods;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cotask::sim::Simulation;

/// The calls with another outcome on simulated sockets, and the word by which the documentation of `cotask::sim` names
/// what they need. A constructor fails with `Unsupported` there; what it would have made is then not called.
const ONLY_REAL: [(&str, &str); 21] = [
    ("AsFd::as_fd", "as_fd"),
    ("TcpStream::from_std", "from_std"),
    ("TcpListener::from_std", "from_std"),
    ("UdpSocket::from_std", "from_std"),
    ("AsyncFd::new", "AsyncFd"),
    ("AsyncFd::get_ref", "AsyncFd"),
    ("AsyncFd::get_mut", "AsyncFd"),
    ("UnixListener::bind", "Unix sockets"),
    ("UnixListener::bind: files", "Unix sockets"),
    ("Listener::accept: at a path", "Unix sockets"),
    ("UnixStream::connect", "Unix sockets"),
    ("UnixStream::from_std", "Unix sockets"),
    ("UnixStream::pair", "Unix sockets"),
    ("UnixDatagram::from_std", "Unix sockets"),
    ("UnixDatagram::bind", "Unix sockets"),
    ("UnixDatagram::pair", "Unix sockets"),
    ("UnixDatagram::send", "Unix sockets"),
    ("UnixDatagram::recv", "Unix sockets"),
    ("UnixDatagram::recv_from", "Unix sockets"),
    ("UnixDatagram::try_send_to", "Unix sockets"),
    ("UnixDatagram::connect", "Unix sockets"),
];

/// Simulated packets overtake each other, as drawn: no outcome may depend on that.
const SEEDS: u64 = 30;

type Outcomes = BTreeMap<String, String>;

#[track_caller]
fn by_call(outcomes: program::Outcomes) -> Outcomes {
    let mut by_call = Outcomes::new();
    for (call, outcome) in outcomes.0 {
        assert!(by_call.insert(call.clone(), outcome).is_none(), "two outcomes are named {call}");
    }
    by_call
}

fn on_real_sockets() -> Outcomes {
    const LONG: Duration = Duration::from_secs(60);
    let outcomes = cotask::block_on(async { cotask::time::timeout(LONG, program::run()).await });
    by_call(outcomes.expect("the program hangs on real sockets"))
}

fn on_simulated_sockets(seed: u64) -> Outcomes {
    let report = Simulation::builder().seed(seed).build().run(program::run());
    by_call(report.result.unwrap_or_else(|failure| panic!("seed {seed}: {failure}")))
}

#[test]
fn simulated_sockets_do_as_real_ones() {
    let real = on_real_sockets();
    for seed in 0..SEEDS {
        let simulated = on_simulated_sockets(seed);
        let calls: BTreeSet<&String> = real.keys().chain(simulated.keys()).collect();
        for call in calls {
            let (real, simulated) = (real.get(call), simulated.get(call));
            let known = ONLY_REAL.iter().any(|(known, _)| known == call);
            assert!(
                known != (real == simulated),
                "{call}, seed {seed}: {real:?} on real sockets, {simulated:?} on simulated ones{}",
                if known { "; it is listed as a difference" } else { "" }
            );
        }
    }
}

#[test]
fn the_program_calls_every_public_method() {
    let real = on_real_sockets();
    let called: BTreeSet<String> =
        real.keys().map(|call| call.split(": ").next().unwrap().to_string()).collect();
    let public = methods::public();
    let missing: Vec<_> = public.difference(&called).collect();
    assert!(missing.is_empty(), "public methods of `net` that the program does not call: {missing:?}");
    let unknown: Vec<_> = called.difference(&public).collect();
    assert!(unknown.is_empty(), "the program names what `net` does not have: {unknown:?}");
}

#[test]
fn the_documentation_names_what_differs() {
    let source = include_str!("../../../src/sim/mod.rs");
    let docs: Vec<_> = source.lines().filter(|line| line.starts_with("//!")).collect();
    let docs = docs.join("\n");
    for (call, word) in ONLY_REAL {
        assert!(docs.contains(word), "`{word}`, for {call}");
    }
}
