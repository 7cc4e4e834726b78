//! The command line: what it asks for, and which models it means.

use crate::answer::{Result, unknown};
use crate::model::{Model, Mutant};

pub const USAGE: &str = "a model's name is missing, or there are too many: see cargo loom --help";

const FLAGS: [&str; 6] = ["--list", "--no-mutants", "--run", "--picture", "--quiet", "--called"];

/// What the command line asks for. By hand: each mutant compiles this file, so it stays free of libraries.
#[derive(Debug, Default, PartialEq)]
pub struct Options {
    pub names: Vec<String>,
    pub list: bool,
    pub no_mutants: bool,
    pub run: bool,
    pub picture: bool,
    pub quiet: bool,
    /// For `--run`: what the picture is called.
    pub called: Option<String>,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => options.list = true,
                "--no-mutants" => options.no_mutants = true,
                "--run" => options.run = true,
                "--picture" => options.picture = true,
                "--quiet" => options.quiet = true,
                "--called" => options.called = arguments.next(),
                // What is left of cargo's own.
                "--" => {}
                flag if flag.starts_with('-') => return Err(unknown("option", flag, &FLAGS)),
                name => options.names.push(name.into()),
            }
        }
        Ok(options)
    }
}

/// The models whose name contains one of these, or all if there is none.
pub fn select<'a>(models: &[&'a Model], names: &[String]) -> Result<Vec<&'a Model>> {
    let means = |model: &Model, name: &String| model.name.contains(name.as_str());
    for name in names {
        if !models.iter().any(|model| means(model, name)) {
            return Err(no_model(models, name));
        }
    }
    let wanted = |model: &&&Model| names.is_empty() || names.iter().any(|name| means(model, name));
    Ok(models.iter().filter(wanted).copied().collect())
}

/// The model of this very name.
pub fn exactly<'a>(models: &[&'a Model], name: &str) -> Result<&'a Model> {
    let model = models.iter().find(|model| model.name == name);
    model.copied().ok_or_else(|| no_model(models, name))
}

/// The mutant of this name.
pub fn mutant_of<'a>(model: &'a Model, name: &str) -> Result<&'a Mutant> {
    let mutant = model.mutants.iter().find(|mutant| mutant.name() == name);
    mutant.ok_or_else(|| {
        let known: Vec<&str> = model.mutants.iter().map(Mutant::name).collect();
        unknown(&format!("mutant of {}", model.name), name, &known)
    })
}

fn no_model(models: &[&Model], name: &str) -> Box<dyn std::error::Error> {
    unknown("model", name, &models.iter().map(|model| model.name).collect::<Vec<_>>())
}

/// What is said of a model, or of a mutant of it, in which every execution passes.
pub fn nothing_to_show(model: &Model, mutant: Option<&Mutant>) -> String {
    let name = model.name;
    match mutant {
        Some(mutant) => format!("{name}/{}: every execution passes: THE MUTANT IS NOT CAUGHT", mutant.name()),
        None => {
            let failing = model
                .mutants
                .iter()
                .map(|mutant| format!("\n    cargo loom --picture {name}/{}", mutant.name()));
            format!(
                "{name}: every execution passes, so there is no failure to show. Each mutant of it fails:{}",
                failing.collect::<String>()
            )
        }
    }
}
