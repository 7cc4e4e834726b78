//! What helps a reader through the chapters: `{{#minutes}}`, how long one takes to read, and a link to the glossary where a
//! chapter first uses one of its terms.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use regex::{Captures, Regex};

use crate::chapters::TEXT;

/// Where the reading time belongs.
pub(crate) const MINUTES: &str = "{{#minutes}}";
/// Words of prose, and lines of code or output, that a reader reads in a minute, about.
const WORDS: usize = 180;
const LINES: usize = 25;

/// How long a chapter takes to read. Its included files are part of it already.
pub(crate) fn minutes(content: &str) -> usize {
    let (mut words, mut lines, mut fence) = (0, 0, false);
    for line in content.lines() {
        if line.trim_start().starts_with("```") {
            fence = !fence;
        } else if fence {
            lines += 1;
        } else {
            words += line.split_whitespace().count();
        }
    }
    (words / WORDS + lines / LINES).max(1)
}

/// The terms of the glossary.
pub(crate) struct Glossary {
    /// The longest first: a *leaf future* is not a *future*.
    terms: Vec<String>,
    /// What no link may be put into: code, links, HTML and lines that begin with it, directives, bold text, headings, tables and quotations.
    closed: Regex,
}

impl Glossary {
    /// # Errors
    /// When there is no glossary, or it has no term.
    pub(crate) fn read() -> Result<Glossary> {
        let file = Path::new(TEXT).join("glossary.md");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        Glossary::of(&text).with_context(|| file.display().to_string())
    }

    fn of(text: &str) -> Result<Glossary> {
        let mut terms: Vec<String> = row().captures_iter(text).map(|found| found[1].to_string()).collect();
        ensure!(!terms.is_empty(), "no line begins with `| **term** |`");
        terms.sort_by_key(|term| std::cmp::Reverse(term.len()));
        let closed = r"(?ms)^\s*```.*?^\s*```$|^[#|><][^\n]*$|^Minutes[^\n]*$|`[^`\n]*`|!?\[[^\]]*\]\([^)]*\)|<[^>]*>|\{\{.*?\}\}|\*\*[^*]*\*\*";
        Ok(Glossary { terms, closed: Regex::new(closed).expect("a regular expression") })
    }

    /// The glossary itself, each of whose terms can be linked to.
    pub(crate) fn with_anchors(content: &str) -> String {
        let anchored =
            |found: &Captures<'_>| format!("| <a id=\"{}\"></a>**{}** |", slug(&found[1]), &found[1]);
        row().replace_all(content, anchored).into_owned()
    }

    /// A chapter in which the first use of each term is a link to it. `up` leads from the chapter to the glossary's folder.
    pub(crate) fn linked(&self, content: &str, up: &str) -> String {
        let mut content = content.to_string();
        for term in &self.terms {
            if let Some((start, end)) = self.first_use(&content, term) {
                let link = format!("[{}]({up}glossary.md#{})", &content[start..end], slug(term));
                content.replace_range(start..end, &link);
            }
        }
        content
    }

    fn first_use(&self, content: &str, term: &str) -> Option<(usize, usize)> {
        let (first, rest) = term.split_at(term.chars().next().map_or(0, char::len_utf8));
        let upper = first.to_uppercase();
        let word = format!(r"\b[{first}{upper}]{}s?\b", regex::escape(rest).replace(' ', r"\s"));
        let word = Regex::new(&word).expect("a regular expression");
        let mut from = 0;
        let ends = self.closed.find_iter(content).map(|closed| (closed.start(), closed.end()));
        for (closed, open) in ends.chain([(content.len(), content.len())]) {
            let here = content.get(from..closed).unwrap_or_default();
            // "In turn" is no turn, and a part of a longer word is no use.
            let counts = |start: usize, end: usize| {
                let (before, after) = (&here[..start], &here[end..]);
                !before.ends_with("in ")
                    && !before.ends_with("In ")
                    && !before.ends_with('-')
                    && !after.starts_with('-')
            };
            if let Some(found) = word.find_iter(here).find(|found| counts(found.start(), found.end())) {
                return Some((from + found.start(), from + found.end()));
            }
            from = open;
        }
        None
    }
}

/// A line of the glossary's table.
fn row() -> Regex {
    Regex::new(r"(?m)^\| \*\*([^*]+)\*\* \|").expect("a regular expression")
}

fn slug(term: &str) -> String {
    term.replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "| term | what |\n|---|---|\n| **future** | … |\n| **leaf future** | … |\n| **turn** | … |\n";

    #[test]
    fn the_first_use_of_each_term_is_a_link() {
        let glossary = Glossary::of(TABLE).unwrap();
        let chapter = "# A future\n\nMinutes to read: 3\n\nIn turn: `future`, [future](x.md), <b>a future</b>.\n\n\
            ```rust\nfuture\n```\n\nA leaf future and\nother futures. Futures of a turn, of a turn.\n";
        let expected = "# A future\n\nMinutes to read: 3\n\nIn turn: `future`, [future](x.md), <b>a [future](../glossary.md#future)</b>.\n\n\
            ```rust\nfuture\n```\n\nA [leaf future](../glossary.md#leaf-future) and\nother futures. Futures of a \
            [turn](../glossary.md#turn), of a turn.\n";
        assert_eq!(glossary.linked(chapter, "../"), expected);
    }

    #[test]
    fn a_term_can_be_linked_to() {
        assert!(Glossary::with_anchors(TABLE).contains("\n| <a id=\"leaf-future\"></a>**leaf future** |"));
        assert!(Glossary::of("no table").is_err());
    }

    #[test]
    fn prose_and_code_take_their_time() {
        assert_eq!(minutes("a b c"), 1);
        let prose = "word ".repeat(4 * WORDS);
        let code = format!("```text\n{}```\n", "line of any length\n".repeat(3 * LINES));
        assert_eq!(minutes(&format!("{prose}\n{code}")), 7);
    }
}
