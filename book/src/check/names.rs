//! What a chapter names exists: programs and tests in commands, files and tests in code marks.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use regex::Regex;

use crate::chapters::{Chapter, files};

use super::faults::Faults;

pub(super) struct Names {
    examples: BTreeSet<String>,
    tests: BTreeSet<String>,
    /// Functions of tests, of the whole repository.
    functions: BTreeSet<String>,
}

impl Names {
    /// # Errors
    /// When cargo or the sources cannot be read.
    pub(super) fn read() -> Result<Names> {
        let metadata = Command::new("cargo")
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .output()
            .context("cargo metadata")?;
        let metadata: serde_json::Value =
            serde_json::from_slice(&metadata.stdout).context("cargo metadata")?;
        let targets = |kind: &str| {
            let packages = metadata["packages"].as_array().into_iter().flatten();
            let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
            let of_kind = targets.filter(|target| target["kind"][0] == kind);
            of_kind.filter_map(|target| target["name"].as_str().map(str::to_string)).collect()
        };
        let function = Regex::new(r"(?m)^\s*(?:pub )?fn (\w+)").expect("a regular expression");
        let mut functions = BTreeSet::new();
        for file in
            [files(Path::new("src"))?, files(Path::new("tests"))?, files(Path::new("examples"))?].concat()
        {
            if file.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
                functions.extend(function.captures_iter(&text).map(|found| found[1].to_string()));
            }
        }
        Ok(Names { examples: targets("example"), tests: targets("test"), functions })
    }

    #[cfg(test)]
    pub(super) fn of(examples: &[&str], tests: &[&str]) -> Names {
        let set = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        Names { examples: set(examples), tests: set(tests), functions: BTreeSet::new() }
    }

    /// What is wrong with a command of cargo.
    pub(super) fn command(&self, command: &str) -> Option<String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let after = |flag: &str| words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1));
        if let Some(example) = after("--example").filter(|name| !self.examples.contains(**name)) {
            return Some(format!("there is no example `{example}`"));
        }
        let test = after("--test").filter(|name| !self.tests.contains(**name))?;
        Some(format!("there is no test program `{test}`"))
    }

    /// Files and tests in code marks.
    pub(super) fn check(&self, chapter: &Chapter, faults: &mut Faults) {
        let marks = Regex::new("`([^`]+)`").expect("a regular expression");
        let file = Regex::new(r"^(src|tests|examples|book|\.ci)/[\w./-]+$").expect("a regular expression");
        let test = Regex::new(r"^i\d\d_\w+$").expect("a regular expression");
        for (line, text) in chapter.parts().0 {
            for mark in marks.captures_iter(text).map(|found| found[1].to_string()) {
                if file.is_match(&mark) && !Path::new(&mark).exists() {
                    let place = chapter.at(line);
                    faults.push(format!(
                        "{place}: there is no `{mark}` (of another project: write its name in front)"
                    ));
                }
                if test.is_match(&mark) && !self.functions.contains(&mark) {
                    faults.push(format!("{}: there is no test `{mark}`", chapter.at(line)));
                }
                if mark.starts_with("cargo ") {
                    faults.extend(self.command(&mark).map(|fault| format!("{}: {fault}", chapter.at(line))));
                }
            }
        }
    }
}
