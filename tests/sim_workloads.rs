//! The workloads' coroutine versions on a network that fails: the very files of `examples/`.

#[path = "../examples/chat/mod.rs"]
#[allow(dead_code)]
mod chat;
#[path = "../examples/common/mod.rs"]
mod common;
#[path = "../examples/echo/mod.rs"]
#[allow(dead_code)]
mod echo;
#[path = "../examples/rates/mod.rs"]
#[allow(dead_code)]
mod rates;
#[path = "../examples/simulate/scenarios/mod.rs"]
#[allow(dead_code)]
mod scenarios;
#[path = "../examples/webapp/mod.rs"]
#[allow(dead_code)]
mod webapp;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use cotask::sim::{Kind, Search, Simulation};
use scenarios::{SCENARIOS, Version};

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
