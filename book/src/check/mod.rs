//! `cargo book -- check`: that nothing in the book has drifted from the repository, and that each chapter is whole.

mod code;
mod faults;
mod heart;
mod links;
mod names;
mod prose;
mod shape;
mod spelling;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::chapters::{self, Chapter, TEXT, files};
use crate::recordings::{self, Recording, Recordings, TRACES};
use crate::{figures, invariants, plan, render, timeline};

use faults::Faults;

/// # Errors
/// When anything is wrong; all of it has then been told on the standard error.
pub(crate) fn run(drafts: bool, quick: bool) -> Result<()> {
    let chapters = chapters::read()?;
    render::build()?;
    let mut faults = Faults::new();
    let names = names::Names::read()?;
    for chapter in chapters.iter().filter(|chapter| chapter.file.is_some()) {
        code::check(chapter, &names, &mut faults);
        shape::check(chapter, &mut faults);
        spelling::check(chapter, &mut faults);
        names.check(chapter, &mut faults);
        let bare = if chapter.part.is_some() { figures::bare(&chapter.text) } else { Vec::new() };
        faults.extend(bare.into_iter().map(|(line, figure)| {
            format!(
                "{}: `{figure}` has no source: take it from a recording with {{{{#figure}}}}, or say {{{{#given {figure}}}}} if no run \
                 can contradict it",
                chapter.at(line)
            )
        }));
    }
    links::check(Path::new(render::OUT), &mut faults)?;
    reachable(&chapters, drafts, &mut faults)?;
    faults.extend(invariants::read()?.faults);
    faults.extend(plan::faults()?);
    prose::check(&mut faults)?;
    let share = heart::check(&chapters, &mut faults)?;

    let written = chapters.iter().filter(|chapter| chapter.file.is_some()).count();
    println!("{written} of {} chapters are written; {share}", chapters.len());
    if !drafts {
        let missing = chapters.iter().filter(|chapter| chapter.file.is_none());
        faults.extend(missing.map(|draft| format!("{TEXT}/SUMMARY.md: `{}` is not written", draft.title)));
    }
    for fault in &faults {
        eprintln!("{fault}");
    }
    ensure!(faults.is_empty(), "faults in the book: {}", faults.len());
    if !quick {
        let doctests = Command::new("cargo").args(["test", "--quiet", "-p", "book", "--doc"]).status();
        ensure!(doctests.context("cargo")?.success(), "code in a chapter does not compile or fails");
        recordings::run(true, &[])?;
    }
    Ok(())
}

/// Each file of the book is used: chapters by the summary, recordings by chapters, pictures by chapters or the README. A
/// recording may wait for a draft.
fn reachable(chapters: &[Chapter], drafts: bool, faults: &mut Faults) -> Result<()> {
    let listed: BTreeSet<_> = chapters.iter().filter_map(|chapter| chapter.file.clone()).collect();
    let readme = fs::read_to_string("README.md").context("README.md")?;
    let texts: Vec<&str> = chapters.iter().map(|chapter| &*chapter.text).chain([&*readme]).collect();
    let is_shown = |name: &str| texts.iter().any(|text| text.contains(name));
    for file in files(Path::new(TEXT))? {
        let markdown = file.extension() == Some(OsStr::new("md"));
        if markdown && file.file_name() != Some(OsStr::new("SUMMARY.md")) && !listed.contains(&file) {
            faults.push(format!("{}: no line of SUMMARY.md leads here", file.display()));
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if !markdown && !is_shown(&name) {
            faults.push(format!("{}: neither a chapter nor the README shows it", file.display()));
        }
    }
    let recordings = Recordings::read()?;
    let timeline = timeline::pattern();
    let timelines = texts.iter().flat_map(|text| timeline.captures_iter(text));
    let timelines: BTreeSet<String> = timelines.map(|found| found[1].to_string()).collect();
    for Recording { name, .. } in recordings.iter() {
        let shown = is_shown(&format!("recorded/{name}.txt"))
            || is_shown(&format!("pictures/{name}.svg"))
            || timelines.contains(name);
        if !drafts && !shown {
            faults.push(format!("book/recordings.toml: no chapter shows `{name}`"));
        }
    }
    for file in files(Path::new(TRACES))? {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        if recordings.get(&stem).is_err() {
            faults.push(format!("{}: recordings.toml does not list it", file.display()));
        }
    }
    Ok(())
}
