//! The chapters as they are written: what `SUMMARY.md` lists, each cut into prose and blocks of code.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;

/// The folder of the chapters.
pub(crate) const TEXT: &str = "book/text";

pub(crate) struct Chapter {
    pub(crate) title: String,
    /// The part it belongs to; none for what stands before the first and after the last.
    pub(crate) part: Option<String>,
    /// Its file, or none for a draft.
    pub(crate) file: Option<PathBuf>,
    pub(crate) text: String,
}

/// A fenced block of code.
pub(crate) struct Block<'a> {
    /// The line of the fence.
    pub(crate) line: usize,
    /// What stands behind the opening fence.
    pub(crate) info: &'a str,
    pub(crate) lines: Vec<(usize, &'a str)>,
}

/// # Errors
/// When the summary or a chapter cannot be read.
pub(crate) fn read() -> Result<Vec<Chapter>> {
    let book = MDBook::load("book").context("book/")?;
    let mut part = None;
    let mut chapters = Vec::new();
    for item in book.iter() {
        match item {
            BookItem::PartTitle(title) => part = Some(title.clone()),
            BookItem::Separator => part = None,
            BookItem::Chapter(chapter) => {
                let file = chapter.path.as_ref().map(|path| Path::new(TEXT).join(path));
                // Not its `content`, which has lost what stands before the title.
                let text = file.as_ref().map(fs::read_to_string).transpose()?.unwrap_or_default();
                chapters.push(Chapter { title: chapter.name.clone(), part: part.clone(), file, text });
            }
        }
    }
    Ok(chapters)
}

impl Chapter {
    /// `file:line`, or the title of a draft.
    pub(crate) fn at(&self, line: usize) -> String {
        match &self.file {
            Some(file) => format!("{}:{line}", file.display()),
            None => format!("`{}`", self.title),
        }
    }

    /// The lines outside of code blocks, and the blocks. Lines are counted from 1.
    pub(crate) fn parts(&self) -> (Vec<(usize, &str)>, Vec<Block<'_>>) {
        let (mut prose, mut blocks) = (Vec::new(), Vec::new());
        let mut open: Option<(&str, Block<'_>)> = None;
        for (at, text) in self.text.lines().enumerate().map(|(at, text)| (at + 1, text)) {
            let start = text.trim_start();
            let ticks = &start[..start.len() - start.trim_start_matches('`').len()];
            match open.take() {
                Some((fence, block)) if ticks.len() >= fence.len() && start == ticks => blocks.push(block),
                Some((fence, mut block)) => {
                    block.lines.push((at, text));
                    open = Some((fence, block));
                }
                None if ticks.len() >= 3 => {
                    open = Some((
                        ticks,
                        Block { line: at, info: start[ticks.len()..].trim(), lines: Vec::new() },
                    ));
                }
                None => prose.push((at, text)),
            }
        }
        blocks.extend(open.map(|(_, block)| block));
        (prose, blocks)
    }

    /// The folder that its includes are told from.
    pub(crate) fn folder(&self) -> &Path {
        self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(TEXT))
    }
}

/// `{{#include path}}` or `{{#include path:anchor}}`, alone in its line.
pub(crate) fn include(line: &str) -> Option<(&str, Option<&str>)> {
    let inner = line.trim().strip_prefix("{{#")?.strip_suffix("}}")?;
    let argument = inner.strip_prefix("include ").or_else(|| inner.strip_prefix("rustdoc_include "))?.trim();
    Some(match argument.split_once(':') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (argument, None),
    })
}

/// The numbers of the lines, from 1, that an anchor or a whole file shows.
///
/// # Errors
/// When the file or the anchor is not there, or the anchor has no end.
pub(crate) fn included(file: &Path, anchor: Option<&str>) -> Result<Vec<usize>> {
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mark = |line: &str, what: &str| {
        line.split_once(what).and_then(|(_, name)| name.split_whitespace().next()).map(str::to_string)
    };
    let mut shown = Vec::new();
    let (mut found, mut inside) = (false, anchor.is_none());
    for (at, line) in text.lines().enumerate() {
        let (begins, ends) = (mark(line, "ANCHOR:"), mark(line, "ANCHOR_END:"));
        if anchor.is_some() && begins.as_deref() == anchor {
            (found, inside) = (true, true);
        } else if anchor.is_some() && ends.as_deref() == anchor {
            inside = false;
        } else if inside && begins.is_none() && ends.is_none() {
            shown.push(at + 1);
        }
    }
    if let Some(anchor) = anchor {
        anyhow::ensure!(found, "{} has no `// ANCHOR: {anchor}`", file.display());
        anyhow::ensure!(!inside, "{} has no `// ANCHOR_END: {anchor}`", file.display());
    }
    Ok(shown)
}

/// All files below a folder, sorted.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_and_code_are_told_apart() {
        let text = "a\n```rust\nlet x;\n```\nb\n````text\n```\n````\nc".to_string();
        let chapter = Chapter { title: String::new(), part: None, file: None, text };
        let (prose, blocks) = chapter.parts();
        assert_eq!(prose, [(1, "a"), (5, "b"), (9, "c")]);
        let blocks: Vec<_> =
            blocks.iter().map(|block| (block.line, block.info, block.lines.clone())).collect();
        assert_eq!(blocks, [(2, "rust", vec![(3, "let x;")]), (6, "text", vec![(7, "```")])]);
    }

    #[test]
    fn includes_are_understood() {
        assert_eq!(
            include("{{#include ../../../src/executor/slab.rs:insert}}"),
            Some(("../../../src/executor/slab.rs", Some("insert")))
        );
        assert_eq!(include(" {{#rustdoc_include a.rs}}"), Some(("a.rs", None)));
        assert_eq!(include("{{#timeline a}}"), None);
    }
}
