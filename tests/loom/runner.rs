//! The command line of `cargo loom`: chooses models, runs each and its mutants in processes of their own,
//! prints the table.

use std::error::Error;
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::model::{Model, Mutant, explore};
use crate::mutants::{self, Workshop};
use crate::process::{self, Outcome};
use crate::table::Table;

/// A model that is not through by then is too large, and none of ours.
const MODEL_LIMIT: Duration = Duration::from_secs(600);
/// A mutant that has not failed by then and is still running is not going to end: that is noticed too.
const MUTANT_LIMIT: Duration = Duration::from_secs(120);

const USAGE: &str = "\
usage: cargo loom [NAME]... [--no-mutants]   models whose name contains NAME, or all; then their mutants
       cargo loom [NAME]... --list           what there is
       cargo loom --picture MODEL[/MUTANT]   how it fails: the model, or this mutant of it, as swim lanes
       cargo loom --run MODEL [MUTANT]       explore this model, or a body mutant of it, in this very process";

/// What the command line asks for. By hand: each mutant compiles this file, so it stays free of libraries.
#[derive(Default)]
struct Options {
    names: Vec<String>,
    list: bool,
    no_mutants: bool,
    run: bool,
    picture: bool,
    quiet: bool,
    /// For `--run`: what the picture is called.
    called: Option<String>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => options.list = true,
                "--no-mutants" => options.no_mutants = true,
                "--run" => options.run = true,
                "--picture" => options.picture = true,
                "--quiet" => options.quiet = true,
                "--called" => options.called = arguments.next(),
                // What cargo and its `--` leave over.
                "--" => {}
                flag if flag.starts_with('-') => return Err(format!("unknown option {flag}\n{USAGE}").into()),
                name => options.names.push(name.into()),
            }
        }
        Ok(options)
    }
}

/// Runs what the command line asks for.
pub fn main(models: &[&Model]) -> ExitCode {
    let result = Options::parse(std::env::args().skip(1)).and_then(|options| {
        // Otherwise every model would fail because of it, and every mutant count as caught.
        interleave::check_environment()?;
        if options.run {
            return run_here(models, &options);
        }
        if options.picture {
            return picture(models, &options.names);
        }
        let selected = select(models, &options.names)?;
        if options.list { Ok(list(&selected)) } else { run_all(&selected, !options.no_mutants) }
    });
    exit_code(result)
}

/// 0 when all is well, 1 when something failed, 2 when it could not be tried.
pub fn exit_code(result: Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo loom: {error}");
            ExitCode::from(2)
        }
    }
}

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn select<'a>(models: &[&'a Model], names: &[String]) -> Result<Vec<&'a Model>> {
    for name in names {
        if !models.iter().any(|model| model.name.contains(name.as_str())) {
            let known: Vec<&str> = models.iter().map(|model| model.name).collect();
            return Err(format!("no model is called {name:?}; there are: {}", known.join(", ")).into());
        }
    }
    let wanted =
        |model: &&&Model| names.is_empty() || names.iter().any(|name| model.name.contains(name.as_str()));
    Ok(models.iter().filter(wanted).copied().collect())
}

fn list(models: &[&Model]) -> bool {
    for model in models {
        println!("{}: {}", model.name, model.about);
        for mutant in model.mutants {
            println!("    mutant {}", mutant.name());
        }
    }
    none_has_drifted(models)
}

/// Whether every mutant's text is still in the sources. Cheap, and so done also where no mutant is built.
fn none_has_drifted(models: &[&Model]) -> bool {
    let mut none = true;
    for model in models {
        for mutant in model.mutants {
            let Mutant::Source { name, file, from, .. } = mutant else { continue };
            if let Err(error) = mutants::check(file, from) {
                none = false;
                println!("mutant {name} of {}: {error}", model.name);
            }
        }
    }
    none
}

fn exactly<'a>(models: &[&'a Model], name: &str) -> Result<&'a Model> {
    let model = models.iter().find(|model| model.name == name);
    Ok(model.ok_or(format!("no model is called {name:?}: see cargo loom --list"))?)
}

fn run_here(models: &[&Model], options: &Options) -> Result<bool> {
    let (name, mutant) = match &options.names[..] {
        [name] => (name, None),
        [name, mutant] => (name, Some(mutant)),
        _ => return Err(USAGE.into()),
    };
    let model = exactly(models, name)?;
    let bodies = model.mutants.iter().filter_map(|mutant| match mutant {
        Mutant::Body { name, body } => Some((*name, *body)),
        Mutant::Source { .. } => None,
    });
    let body = match mutant {
        None => model.body,
        Some(wanted) => {
            let found = bodies.into_iter().find(|(name, _)| name == wanted);
            found.ok_or(format!("{name} has no body mutant {wanted:?}"))?.1
        }
    };
    let called = options.called.clone().unwrap_or_else(|| options.names.join("/"));
    let again = format!("cargo loom --picture {called}");
    Ok(explore(&called, again, model.bound, options.quiet, body))
}

