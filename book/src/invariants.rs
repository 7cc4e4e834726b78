//! `{{#invariant 7}}` and `{{#invariants}}`: one sentence of the runtime's contract, or all, with their tests and models: out of
//! the crate's own documentation and the sources of the tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use regex::Regex;

use crate::chapters::files;

const DIRECTIVE: &str = "{{#invariants}}";
/// The plan of the rooms, out of the same documentation.
pub(crate) const ROOMS: &str = "{{#rooms}}";

pub(crate) struct Invariants {
    list: BTreeMap<u32, Invariant>,
    /// Invariants without a test, and tests without an invariant.
    pub(crate) faults: Vec<String>,
}

#[derive(Default)]
struct Invariant {
    text: String,
    models: Vec<String>,
    /// File and function.
    tests: Vec<(String, String)>,
}

/// # Errors
/// When the documentation has no numbered list below "The contract", or sources cannot be read.
pub(crate) fn read() -> Result<Invariants> {
    let lib = fs::read_to_string("src/lib.rs").context("src/lib.rs")?;
    let mut list = contract(&lib);
    ensure!(!list.is_empty(), "src/lib.rs has no numbered list below `# The contract`");
    let mut faults = Vec::new();
    let test = Regex::new(r"(?m)^\s*fn (i(\d\d)_\w+)").expect("a regular expression");
    for file in
        files(Path::new("tests"))?.iter().filter(|file| file.extension().is_some_and(|end| end == "rs"))
    {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        for found in test.captures_iter(&text) {
            let place = file.display().to_string();
            match found[2].parse().ok().and_then(|number| list.get_mut(&number)) {
                Some(invariant) => invariant.tests.push((place, found[1].to_string())),
                None => faults.push(format!(
                    "{place}: `{}` tests an invariant that src/lib.rs does not list",
                    &found[1]
                )),
            }
        }
    }
    let untested = list.iter().filter(|(_, invariant)| invariant.tests.is_empty());
    faults.extend(
        untested.map(|(number, _)| format!("src/lib.rs: no test `i{number:02}_…` of invariant {number}")),
    );
    Ok(Invariants { list, faults })
}

/// The first drawing of the section "The rooms".
///
/// # Errors
/// When there is none.
pub(crate) fn rooms() -> Result<String> {
    let lib = fs::read_to_string("src/lib.rs").context("src/lib.rs")?;
    let plan = section(&lib, "# The rooms").skip_while(|line| *line != "```text").skip(1);
    let plan: Vec<&str> = plan.take_while(|line| *line != "```").collect();
    ensure!(!plan.is_empty(), "src/lib.rs has no drawing in a block of `text` below `# The rooms`");
    Ok(plan.join("\n"))
}

/// The lines of the documentation below a heading.
fn section<'a>(lib: &'a str, heading: &'a str) -> impl Iterator<Item = &'a str> {
    let docs = lib.lines().map_while(|line| line.strip_prefix("//!"));
    let docs = docs.map(|line| line.strip_prefix(' ').unwrap_or(line));
    docs.skip_while(move |line| *line != heading).skip(1).take_while(|line| !line.starts_with("# "))
}

/// The numbered list of the section "The contract".
fn contract(lib: &str) -> BTreeMap<u32, Invariant> {
    let mut list: BTreeMap<u32, Invariant> = BTreeMap::new();
    for line in section(lib, "# The contract") {
        let numbered = line.split_once(". ").and_then(|(number, text)| Some((number.parse().ok()?, text)));
        match numbered {
            Some((number, text)) => list.entry(number).or_default().text = text.trim().into(),
            None => {
                if let Some(mut last) = list.last_entry().filter(|_| line.starts_with(' ')) {
                    let text = &mut last.get_mut().text;
                    *text = format!("{text} {}", line.trim());
                }
            }
        }
    }
    let models = Regex::new(r"\s*\*Models?\* ([^.]*)\.?").expect("a regular expression");
    let name = Regex::new("`([^`]+)`").expect("a regular expression");
    for invariant in list.values_mut() {
        for found in models.captures_iter(&invariant.text) {
            invariant.models.extend(name.captures_iter(&found[1]).map(|name| name[1].to_string()));
        }
        invariant.text = models.replace_all(&invariant.text, "").trim().to_string();
    }
    list
}

impl Invariants {
    /// A chapter in which each `{{#invariant N}}` is the invariant of that number, and `{{#invariants}}` all of them.
    ///
    /// # Errors
    /// When there is none of a number.
    pub(crate) fn quoted_in(&self, content: &str) -> Result<String> {
        let one = Regex::new(r"\{\{#invariant (\d+)\}\}").expect("a regular expression");
        for found in one.captures_iter(content) {
            let known = found[1].parse().is_ok_and(|number: u32| self.list.contains_key(&number));
            ensure!(known, "src/lib.rs lists no invariant {}", &found[1]);
        }
        let quoted = one.replace_all(content, |found: &regex::Captures<'_>| {
            found[1]
                .parse()
                .ok()
                .and_then(|number| Some(self.list.get(&number)?.quote(number)))
                .unwrap_or_default()
        });
        Ok(quoted.replace(DIRECTIVE, &self.markdown()))
    }

    fn markdown(&self) -> String {
        let sections = self.list.iter().map(|(number, invariant)| {
            let Invariant { text, models, tests } = invariant;
            let mut lines = vec![format!("## Invariant {number}\n\n> {text}\n")];
            lines.extend(tests.iter().map(|(file, test)| format!("- test `{test}` in `{file}`")));
            lines.extend(models.iter().map(|model| format!("- model `{model}`: `cargo loom {model}`")));
            lines.join("\n")
        });
        sections.collect::<Vec<_>>().join("\n\n")
    }
}

impl Invariant {
    fn quote(&self, number: u32) -> String {
        let names =
            |names: Vec<&String>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let tests = names(self.tests.iter().map(|(_, test)| test).collect());
        let models = match self.models.as_slice() {
            [] => String::new(),
            models => format!(" Under `cargo loom`: {}.", names(models.iter().collect())),
        };
        format!("> **{number}.** {}\n>\n> *Test:* {tests}.{models}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_read_with_its_models() {
        let lib = "//! Text.\n//!\n//! # The contract\n//!\n//! Words.\n//!\n//! 1. Once.\n//!    At most. *Models* `a`,\n//!    `b`.\n//! 2. Again.\n//!\n//! # More\n";
        let list = contract(lib);
        assert_eq!(list.len(), 2);
        assert_eq!(list[&1].text, "Once. At most.");
        assert_eq!(list[&1].models, ["a", "b"]);
        assert_eq!(list[&2].text, "Again.");
        let invariants = Invariants { list, faults: Vec::new() };
        let quoted = invariants.quoted_in("a {{#invariant 1}} b").unwrap();
        assert_eq!(quoted, "a > **1.** Once. At most.\n>\n> *Test:* . Under `cargo loom`: `a`, `b`. b");
        assert!(invariants.quoted_in("{{#invariant 3}}").is_err());
    }
}
