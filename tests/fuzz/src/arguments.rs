//! Command lines: those of the workloads, and the one of `cargo loom`, which is read by hand.

use crate::command_line::{Options, exactly, mutant_of, nothing_to_show, select};
use crate::common::Workload;
use crate::model::{Model, Mutant};

static WORKLOADS: &[&Workload] = &[
    &crate::chat::WORKLOAD,
    &crate::echo::WORKLOAD,
    &crate::fib::WORKLOAD,
    &crate::grep::WORKLOAD,
    &crate::mergesort::WORKLOAD,
    &crate::photos::WORKLOAD,
    &crate::queues::WORKLOAD,
    &crate::rates::WORKLOAD,
    &crate::webapp::WORKLOAD,
];

static INBOX: Model = Model {
    name: "inbox",
    about: "",
    invariants: &[],
    bound: None,
    body: || {},
    mutants: &[Mutant::Body { name: "no_write", body: || {} }],
};
static MODELS: &[&Model] = &[&INBOX, &Model { name: "inbox_two_wakers", mutants: &[], ..INBOX }];

/// As a program's name and its arguments, each a line.
pub fn arguments(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.split('\n');
    let program = words.next().unwrap_or_default();
    if program == "cargo loom" {
        return cargo_loom(words);
    }
    let Some(workload) = WORKLOADS.iter().find(|workload| workload.name == program) else { return };
    let words = std::iter::once(program).chain(words);
    // A refusal is for people, so it says something.
    if let Err(error) = (workload.command)().try_get_matches_from(words) {
        assert!(!error.render().to_string().is_empty());
    }
}

fn cargo_loom<'a>(words: impl Iterator<Item = &'a str>) {
    let Ok(options) = Options::parse(words.map(str::to_owned)) else { return };
    for name in &options.names {
        let selected = select(MODELS, std::slice::from_ref(name));
        assert!(
            selected.is_ok_and(|models| !models.is_empty())
                == MODELS.iter().any(|model| model.name.contains(name))
        );
        match exactly(MODELS, name) {
            Ok(model) => assert!(nothing_to_show(model, None).contains(name)),
            Err(error) => assert!(error.to_string().contains(&format!("{name:?}"))),
        }
        let _ = mutant_of(&INBOX, name).map(|mutant| nothing_to_show(&INBOX, Some(mutant)));
    }
}
