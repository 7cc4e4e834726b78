//! Code comes from files that are compiled, or is compiled itself; output comes from recordings.

use crate::chapters::{Block, Chapter, include, included};
use crate::recordings::Recordings;

use super::faults::Faults;
use super::names::Names;

pub(super) fn check(chapter: &Chapter, names: &Names, faults: &mut Faults) {
    let (prose, blocks) = chapter.parts();
    for (line, text) in prose {
        if text.contains("{{#include") || text.contains("{{#rustdoc_include") {
            faults.push(format!(
                "{}: an include stands in a block of code, alone in its line",
                chapter.at(line)
            ));
        }
    }
    for block in &blocks {
        for fault in faults_of(chapter, block, names) {
            faults.push(format!("{}: {fault}", chapter.at(block.line)));
        }
    }
}

fn faults_of(chapter: &Chapter, block: &Block<'_>, names: &Names) -> Vec<String> {
    let mut faults = Vec::new();
    let (language, rest) = block.info.split_once(',').unwrap_or((block.info, ""));
    let attributes: Vec<&str> = rest.split(',').filter(|word| !word.is_empty()).collect();
    let written: Vec<&str> =
        block.lines.iter().map(|(_, line)| *line).filter(|line| !line.trim().is_empty()).collect();
    let includes = written.iter().filter(|line| include(line).is_some()).count();
    let whole = includes == written.len();

    for (path, anchor) in written.iter().filter_map(|line| include(line)) {
        if anchor
            .is_some_and(|anchor| anchor.starts_with(|first: char| first.is_ascii_digit() || first == ':'))
        {
            faults.push(format!("`{path}` is included by line numbers, which drift: use an anchor"));
        } else if let Err(error) = included(&chapter.folder().join(path), anchor) {
            faults.push(error.to_string());
        }
    }
    match language {
        "rust" if includes > 0 => {
            if !whole {
                faults.push("included code and code of its own stand in one block".into());
            }
            if !attributes.contains(&"ignore") {
                faults.push("included code is compiled where it comes from: mark it `rust,ignore`".into());
            }
        }
        "rust" => {
            let runs = |attribute: &&&str| !["ignore", "no_run"].contains(*attribute);
            if let Some(attribute) = attributes.iter().find(|attribute| !runs(attribute)) {
                faults.push(format!("`{attribute}` keeps this code from being run: include it from a file"));
            }
        }
        "python" if !whole || includes == 0 => faults.push("Python too is included from a file".into()),
        "text" if includes > 0 => {
            for (path, _) in written.iter().filter_map(|line| include(line)) {
                let recorded = path.strip_suffix(".txt").and_then(|path| path.split_once("../recorded/"));
                let listed =
                    |name: &str| Recordings::read().is_ok_and(|recordings| recordings.get(name).is_ok());
                if !recorded.is_some_and(|(_, name)| listed(name)) {
                    faults.push(format!("`{path}` is none of the recordings"));
                }
            }
        }
        "text" if written.first().is_some_and(|line| line.starts_with("$ ")) => {
            faults.push("what a program printed is included from `recorded/`".into());
        }
        "console" => {
            for line in &written {
                match line.strip_prefix("$ ") {
                    Some(command) => faults.extend(names.command(command)),
                    None if line.starts_with('#') => {}
                    None => faults.push("a console block has commands, `$ …`; output is recorded".into()),
                }
            }
        }
        "text" | "toml" | "python" | "json" => {}
        "" => faults.push("a block says what it is: `text`, `console`, `rust`, …".into()),
        other => faults.push(format!("`{other}` is none of: rust, text, console, python, toml, json")),
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> usize {
        let text = text.to_string();
        let chapter = Chapter { title: String::new(), part: None, file: None, text };
        let names = Names::of(&["rates"], &["contract"]);
        let mut faults = Faults::new();
        check(&chapter, &names, &mut faults);
        faults.len()
    }

    #[test]
    fn each_rule_bites() {
        assert_eq!(faults("```rust\nlet x = 1;\n```"), 0);
        assert_eq!(faults("```rust,ignore\nlet x = 1;\n```"), 1);
        assert_eq!(faults("```rust,no_run\nlet x = 1;\n```"), 1);
        assert_eq!(faults("```\nx\n```"), 1);
        assert_eq!(faults("```text\n$ ls\nx\n```"), 1);
        assert_eq!(faults("```text\n+--+\n```"), 0);
        assert_eq!(faults("```python\nx = 1\n```"), 1);
        assert_eq!(faults("```console\n$ cargo run --example rates\n```"), 0);
        assert_eq!(faults("```console\n$ cargo run --example gone\n```"), 1);
        assert_eq!(faults("```console\n5 rates\n```"), 1);
        assert_eq!(faults("```text\n{{#include no/such/file.txt}}\n```"), 2);
        assert_eq!(faults("{{#include ../x.rs}}"), 1);
    }
}