/// Whether each of these, a model or MODEL/MUTANT, fails and so has a picture.
fn picture(models: &[&Model], names: &[String]) -> Result<bool> {
    if names.is_empty() {
        return Err(USAGE.into());
    }
    let mut workshop = Workshop::open()?;
    let mut all_failed = true;
    for called in names {
        let mut command = match called.split_once('/') {
            None => this_program(exactly(models, called)?),
            Some((name, wanted)) => {
                let model = exactly(models, name)?;
                let mutant = model.mutants.iter().find(|mutant| mutant.name() == wanted);
                let mutant =
                    mutant.ok_or(format!("{name} has no mutant {wanted:?}: see cargo loom {name} --list"))?;
                mutated(model, mutant, &mut workshop)?
            }
        };
        let passes = command.args(["--called", called]).status()?.success();
        if passes {
            println!("{called}: every execution passes, there is nothing to show");
        }
        all_failed &= !passes;
    }
    Ok(all_failed)
}

/// Whether all models hold and all mutants are caught.
fn run_all(models: &[&Model], with_mutants: bool) -> Result<bool> {
    let mut workshop = Workshop::open()?;
    let mut table = Table::new(["model", "invariants", "executions", "bound", "seconds", "mutants caught"]);
    let mut all_well = none_has_drifted(models);
    for model in models {
        let (outcome, took) = process::run(&mut this_program(model), MODEL_LIMIT)?;
        let executions = match outcome {
            Outcome::Complete { executions } => {
                println!("{}: {executions} executions", model.name);
                executions.to_string()
            }
            Outcome::Failed { how, log } => {
                all_well = false;
                println!("{log}\n{}: FAILED, {how}", model.name);
                format!("FAILED: {how}")
            }
            Outcome::TimeLimit => {
                all_well = false;
                println!("{}: NOT COMPLETE after {} s: make it smaller", model.name, MODEL_LIMIT.as_secs());
                "NOT COMPLETE".into()
            }
        };
        let mut caught = 0;
        for mutant in model.mutants.iter().filter(|_| with_mutants) {
            match run_mutant(model, mutant, &mut workshop) {
                Ok(Some(how)) => {
                    caught += 1;
                    println!("    caught {}: {how}", mutant.name());
                }
                Ok(None) => println!("    NOT CAUGHT {}: every execution passes", mutant.name()),
                Err(error) => println!("    ERROR {}: {error}", mutant.name()),
            }
        }
        all_well &= !with_mutants || caught == model.mutants.len();
        table.row([
            model.name.to_owned(),
            model.invariants.iter().map(u8::to_string).collect::<Vec<_>>().join(", "),
            executions,
            model.bound.map_or("none".into(), |bound| bound.to_string()),
            format!("{:.1}", took.as_secs_f64()),
            if with_mutants { format!("{caught}/{}", model.mutants.len()) } else { "not run".into() },
        ]);
    }
    table.print();
    println!(
        "{}",
        match (all_well, with_mutants) {
            (true, true) => "every model holds, and every mutant was caught",
            (true, false) => "every model holds; no mutant was tried",
            (false, _) => "NOT WELL: see above",
        }
    );
    Ok(all_well)
}

fn this_program(model: &Model) -> Command {
    let mut command = Command::new(
        std::env::current_exe().unwrap_or_else(|_| std::env::args_os().next().unwrap_or_default().into()),
    );
    command.args(["--run", model.name]);
    command
}

/// How the model noticed the mutant, if it did.
fn run_mutant(model: &Model, mutant: &Mutant, workshop: &mut Workshop) -> Result<Option<String>> {
    let (outcome, took) = process::run(mutated(model, mutant, workshop)?.arg("--quiet"), MUTANT_LIMIT)?;
    Ok(match outcome {
        Outcome::Complete { .. } => None,
        Outcome::Failed { how, .. } => Some(format!("{how}, after {:.1} s", took.as_secs_f64())),
        Outcome::TimeLimit => Some(format!("no end within {} s", MUTANT_LIMIT.as_secs())),
    })
}

/// The command that explores the model with this mutant.
fn mutated(model: &Model, mutant: &Mutant, workshop: &mut Workshop) -> Result<Command> {
    Ok(match mutant {
        Mutant::Source { file, from, to, .. } => {
            let mut command = Command::new(workshop.build(file, from, to)?);
            command.args(["--run", model.name]).current_dir(workshop.folder());
            command
        }
        Mutant::Body { name, .. } => {
            let mut command = this_program(model);
            command.arg(name);
            command
        }
    })
}
