//! What `cargo loom` answers to a command line, with two models that are never run.

use std::process::Command;

#[allow(dead_code)]
#[path = "../../loom/answer.rs"]
mod answer;
#[allow(dead_code)]
#[path = "../../loom/command_line.rs"]
mod command_line;
#[allow(dead_code)]
#[path = "../../loom/model.rs"]
mod model;

use command_line::{Options, exactly, mutant_of, nothing_to_show, select};
use model::{Model, Mutant};

static INBOX: Model = Model {
    name: "inbox",
    about: "",
    invariants: &[],
    bound: None,
    body: || {},
    mutants: &[
        Mutant::Body { name: "no_write", body: || {} },
        Mutant::Body { name: "no_check", body: || {} },
    ],
};
static TWO_WAKERS: Model = Model { name: "inbox_two_wakers", mutants: &[], ..INBOX };
static SEMAPHORE: Model = Model { name: "semaphore", mutants: &[], ..INBOX };
static MODELS: &[&Model] = &[&INBOX, &TWO_WAKERS, &SEMAPHORE];

fn parse(line: &str) -> answer::Result<Options> {
    Options::parse(line.split_whitespace().map(str::to_owned))
}

#[test]
fn help_is_no_failed_test_and_builds_nothing() {
    for help in [&["--help"][..], &["-h"], &["help"], &["exercise", "--help"]] {
        // Without cargo nothing can be built.
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-loom"));
        let output = command.args(help).env("CARGO", "/there/is/no/cargo").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{help:?}: {output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        for part in ["--picture MODEL", "--no-mutants", "exercise NAME", "exit code"] {
            assert!(said.contains(part), "{part} is not in:\n{said}");
        }
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn a_name_selects_every_model_that_contains_it() {
    let names = |options: Options| -> Vec<&str> {
        select(MODELS, &options.names).unwrap().iter().map(|model| model.name).collect()
    };
    assert_eq!(names(parse("").unwrap()), ["inbox", "inbox_two_wakers", "semaphore"]);
    assert_eq!(names(parse("inbox --list").unwrap()), ["inbox", "inbox_two_wakers"]);
    assert_eq!(names(parse("-- wakers sema").unwrap()), ["inbox_two_wakers", "semaphore"]);
}

#[test]
fn an_unknown_name_ends_with_what_may_be_meant() {
    let error = select(MODELS, &["inbx".into()]).err().unwrap().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines,
        [
            "each model that there is:",
            "  inbox             inbox_two_wakers  semaphore",
            "no model is called \"inbx\"; did you mean inbox or inbox_two_wakers?",
        ]
    );
    let error = select(MODELS, &["something_else".into()]).err().unwrap().to_string();
    assert!(error.ends_with("no model is called \"something_else\""), "{error}");
    let error = exactly(MODELS, "semafore").err().unwrap().to_string();
    assert!(error.ends_with("did you mean semaphore?"), "{error}");
    let error = mutant_of(&INBOX, "nowrite").map(Mutant::name).unwrap_err().to_string();
    assert!(error.ends_with("no mutant of inbox is called \"nowrite\"; did you mean no_write?"), "{error}");
    let error = parse("--pictures inbox").unwrap_err().to_string();
    assert!(error.ends_with("no option is called \"--pictures\"; did you mean --picture?"), "{error}");
}

#[test]
fn many_names_are_lines_that_can_be_read() {
    let names: Vec<String> = (0..85).map(|number| format!("model_with_a_long_name_{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let error = answer::unknown("model", "x", &names).to_string();
    assert!(error.lines().all(|line| line.chars().count() <= 100), "{error}");
    assert!(error.lines().count() < 40 && names.iter().all(|name| error.contains(name)), "{error}");
}

#[test]
fn a_model_that_passes_names_the_pictures_that_there_are() {
    let said = nothing_to_show(&INBOX, None);
    assert!(said.starts_with("inbox: every execution passes"), "{said}");
    for mutant in ["no_write", "no_check"] {
        assert!(said.contains(&format!("cargo loom --picture inbox/{mutant}")), "{said}");
    }
    let said = nothing_to_show(&INBOX, Some(&INBOX.mutants[0]));
    assert!(said.contains("inbox/no_write") && said.contains("NOT CAUGHT"), "{said}");
}
