//! Does what the command line asks for: runs models and their mutants, each in a process of its own, and prints the
//! table.

use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::answer::{Result, exit_code};
use crate::command_line::{Options, USAGE, exactly, mutant_of, nothing_to_show, select};
use crate::model::{Model, Mutant, explore};
use crate::mutants::{self, Workshop};
use crate::process::{self, Outcome};
use crate::table::Table;

/// A model that is not through by then is too large, and none of ours.
const MODEL_LIMIT: Duration = Duration::from_secs(600);
/// A mutant that has not failed by then and is still running is not going to end: that is noticed too.
const MUTANT_LIMIT: Duration = Duration::from_secs(120);

/// So many mutants of the source take longer to compile than the dependencies of a second workshop.
const WORTH_A_LANE: usize = 30;

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

fn run_here(models: &[&Model], options: &Options) -> Result<bool> {
    let (model, mutant) = match &options.names[..] {
        [name] => (exactly(models, name)?, None),
        [name, mutant] => (exactly(models, name)?, Some(mutant)),
        _ => return Err(USAGE.into()),
    };
    let body = match mutant.map(|mutant| mutant_of(model, mutant)).transpose()? {
        None => model.body,
        Some(Mutant::Body { body, .. }) => *body,
        Some(Mutant::Source { name, .. }) => {
            return Err(format!(
                "{name} is another source: cargo loom --picture {}/{name} builds it",
                model.name
            )
            .into());
        }
    };
    let called = options.called.clone().unwrap_or_else(|| options.names.join("/"));
    let again = format!("cargo loom --picture {called}");
    Ok(explore(&called, again, model.bound, options.quiet, body))
}

/// Shows how each of these fails, a model or MODEL/MUTANT. Whether every mutant among them is noticed; that a model
/// has nothing to show is no failure.
fn picture(models: &[&Model], names: &[String]) -> Result<bool> {
    if names.is_empty() {
        return Err(USAGE.into());
    }
    let mut workshop = Workshop::open()?;
    let mut all_well = true;
    for called in names {
        let (model, mutant) = match called.split_once('/') {
            None => (exactly(models, called)?, None),
            Some((name, mutant)) => {
                let model = exactly(models, name)?;
                (model, Some(mutant_of(model, mutant)?))
            }
        };
        let mut command = match mutant {
            None => this_program(model),
            Some(mutant) => mutated(model, mutant, &mut workshop)?,
        };
        if command.args(["--called", called]).status()?.success() {
            println!("{}", nothing_to_show(model, mutant));
            all_well &= mutant.is_none();
        }
    }
    Ok(all_well)
}

/// Whether all models hold and all mutants are caught.
fn run_all(models: &[&Model], with_mutants: bool) -> Result<bool> {
    let mut all_well = none_has_drifted(models);
    let next = AtomicUsize::new(0);
    // A lane takes one model after the other, with all its mutants.
    let lane = |mut workshop: Workshop| -> Result<Vec<(usize, Report)>> {
        let mut reports = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(model) = models.get(index) else { return Ok(reports) };
            let report = run_model(model, with_mutants, &mut workshop)?;
            println!("{}", report.text.trim_end());
            reports.push((index, report));
        }
    };
    let sources = models
        .iter()
        .flat_map(|model| model.mutants)
        .filter(|mutant| matches!(mutant, Mutant::Source { .. }))
        .count();
    let mut reports = if with_mutants && sources >= WORTH_A_LANE {
        let (first, beside) = (Workshop::open()?, Workshop::open_beside()?);
        thread::scope(|scope| {
            // An error has no thread of its own to stay in.
            let beside = scope.spawn(|| lane(beside).map_err(|error| error.to_string()));
            let first = lane(first);
            let beside = beside.join().expect("a lane does not panic");
            let mut reports = first?;
            reports.extend(beside?);
            Result::Ok(reports)
        })?
    } else {
        lane(Workshop::open()?)?
    };
    reports.sort_by_key(|(index, _)| *index);
    let mut table = Table::new(["model", "invariants", "executions", "bound", "seconds", "mutants caught"]);
    for (_, report) in reports {
        all_well &= report.well;
        table.row(report.row);
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

/// What came of a model and its mutants.
struct Report {
    text: String,
    row: [String; 6],
    well: bool,
}

fn run_model(model: &Model, with_mutants: bool, workshop: &mut Workshop) -> Result<Report> {
    let (mut text, mut well) = (String::new(), true);
    let mut say = |line: String| text.extend([&line, "\n"]);
    let (outcome, took) = process::run(&mut this_program(model), MODEL_LIMIT)?;
    let executions = match outcome {
        Outcome::Complete { executions } => {
            say(format!("{}: {executions} executions", model.name));
            executions.to_string()
        }
        Outcome::Failed { how, log } => {
            well = false;
            say(format!("{log}\n{}: FAILED, {how}", model.name));
            format!("FAILED: {how}")
        }
        Outcome::TimeLimit => {
            well = false;
            let limit = MODEL_LIMIT.as_secs();
            say(format!("{}: NOT COMPLETE after {limit} s: make it smaller", model.name));
            "NOT COMPLETE".into()
        }
    };
    let mut caught = 0;
    for mutant in model.mutants.iter().filter(|_| with_mutants) {
        match run_mutant(model, mutant, workshop) {
            Ok(Some(how)) => {
                caught += 1;
                say(format!("    caught {}: {how}", mutant.name()));
            }
            Ok(None) => say(format!("    NOT CAUGHT {}: every execution passes", mutant.name())),
            Err(error) => say(format!("    ERROR {}: {error}", mutant.name())),
        }
    }
    well &= !with_mutants || caught == model.mutants.len();
    let row = [
        model.name.to_owned(),
        model.invariants.iter().map(u8::to_string).collect::<Vec<_>>().join(", "),
        executions,
        model.bound.map_or("none".into(), |bound| bound.to_string()),
        format!("{:.1}", took.as_secs_f64()),
        if with_mutants { format!("{caught}/{}", model.mutants.len()) } else { "not run".into() },
    ];
    Ok(Report { text, row, well })
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
