//! The kit's English: constructions that make a reader stumble, counted per 1,000 words in the book, in comments, in messages
//! and on pages. `CONTRIBUTING.md` lists them with what to write instead.
//!
//! A hit is a place to look, not a proof, so there is a limit and not a ban.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use regex::Regex;

use crate::chapters::{TEXT, files};

use super::faults::Faults;

/// Hits per 1,000 words, at most.
const LIMIT: f64 = 0.3;

/// What CONTRIBUTING calls a construction, what finds it, and what may follow so that it does not count.
struct Pattern {
    name: &'static str,
    regex: Regex,
    unless: fn(&str) -> bool,
}

const QUAINT: [&str; 9] =
    ["dear", "thrift", "aloud", "henceforth", "whence", "thereof", "therein", "hither", "alike but"];

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let never: fn(&str) -> bool = |_| false;
    let question: fn(&str) -> bool = |after| {
        let end = after.find(['.', '?', '!']);
        end.is_some_and(|end| after[end..].starts_with('?'))
    };
    let preposition: fn(&str) -> bool = |after| {
        let word = after.split_whitespace().next().unwrap_or_default();
        matches!(word, "the" | "a" | "an") || word.starts_with(|first: char| first.is_ascii_digit())
    };
    let pattern = |name, regex: &str, unless| Pattern {
        name,
        regex: Regex::new(regex).expect("a regular expression"),
        unless,
    };
    vec![
        pattern("who", r"(?m)(?:^|[.;:,(—] )[Ww]ho(?:m?ever)? [a-z]+\b", question),
        pattern("whoever", r"\b[Ww]ho(?:so)?ever\b", never),
        pattern("somebody", r"\b(?:[Ss]ome|[Nn]o|[Aa]ny)body\b", never),
        pattern("for ever", r"\bfor ever\b", never),
        pattern("shall", r"\bshall\b", never),
        pattern(
            "else",
            r"\b(?:would|will|could|must|might|can|is|are) else\b|\b[Ee]lse (?:an?|the|it|they|there|one|its)\b",
            never,
        ),
        pattern("is over", r"\b(?:is|are|was|were|be) over\b", preposition),
        pattern(
            "tells",
            r"\b(?:tells?|told) (?:of|the recorder|that|which|whether|nothing|what)\b|\b(?:is|are|was|were|be|been) told\b",
            never,
        ),
        pattern("gives", r"\bgives? (?:back|(?:the|an?|its|it|what|no|each)\b|`)", never),
        pattern(
            "for",
            r", for (?:the|it|they|there|what|both|each|he|that|this|no|a|its) [a-z`]+ (?:is|are|was|were|has|have|leaves?|left|does|do|can|may|must|would|holds?)\b",
            never,
        ),
        pattern("a … a …", r"\b[Aa] \w+ a \w+[,.:;)]", never),
        pattern(
            "has … do",
            r"\b(?:has|have) (?:the|a|its|another|every) \w+ (?:say|do|run|tell|take|give|wake|poll)\b",
            never,
        ),
        pattern("which so", r"\b(?:which|who) so\b", never),
        pattern("dear", &format!(r"\b(?:{})\b", QUAINT.join("|")), never),
    ]
});

/// The constructions in a text, each with its surroundings.
fn hits(text: &str) -> Vec<(&'static str, String)> {
    // A sentence does not end with its line, but with its paragraph.
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
    let in_paragraph = |text: String| -> Vec<(&'static str, String)> {
        let found = PATTERNS.iter().flat_map(|pattern| {
            let places = pattern.regex.find_iter(&text);
            let counted = places.filter(|place| !(pattern.unless)(&text[place.end()..]));
            counted.map(|place| (pattern.name, around(&text, place.start(), place.end())))
        });
        found.collect()
    };
    paragraphs.flat_map(in_paragraph).collect()
}

fn around(text: &str, start: usize, end: usize) -> String {
    let from = text[..start].char_indices().rev().nth(30).map_or(0, |(at, _)| at);
    let to = text[end..].char_indices().nth(30).map_or(text.len(), |(at, _)| end + at);
    text[from..to].to_string()
}

