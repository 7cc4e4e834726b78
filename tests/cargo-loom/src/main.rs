//! `cargo loom`: builds the program that the command line is for, and runs it. The models of the kit are one program,
//! `tests/loom`, the exercises are another, `tests/exercises`: an edited exercise compiles no model.
//!
//! The alias in `.cargo/config.toml` runs this instead of `cargo test`, which would end every run that finds something
//! with "error: test failed".

mod built;

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

const HELP: &str = "\
Explores models under every interleaving of their threads, and shows for each which mutants of the code it catches.

usage: cargo loom [NAME]... [--no-mutants]   models whose name contains NAME, or all; then their mutants
       cargo loom [NAME]... --list           what there is
       cargo loom --picture MODEL[/MUTANT]   how it fails: the model, or this mutant of it, as swim lanes
       cargo loom --run MODEL [MUTANT]       explore this model, or a body mutant of it, in this very process
       cargo loom exercise                   how far you are with the exercises of tests/exercises
       cargo loom exercise NAME              what comes next in one of them
       cargo loom exercise NAME --stage STAGE
                                             one exploration, with all that loom says. STAGE is mine (your model, your
                                             version), starter or solution (your model, that version)
       cargo loom --help                     this

exit code: 0 if all is well, 1 if a model fails or a mutant is not caught, 2 if it could not be tried
";

/// What the two programs are built with: a cfg of our own, so that no dependency sees a `--cfg loom`, and a target
/// directory of their own, so that a switch between the two builds recompiles nothing.
const BUILD: [&str; 9] = [
    "--release",
    "--config",
    "tests/loom/profile.toml",
    "--config",
    "build.rustflags=['--cfg','cotask_loom']",
    "--target-dir",
    "target/loom",
    // Errors are for the reader; the program's path is for us.
    "--message-format",
    "json-render-diagnostics",
];

/// A program that a command line may be for.
#[derive(Debug, PartialEq)]
enum Program {
    Models,
    Exercises,
}

impl Program {
    /// The program for these arguments, or `None` if they ask for help.
    fn of(arguments: &[OsString]) -> Option<Program> {
        if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
            return None;
        }
        match arguments.iter().find(|argument| *argument != "--") {
            Some(first) if first == "help" => None,
            Some(first) if first == "exercise" => Some(Program::Exercises),
            _ => Some(Program::Models),
        }
    }

    /// What cargo calls it.
    fn name(&self) -> &'static str {
        match self {
            Program::Models => "loom",
            Program::Exercises => "exercises",
        }
    }

    /// What cargo builds it by.
    fn build(&self) -> &'static [&'static str] {
        match self {
            Program::Models => &["test", "--no-run", "--package", "cargo-loom", "--test", "loom"],
            // What an exercise explores is small: compiling it costs far more than running it.
            Program::Exercises => &[
                "build",
                "--package",
                "exercises",
                "--config",
                "profile.release.package.exercises.opt-level=0",
                "--config",
                "profile.release.incremental=true",
            ],
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let Some(program) = Program::of(&arguments) else {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    };
    match run(&program, &arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cargo loom: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(program: &Program, arguments: &[OsString]) -> std::io::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(program.build())
        .args(BUILD)
        .current_dir(&root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let path = built::program(&messages, program.name()).filter(|_| output.status.success());
    let Some(path) = path else {
        // Cargo has said why.
        return Ok(ExitCode::from(2));
    };
    let status = Command::new(path).args(arguments).current_dir(&root).status()?;
    // Without a code a signal has ended it.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::Program;

    fn of(line: &str) -> Option<Program> {
        Program::of(&line.split_whitespace().map(Into::into).collect::<Vec<_>>())
    }

    #[test]
    fn an_exercise_is_asked_of_the_exercises_and_all_else_of_the_models() {
        for exercise in ["exercise", "exercise spin_lock", "-- exercise spin_lock --stage mine"] {
            assert_eq!(of(exercise), Some(Program::Exercises), "{exercise}");
        }
        for model in ["", "inbox", "exercise_", "-- --list", "inbox exercise", "--picture inbox/a"] {
            assert_eq!(of(model), Some(Program::Models), "{model}");
        }
    }

    #[test]
    fn help_needs_no_program() {
        for help in ["--help", "-h", "help", "-- --help", "exercise --help", "inbox --list -h"] {
            assert_eq!(of(help), None, "{help}");
        }
    }
}
