//! What loom's own environment variables do to a model: nothing. An invalid one is named. Each case is a process of its
//! own, because no test may change the environment of another.

use std::process::{Command, Output};
use std::sync::atomic::Ordering::Relaxed;

use interleave::sync::Arc;
use interleave::sync::atomic::AtomicUsize;
use interleave::{Explored, Model, thread};

/// Loom's variables that have a number as their value.
const NUMBERS: [&str; 5] = [
    "LOOM_CHECKPOINT_INTERVAL",
    "LOOM_MAX_BRANCHES",
    "LOOM_MAX_DURATION",
    "LOOM_MAX_PERMUTATIONS",
    "LOOM_MAX_PREEMPTIONS",
];

/// Run by the others with an environment of theirs.
#[test]
#[ignore = "run by the others"]
fn inner() {
    let model = Model::new("three add");
    let Explored { executions } = model.check(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let adding = [0, 1].map(|_| {
            let count = count.clone();
            thread::spawn(move || {
                count.fetch_add(1, Relaxed);
                count.fetch_add(1, Relaxed);
            })
        });
        count.fetch_add(1, Relaxed);
        adding.into_iter().for_each(|adding| adding.join().unwrap());
    });
    println!("executions: {executions}");
}

fn inner_with(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["inner", "--exact", "--ignored", "--nocapture"]);
    NUMBERS.iter().for_each(|name| _ = command.env_remove(name));
    command.envs(variables.iter().copied()).output().unwrap()
}

fn executions(output: &Output) -> usize {
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text.lines().find_map(|line| line.split_once("executions: ")?.1.parse().ok());
    number.unwrap_or_else(|| panic!("no number of executions in {output:?}"))
}

#[test]
fn a_bound_from_the_environment_leaves_nothing_out() {
    let all = executions(&inner_with(&[]));
    assert!(all > 20, "a model of {all} executions shows little");
    for name in NUMBERS {
        assert_eq!(executions(&inner_with(&[(name, "1")])), all, "{name}=1");
    }
}

#[test]
fn an_invalid_variable_is_named() {
    for name in NUMBERS {
        let output = inner_with(&[(name, "x")]);
        assert!(!output.status.success(), "{name}=x");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("{name} is \"x\"")), "{said}");
    }
}