/// The prose of a chapter or page: no code, and nothing that is quoted.
fn of_markdown(text: &str) -> String {
    static CODE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)```.*?```").expect("a regular expression"));
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#""[^"\n]{1,40}"|`[^`\n]+`"#).expect("a regular expression"));
    static INCLUDED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^\{\{.*$").expect("a regular expression"));
    let text = CODE.replace_all(text, "");
    INCLUDED.replace_all(&QUOTED.replace_all(&text, "…"), "").into_owned()
}

/// The comments of a source, those that belong together as one paragraph.
fn of_comments(text: &str) -> String {
    let mut prose = String::new();
    for line in text.lines() {
        let comment = line.trim_start().strip_prefix("//").filter(|comment| !comment.contains("ANCHOR"));
        prose.push_str(comment.map_or("", |comment| comment.trim_start_matches(['/', '!']).trim()));
        prose.push('\n');
    }
    of_markdown(&prose)
}

/// What a program says: its strings of three words or more, and what `--help` takes from doc comments is in the comments.
fn of_messages(text: &str) -> String {
    static STRING: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#""((?:[^"\\\n]|\\.)*)""#).expect("a regular expression"));
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new("[a-z]{2,}").expect("a regular expression"));
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.take_while(|line| !line.starts_with("#[cfg(test)]")).collect::<Vec<_>>().join("\n");
    let strings = STRING.captures_iter(&code).map(|found| found[1].replace("\\n", " "));
    strings.filter(|string| WORD.find_iter(string).count() >= 3).collect::<Vec<_>>().join("\n\n")
}

/// What a reader reads, by kind, and how to find the prose in it.
type Kind = (&'static str, Vec<PathBuf>, fn(&str) -> String);

fn kinds() -> Result<[Kind; 5]> {
    let of = |folders: &[&str], endings: &[&str]| -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for folder in folders {
            found.extend(files(Path::new(folder))?);
        }
        let ends =
            |file: &PathBuf| file.extension().is_some_and(|end| endings.iter().any(|ending| end == *ending));
        let ours = |file: &PathBuf| !file.iter().any(|part| part == "target" || part == "node_modules");
        found.retain(|file| ends(file) && ours(file));
        Ok(found)
    };
    let mut pages = of(&["examples", "tests"], &["md"])?;
    pages.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "book/README.md"].map(PathBuf::from));
    Ok([
        ("the book", of(&[TEXT], &["md"])?, of_markdown),
        ("src", of(&["src"], &["rs"])?, of_comments),
        ("examples, tests", of(&["examples", "tests"], &["rs"])?, of_comments),
        ("messages", of(&["src", "examples", "tests", "book/src"], &["rs", "js"])?, of_messages),
        ("pages", pages, of_markdown),
    ])
}

/// Too many hits in one kind of text are a fault.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn check(faults: &mut Faults) -> Result<()> {
    for (kind, files, prose) in kinds()? {
        let (mut words, mut found) = (0, BTreeMap::<_, Vec<_>>::new());
        for file in files {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let text = prose(&text);
            words += text.split_whitespace().count();
            for (name, place) in hits(&text) {
                found.entry(name).or_default().push(format!("{}: … {place} …", file.display()));
            }
        }
        let count: usize = found.values().map(Vec::len).sum();
        let rate = 1000.0 * count as f64 / words.max(1) as f64;
        if rate > LIMIT {
            faults.push(format!(
                "{kind}: {count} constructions in {words} words that CONTRIBUTING.md advises against, {rate:.1} per 1,000; at \
                 most {LIMIT}"
            ));
            for (name, places) in found {
                faults.extend(places.into_iter().map(|place| format!("  `{name}`: {place}")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of CONTRIBUTING.md: the construction, what not to write, what to write instead.
    fn table() -> Vec<[String; 3]> {
        let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../CONTRIBUTING.md"))
            .expect("it is there");
        let (_, rows) =
            page.split_once("| construction | instead of | write |\n|---|---|---|\n").expect("the table");
        let row = |line: &str| {
            let cells: Vec<_> =
                line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect();
            cells.try_into().expect("three cells")
        };
        rows.lines().take_while(|line| line.starts_with('|')).map(row).collect()
    }

    #[test]
    fn contributing_lists_what_is_counted() {
        let table = table();
        let names: Vec<_> = table.iter().map(|[name, ..]| name.trim_matches('`')).collect();
        let counted: Vec<_> = PATTERNS.iter().map(|pattern| pattern.name).collect();
        assert_eq!(names, counted);
        for [name, bad, good] in &table {
            let found: Vec<_> = hits(bad.trim_matches('"')).into_iter().map(|(name, _)| name).collect();
            assert!(found.contains(&name.trim_matches('`')), "{bad}: {found:?}");
            assert_eq!(hits(good.trim_matches('"')), [], "{good}");
        }
    }

    #[test]
    fn what_is_quoted_asked_or_code_does_not_count() {
        for fine in [
            "Say \"for ever\" or `shall`.",
            "```text\nfor ever\n```",
            "Two threads wait. Who runs first?",
            "A bridge is over the river.",
        ] {
            assert_eq!(hits(&of_markdown(fine)), [], "{fine}");
        }
        assert_eq!(hits(&of_markdown("It runs for\never.")).len(), 1, "a sentence goes on in the next line");
        assert_eq!(hits(&of_comments("/// It runs for\n/// ever.\nfn shall() {}")).len(), 1);
        assert_eq!(hits(&of_messages("// shall\nlet a = \"you shall not pass\"; let shall = 1;")).len(), 1);
    }
}
