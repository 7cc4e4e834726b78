//! `cargo loom exercise`: how far the reader is with the ten of `tests/exercises`, and what comes next.
//!
//! A reader's model is judged as a model of ours is: it must fail for the broken version and hold for one that is right.
//! Only then is their repair looked at, by their model and by a hidden one.

use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::answer::{Result, exit_code, unknown};
use crate::exercises::EXERCISES;
use crate::model::{Exercise, Stage, explore};
use crate::process::{self, Outcome};
use crate::table::Table;

/// A model of an exercise that takes longer is too large for what it has to find.
const LIMIT: Duration = Duration::from_secs(60);

const STAGES: [(&str, Stage); 4] = [
    ("starter", Stage::Starter),
    ("solution", Stage::Solution),
    ("mine", Stage::Mine),
    ("check", Stage::Check),
];

const USAGE: &str = "\
usage: cargo loom exercise                      how far you are
       cargo loom exercise NAME                 what comes next
       cargo loom exercise NAME --stage STAGE   one exploration, here, with all that loom says. STAGE is mine (your
                                                model, your version), starter or solution (your model, that version)";

/// Does what the command line asks for.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["exercise"] => list(),
        ["exercise", name] if !name.starts_with('-') => find(name).and_then(guide),
        ["exercise", name, "--stage", stage] => find(name).and_then(|exercise| run_here(exercise, stage)),
        _ => Err(USAGE.into()),
    };
    exit_code(result)
}

fn find(name: &str) -> Result<&'static Exercise> {
    let known: Vec<&str> = EXERCISES.iter().map(|exercise| exercise.name()).collect();
    let found = EXERCISES.iter().find(|exercise| exercise.name() == name);
    found.copied().ok_or_else(|| unknown("exercise", name, &known))
}

fn run_here(exercise: &Exercise, stage: &str) -> Result<bool> {
    let (word, stage) = STAGES.iter().find(|(name, _)| *name == stage).ok_or(USAGE)?;
    let called = format!("{}/{word}", exercise.check.name);
    let again = format!("cargo loom exercise {} --stage {word}", exercise.name());
    Ok(explore(&called, again, None, false, exercise.stages[*stage as usize]))
}

fn run(exercise: &Exercise, stage: Stage) -> Result<Outcome> {
    interleave::check_environment()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["exercise", exercise.name(), "--stage", STAGES[stage as usize].0]);
    Ok(process::run(&mut command, LIMIT)?.0)
}

/// How far the reader is.
enum Progress {
    /// The model has one execution: nothing in it meets anything.
    NoModel,
    /// The model holds for the broken version.
    FindsNothing { executions: usize },
    /// The model fails for the answer too.
    AsksTooMuch { how: String, log: String },
    /// The model is good; their version does not hold.
    Found { how: String, log: String },
    /// Their version holds in their model, and not in ours.
    BugLeft { how: String },
    /// All is well.
    Done { executions: usize },
}

impl Progress {
    fn of(exercise: &Exercise) -> Result<Progress> {
        match run(exercise, Stage::Starter)? {
            Outcome::Complete { executions: 0 | 1 } => return Ok(Progress::NoModel),
            Outcome::Complete { executions } => return Ok(Progress::FindsNothing { executions }),
            Outcome::Failed { .. } | Outcome::TimeLimit => {}
        }
        match run(exercise, Stage::Solution)? {
            Outcome::Complete { .. } => {}
            Outcome::Failed { how, log } => return Ok(Progress::AsksTooMuch { how, log }),
            Outcome::TimeLimit => {
                let how = format!("not complete after {} s: make the model smaller", LIMIT.as_secs());
                return Ok(Progress::AsksTooMuch { how, log: String::new() });
            }
        }
        let executions = match run(exercise, Stage::Mine)? {
            Outcome::Complete { executions } => executions,
            Outcome::Failed { how, log } => return Ok(Progress::Found { how, log }),
            Outcome::TimeLimit => return Ok(Progress::Found { how: "no end".into(), log: String::new() }),
        };
        Ok(match run(exercise, Stage::Check)? {
            Outcome::Complete { .. } => Progress::Done { executions },
            Outcome::Failed { how, .. } => Progress::BugLeft { how },
            Outcome::TimeLimit => Progress::BugLeft { how: "no end".into() },
        })
    }

    fn in_short(&self) -> &'static str {
        match self {
            Progress::NoModel => "not begun",
            Progress::FindsNothing { .. } => "the model finds nothing yet",
            Progress::AsksTooMuch { .. } => "the model asks too much",
            Progress::Found { .. } => "bug found: repair it",
            Progress::BugLeft { .. } => "repaired, but not wholly",
            Progress::Done { .. } => "done",
        }
    }
}

fn list() -> Result<bool> {
    let mut table = Table::new(["exercise", "how far"]);
    for exercise in EXERCISES {
        table.row([exercise.name().to_owned(), Progress::of(exercise)?.in_short().to_owned()]);
    }
    table.print();
    println!("each is a file in tests/exercises; then: cargo loom exercise NAME");
    Ok(true)
}

fn guide(exercise: &Exercise) -> Result<bool> {
    let name = exercise.name();
    let file = format!("tests/exercises/{name}.rs");
    match Progress::of(exercise)? {
        Progress::NoModel => {
            println!("1 of 3, the model. Read {file}, and write `model` at its end.");
            println!("As it stands it has one execution: it starts no thread that meets another.");
            println!("Hint: {}", exercise.hint);
        }
        Progress::FindsNothing { executions } => {
            println!(
                "1 of 3, the model. Yours has {executions} executions, and in none of them the broken version fails."
            );
            println!("Hint: {}", exercise.hint);
        }
        Progress::AsksTooMuch { how, log } => {
            println!("{log}");
            println!(
                "1 of 3, the model. It fails for the broken version, but for a right one as well: {how}."
            );
            println!("It asks for more than {file} promises. Above is how the right one fails;");
            println!("again: cargo loom exercise {name} --stage solution");
        }
        Progress::Found { how, log } => {
            println!("{log}");
            println!(
                "2 of 3, the repair. Your model finds the bug, and holds for a version that is right. Found: {how}."
            );
            println!("Above is the execution that fails; again: cargo loom exercise {name} --stage mine");
            println!("Now repair `Mine` in {file}.");
        }
        Progress::BugLeft { how } => {
            println!("2 of 3, the repair. `Mine` holds in your model, but not in every one: {how}.");
            println!("There is something your model does not do. Extend it until it fails again.");
        }
        Progress::Done { executions } => {
            println!(
                "Done: the model finds the bug, and `Mine` holds in all of its {executions} executions and in ours."
            );
            println!("3 of 3: compare with tests/exercises/answers/{name}.rs.");
        }
    }
    // Being under way is no failure.
    Ok(true)
}
