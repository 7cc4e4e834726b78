//! The museum and the exercises without loom: each right version as an ordinary program, the exhibits driven by hand,
//! and whether the index is complete. `cargo loom museum` explores the others.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

#[path = "../exercises/exercises.rs"]
mod exercises;
#[path = "../loom/model.rs"]
#[expect(dead_code, reason = "loom's harness uses the rest")]
mod model;
#[path = "exhibits.rs"]
mod museum;

use cotask::sim::Simulation;
use model::{Model, Mutant};

/// Files here that are no exhibits.
const OTHERS: [&str; 3] = ["exhibits", "main", "shim"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/museum")
}

fn exhibits() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let rust = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let names = rust.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let mut exhibits: Vec<String> = names.filter(|name| !OTHERS.contains(&name.as_str())).collect();
    exhibits.sort();
    exhibits
}

/// The rows of the index: the exhibit's file, the lesson, where it was seen.
fn index() -> Vec<[String; 3]> {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let rows = readme.lines().filter(|line| line.starts_with("| [`"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [exhibit, lesson, seen] = cells[..] else { panic!("three columns, not: {line}") };
        [exhibit, lesson, seen].map(str::to_owned)
    })
    .collect()
}

fn broken(model: &Model) -> impl Iterator<Item = (&'static str, fn())> {
    model.mutants.iter().map(|mutant| match mutant {
        Mutant::Body { name, body } => (*name, *body),
        Mutant::Source { name, .. } => panic!("{name}: an exhibit shows code of its own, not the kit's"),
    })
}

#[test]
fn every_right_version_is_right_on_real_threads() {
    let answers = exercises::EXERCISES.iter().map(|exercise| &exercise.check);
    for model in museum::MODELS.iter().copied().chain(answers) {
        for _ in 0..100 {
            (model.body)();
        }
    }
}

#[test]
fn what_is_driven_by_hand_shows_its_bug_here() {
    for (model, _) in museum::BY_HAND {
        for (name, body) in broken(model) {
            assert!(catch_unwind(body).is_err(), "{} does not show its bug: {name} passes", model.name);
        }
    }
}

/// Few calls are enough for each of them, so all sequences of four can be tried; `tests/tools` draws longer ones.
#[test]
fn of_what_is_driven_by_hand_the_right_version_alone_stands_any_calls() {
    const KINDS: u32 = 6;
    let sequences =
        || (0..KINDS.pow(4)).map(|number| [0, 1, 2, 3].map(|at| (number / KINDS.pow(at) % KINDS) as u8));
    for (model, versions) in museum::BY_HAND {
        assert_eq!(versions.len(), 1 + broken(model).count(), "{}: every version", model.name);
        let (right, others) = versions.split_first().unwrap();
        sequences().for_each(|calls| right(&calls));
        for other in others {
            let found = sequences().any(|calls| catch_unwind(|| other(&calls)).is_err());
            assert!(found, "{}: a broken version stands all sequences", model.name);
        }
    }
}

#[test]
fn every_right_version_is_right_among_tasks() {
    for (model, [right, _]) in museum::IN_TASKS {
        for seed in 0..100 {
            let simulation = Simulation::builder().seed(seed).build();
            if let Err(failure) = simulation.run(right()).result {
                panic!("{}, seed {seed}: {failure}", model.name);
            }
        }
    }
}

#[test]
fn every_exhibit_has_a_broken_version_and_its_name() {
    let mut shown: Vec<String> =
        museum::MODELS.iter().map(|model| model.name.strip_prefix("museum_").unwrap().to_owned()).collect();
    shown.sort();
    assert_eq!(shown, exhibits(), "files, and models named in exhibits.rs");
    for model in museum::MODELS {
        assert!(broken(model).count() > 0, "{} has nothing broken to show", model.name);
    }
}

#[test]
fn every_exhibit_has_its_placard_and_its_three_parts() {
    let parts = ["broken", "fixed", "model"];
    let placard = ["# ", "**What happened.**", "**Seen.**", "**Why it is hard to see.**", "**Remember.**"];
    for exhibit in exhibits() {
        let text = fs::read_to_string(folder().join(&exhibit).with_extension("rs")).unwrap();
        for head in placard {
            let count = text.lines().filter(|line| line.starts_with(&format!("//! {head}"))).count();
            assert_eq!(count, 1, "{exhibit}: a placard says {head:?} once");
        }
        for part in parts {
            let [begin, end] = ["ANCHOR", "ANCHOR_END"]
                .map(|anchor| text.find(&format!("// {anchor}: {part}\n")).expect(&exhibit));
            assert!(begin < end, "{exhibit}: {part} ends before it begins");
        }
        let lines = text.lines().count();
        assert!((60..=150).contains(&lines), "{exhibit} has {lines} lines: a placard is read standing");
    }
}

#[test]
fn the_index_is_complete() {
    let index = index();
    let listed: Vec<String> = index.iter().map(|[exhibit, ..]| exhibit.clone()).collect();
    let expected: Vec<String> = museum::MODELS
        .iter()
        .map(|model| model.name.strip_prefix("museum_").unwrap())
        .map(|name| format!("[`{name}`]({name}.rs)"))
        .collect();
    assert_eq!(listed, expected, "README.md, in the order of exhibits.rs");
    for (model, [exhibit, lesson, seen]) in museum::MODELS.iter().zip(&index) {
        assert_eq!(lesson, model.about, "{exhibit}: the lesson");
        let name = model.name.strip_prefix("museum_").unwrap();
        let text = fs::read_to_string(folder().join(name).with_extension("rs")).unwrap();
        for link in seen.split('(').skip(1).map(|rest| rest.split(')').next().unwrap()) {
            assert!(text.contains(link), "{exhibit}: {link} is not on the placard");
        }
    }
}

#[test]
fn every_exercise_is_listed_and_has_its_answer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exercises");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| [`")).collect();
    let expected: Vec<String> = exercises::EXERCISES
        .iter()
        .map(|exercise| format!("| [`{0}`]({0}.rs) | {1} |", exercise.name(), exercise.check.about))
        .collect();
    assert_eq!(rows, expected, "README.md, in the order of exercises.rs");
    for exercise in exercises::EXERCISES {
        let starter = fs::read_to_string(folder.join(exercise.name()).with_extension("rs")).unwrap();
        let answer =
            fs::read_to_string(folder.join("answers").join(exercise.name()).with_extension("rs")).unwrap();
        let promise = starter.lines().filter(|line| line.starts_with("//! **It promises:**")).count();
        assert_eq!(promise, 1, "{}: the file states what to check", exercise.name());
        assert!(answer.contains("// ANCHOR: solution\n"), "{}: the book shows the answer", exercise.name());
        assert!(!exercise.hint.is_empty() && exercise.stages.len() == 4);
        assert_eq!(broken(&exercise.check).map(|(name, _)| name).collect::<Vec<_>>(), ["starter"]);
    }
}
