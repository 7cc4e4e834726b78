//! `{{#timeline NAME}}` and `{{#timeline NAME what the reader shall see}}`: the timeline of a recorded run.
//!
//! In the chapter stands a picture, which needs no JavaScript, and a link to the page to step through; a script of the
//! theme opens that page in the chapter itself.

#[path = "../../examples/timeline/page.rs"]
mod page;
#[path = "../../examples/timeline/svg.rs"]
mod svg;
#[path = "../../examples/timeline/trace.rs"]
mod trace;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use mdbook_driver::book::{Book, BookItem};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use regex::{Captures, Regex};

use crate::aids::{self, Glossary};
use crate::figures;
use crate::invariants;
use crate::recordings::{Recording, Recordings, TRACES};

pub(crate) struct Directive;

impl Preprocessor for Directive {
    fn name(&self) -> &str {
        "cotask"
    }

    fn run(&self, _: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let recordings = Recordings::read()?;
        let (contract, rooms) = (invariants::read()?, invariants::rooms()?);
        let terms = Glossary::read()?;
        let mut outcome = Ok(());
        book.for_each_mut(|item| {
            if let (BookItem::Chapter(chapter), Ok(())) = (item, &outcome)
                && let Some(path) = &chapter.path
            {
                let up = "../".repeat(path.components().count() - 1);
                let content =
                    figures::filled(&chapter.content).and_then(|content| contract.quoted_in(&content));
                let glossary = path == Path::new("glossary.md");
                // Before the timelines, whose captions are HTML.
                let content = content.map(|content| {
                    let content = content.replace(aids::MINUTES, &aids::minutes(&content).to_string());
                    if glossary { Glossary::with_anchors(&content) } else { terms.linked(&content, &up) }
                });
                match content.and_then(|content| timelines(&content, &up, &recordings)) {
                    Ok(content) => chapter.content = outdented(&content.replace(invariants::ROOMS, &rooms)),
                    Err(error) => outcome = Err(error.context(path.display().to_string())),
                }
            }
        });
        outcome.map(|()| book)
    }
}

/// Included code without the indentation that all its lines share: a method starts at the margin.
fn outdented(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    let mut lines = content.lines();
    while let Some(line) = lines.next() {
        out.extend([line, "\n"]);
        if line != "```rust,ignore" {
            continue;
        }
        let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let margin = code.iter().filter(|line| !line.trim().is_empty());
        let margin = margin.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
        for line in code {
            out.extend([line.get(margin..).unwrap_or(""), "\n"]);
        }
        out.push_str("```\n");
    }
    out
}

/// How a chapter asks for a timeline. Group 1 is its name, group 2 the caption if there is one.
pub(crate) fn pattern() -> Regex {
    Regex::new(r"\{\{#timeline\s+([\w-]+)(?:\s+([^}]+))?\}\}").expect("a regular expression")
}

fn timelines(content: &str, up: &str, recordings: &Recordings) -> Result<String> {
    let mut outcome = Ok(());
    let replaced = pattern().replace_all(content, |found: &Captures<'_>| {
        let caption = found.get(2).map_or("", |caption| caption.as_str().trim());
        figure(&found[1], caption, up, recordings).unwrap_or_else(|error| {
            outcome = Err(error);
            String::new()
        })
    });
    let replaced = replaced.into_owned();
    outcome.map(|()| replaced)
}

fn figure(name: &str, caption: &str, up: &str, recordings: &Recordings) -> Result<String> {
    let recording = recordings.get(name)?;
    let trace = read(name)?;
    let title = page::escaped(&recording.title());
    let caption = if caption.is_empty() { title.clone() } else { page::escaped(caption) };
    let (events, tasks) = (trace.events.len(), trace.tasks());
    // Without empty lines: to Markdown this is one block of HTML.
    Ok(format!(
        "<figure class=\"timeline\" id=\"timeline-{name}\">\n\
         <img src=\"{up}timelines/{name}.svg\" alt=\"Timeline of a recorded run, {title}: {tasks} tasks, {events} events. \
         {caption}\">\n\
         <figcaption>{caption} <a class=\"step-through\" href=\"{up}timelines/{name}.html\">Step through this run</a>\
         </figcaption>\n</figure>"
    ))
}

/// Writes page and picture of each recorded trace.
pub(crate) fn write_all(pages: &Path) -> Result<()> {
    for recording in Recordings::read()?.iter().filter(|recording| recording.has_trace()) {
        write(recording, pages).with_context(|| recording.name.clone())?;
    }
    Ok(())
}

fn write(recording: &Recording, pages: &Path) -> Result<()> {
    let name = &recording.name;
    let trace = read(name)?;
    let text = fs::read_to_string(file(name))?;
    let html = page::make(&text, &recording.title(), &page::sources(&trace));
    fs::write(pages.join(format!("{name}.html")), html)?;
    fs::write(pages.join(format!("{name}.svg")), svg::draw(&trace, &recording.title()))?;
    Ok(())
}

fn file(name: &str) -> String {
    format!("{TRACES}/{name}.jsonl")
}

fn read(name: &str) -> Result<trace::Trace> {
    let file = file(name);
    let at_fault = || format!("{file} (`cargo book -- record {name}` makes it)");
    trace::Trace::parse(&fs::read_to_string(&file).with_context(at_fault)?).with_context(at_fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn included_code_starts_at_the_margin() {
        let chapter = "a\n```rust,ignore\n    fn f() {\n\n        g();\n    }\n```\n    b\n";
        assert_eq!(outdented(chapter), "a\n```rust,ignore\nfn f() {\n\n    g();\n}\n```\n    b\n");
        let flat = "```rust,ignore\nfn f() {}\n```\n";
        assert_eq!(outdented(flat), flat);
    }
}
