//! `cargo book -- list`: each chapter with its words, the lines of code it shows, its recorded runs and its timelines.

use anyhow::Result;

use crate::chapters::{self, Chapter, include, included};
use crate::timeline;

/// # Errors
/// When the chapters cannot be read.
pub(crate) fn run() -> Result<()> {
    let mut part = None;
    let mut all = Counts::default();
    println!("{:<52}{:>7}{:>7}{:>6}{:>11}", "chapter", "words", "code", "runs", "timelines");
    for chapter in chapters::read()? {
        if chapter.part != part {
            println!("{}", chapter.part.as_deref().unwrap_or("Beside the parts"));
            part.clone_from(&chapter.part);
        }
        if chapter.file.is_none() {
            println!("  {:<50}   (not written)", chapter.title);
            continue;
        }
        let counts = Counts::of(&chapter);
        counts.print(&format!("  {}", chapter.title));
        all.words += counts.words;
        all.code += counts.code;
        all.runs += counts.runs;
        all.timelines += counts.timelines;
    }
    all.print("all");
    Ok(())
}

#[derive(Default)]
struct Counts {
    words: usize,
    code: usize,
    runs: usize,
    timelines: usize,
}

impl Counts {
    fn of(chapter: &Chapter) -> Counts {
        let (prose, blocks) = chapter.parts();
        let words = prose.iter().map(|(_, line)| line.split_whitespace().count()).sum();
        let rust = blocks.iter().filter(|block| block.info.starts_with("rust"));
        let shown = |line: &str| match include(line) {
            Some((path, anchor)) => {
                included(&chapter.folder().join(path), anchor).map_or(0, |lines| lines.len())
            }
            None => 1,
        };
        let code = rust.flat_map(|block| &block.lines).map(|(_, line)| shown(line)).sum();
        let lines = blocks.iter().flat_map(|block| &block.lines);
        let runs = lines
            .filter(|(_, line)| include(line).is_some_and(|(path, _)| path.contains("recorded/")))
            .count();
        Counts { words, code, runs, timelines: timeline::pattern().find_iter(&chapter.text).count() }
    }

    fn print(&self, what: &str) {
        println!("{what:<52}{:>7}{:>7}{:>6}{:>11}", self.words, self.code, self.runs, self.timelines);
    }
}
