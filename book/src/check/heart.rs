//! Every line of code of the runtime's heart stands in the book.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::chapters::{Chapter, files, include, included};

use super::faults::Faults;

/// The heart, each a file of `src/` and the folder of that name if there is one.
const HEART: [&str; 10] = [
    "executor/slab",
    "executor/scheduler",
    "executor/waker",
    "executor/drive",
    "executor/current",
    "executor/root",
    "executor/inbox",
    "executor/reactor",
    "executor/wheel",
    "task/cell",
];

/// Says how much of the heart the chapters of part III show. What they do not is a fault, once all of them are written.
///
/// # Errors
/// When a source cannot be read.
pub(super) fn check(chapters: &[Chapter], faults: &mut Faults) -> Result<String> {
    let part: Vec<&Chapter> =
        chapters.iter().filter(|chapter| chapter.part.as_deref().is_some_and(inside)).collect();
    let written = part.iter().all(|chapter| chapter.file.is_some());
    let mut shown: BTreeMap<PathBuf, BTreeSet<usize>> = BTreeMap::new();
    for chapter in part {
        let (_, blocks) = chapter.parts();
        for (path, anchor) in
            blocks.iter().flat_map(|block| &block.lines).filter_map(|(_, line)| include(line))
        {
            let file = chapter.folder().join(path);
            if let (Ok(lines), Ok(file)) = (included(&file, anchor), fs::canonicalize(&file)) {
                shown.entry(file).or_default().extend(lines);
            }
        }
    }
    let (mut lines, mut seen) = (0, 0);
    for file in heart()? {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let in_book = shown.get(&fs::canonicalize(&file)?);
        let code = code_lines(&text);
        let missing: Vec<usize> =
            code.iter().copied().filter(|line| !in_book.is_some_and(|shown| shown.contains(line))).collect();
        lines += code.len();
        seen += code.len() - missing.len();
        if let Some(first) = missing.first()
            && written
        {
            let (file, missing) = (file.display(), missing.len());
            faults.push(format!(
                "{file}:{first}: {missing} lines of the heart stand in no chapter of part III, this the first"
            ));
        }
    }
    Ok(format!(
        "of the heart's {lines} lines of code {seen} stand in part III ({:.1}%)",
        100.0 * seen as f64 / lines as f64
    ))
}

fn inside(part: &str) -> bool {
    part.starts_with("III.")
}

fn heart() -> Result<Vec<PathBuf>> {
    let mut heart = Vec::new();
    for room in HEART {
        heart.push(Path::new("src").join(format!("{room}.rs")));
        let folder = Path::new("src").join(room);
        if folder.is_dir() {
            heart.extend(files(&folder)?.into_iter().filter(|file| !file.ends_with("tests.rs")));
        }
    }
    Ok(heart)
}

/// Lines of code: not blank, not a comment, not of a test module. Counted as `.ci/lines` does.
fn code_lines(text: &str) -> Vec<usize> {
    let lines = text.lines().take_while(|line| !(line.starts_with("#[cfg(") && line.contains("test")));
    let code = lines.enumerate().filter(|(_, line)| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with("//")
    });
    code.map(|(at, _)| at + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_blanks_and_tests_are_no_code() {
        let text = "//! Doc.\n\nuse a;\n\n/// Doc.\nfn f() {\n    // Why.\n    g();\n}\n\n#[cfg(all(test, unix))]\nmod tests {}\n";
        assert_eq!(code_lines(text), [3, 6, 8, 9]);
    }
}
