//! The workloads' coroutine versions on a network that fails: the very files of `examples/`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use cotask::net::TcpStream;
use cotask::sim::{self, Kind, Search, Simulation};
use cotask::time::sleep;
use futures::AsyncWriteExt;

use crate::scenarios::{SCENARIOS, Version};
use crate::{chat, echo, rates, webapp};

const DAY: Duration = Duration::from_secs(86_400);

/// Runs some seeds of a program twice each: none may fail, and none may differ. Gives the kinds of fault that happened.
fn bears(name: &str, seeds: u64) -> BTreeSet<Kind> {
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name).expect("a known name");
    let searched = Search::new(0..seeds).twice(true).run(
        |seed| scenario.prepare(seed),
        || (scenario.program)(Version::Repaired),
        |_| ControlFlow::Continue(()),
    );
    if let Some((seed, found)) = searched.failed.first_key_value() {
        panic!("{name}, seed {seed}, after {:?}: {}\nwith {}", found.at, found.failure, found.plan);
    }
    assert!(searched.differing.is_empty(), "{name}: {:?}", searched.differing);
    assert_eq!(searched.seeds, seeds);
    searched.faults.into_keys().collect()
}

#[test]
fn no_answer_is_lost_doubled_or_mixed_up_whatever_happens() {
    let kinds: BTreeSet<Kind> =
        ["echo", "rates", "webapp", "chat"].into_iter().flat_map(|name| bears(name, 50)).collect();
    assert!(kinds.len() >= 10, "{kinds:?}");
}

#[test]
fn the_repaired_scenarios_never_fail() {
    for name in ["payment", "lock", "leader"] {
        bears(name, 50);
    }
}

/// A day of a workload, with what befalls it spread over the day.
fn day<F: Future<Output = ()>>(name: &str, program: impl Fn() -> F + Sync) {
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name).expect("a known name");
    let plan = scenario.plan(7, DAY);
    let report = Simulation::builder().seed(7).plan(plan).limit(DAY * 3).build().run(program());
    report.result.unwrap_or_else(|failure| panic!("{name} after {:?}: {failure}", report.virtual_time));
    assert!(report.virtual_time >= DAY, "{:?}", report.virtual_time);
}

#[test]
fn echo_goes_on_for_a_day() {
    day("echo", || echo::simulated::run(3_200, Duration::from_secs(30)));
}

#[test]
fn rates_goes_on_for_a_day() {
    day("rates", || rates::simulated::run(1_440, 3, Duration::from_secs(60)));
}

#[test]
fn webapp_goes_on_for_a_day() {
    day("webapp", || webapp::simulated::run(1_440, Duration::from_secs(60)));
}

#[test]
fn chat_goes_on_for_a_day() {
    day("chat", || chat::simulated::run(8_640, Duration::from_secs(10)));
}

/// A host that connects so often, says that much each time, and then neither speaks nor listens any more.
fn ghost(to: &'static str, times: usize, words: &'static [u8]) {
    sim::host("ghost", move || async move {
        let mut connections = Vec::new();
        while connections.len() < times {
            if let Ok(mut connection) = TcpStream::connect(to).await
                && connection.write_all(words).await.is_ok()
            {
                connections.push(connection);
            }
            sleep(Duration::from_millis(10)).await;
        }
        std::future::pending::<()>().await
    });
}

/// More of them than are served at once: without a limit no other visitor would be served again.
#[test]
fn visitors_who_say_nothing_do_not_keep_the_others_out() {
    sim::check(0..5, || async {
        ghost("web:80", 20, b"GET /users");
        webapp::simulated::run(5, Duration::from_secs(10)).await;
    });
}

/// The chat waits for the slowest listener, but not for one that takes nothing.
#[test]
fn a_listener_who_takes_nothing_does_not_silence_the_others() {
    sim::check(0..5, || async {
        ghost("server:80", 1, b"");
        chat::simulated::run(100, Duration::from_millis(100)).await;
    });
}

/// Three pauses lie between four attempts, each drawn from a span of its own: 100, 200 and 400 ms.
#[test]
fn retries_pause_as_they_say() {
    let mut pauses = Vec::new();
    for seed in 0..200 {
        let report = Simulation::builder().seed(seed).build().run(rates::simulated::give_up(4));
        let (took, error) = report.result.unwrap();
        assert!(error.contains("no rate for") && error.contains("refused"), "{error}");
        pauses.push(took.as_millis());
    }
    pauses.sort();
    // Four attempts take some milliseconds themselves.
    assert!(pauses[199] <= 720 && pauses[199] > 550 && pauses[0] < 150, "{pauses:?}");
    let middle = pauses[100];
    assert!((300..400).contains(&middle), "the middle of 0 to 700 ms: {pauses:?}");
}

/// Where nothing comes back at all, each attempt ends with its time-out.
#[test]
fn attempts_end_with_their_time_outs() {
    let cut = "0s partition main market".parse().unwrap();
    let report = Simulation::builder().seed(1).plan(cut).build().run(rates::simulated::give_up(4));
    let (took, error) = report.result.unwrap();
    assert!(error.contains("the time was up"), "{error}");
    assert!((4_000..4_720).contains(&took.as_millis()), "{took:?}");
}
