//! `{{#figure …}}`: what the prose says of a measured run is taken from its recording, or is checked against it. `{{#given …}}`
//! marks a figure that no run can contradict: the premise of an example, a constant, arithmetic.
//!
//! ```text
//! {{#figure step02: "memory in use" 1}}                                       prints "9 KiB", as the recording has it
//! {{#figure about twice = all-safe: "spawn and join" 1 / "spawn and join" 2}}   prints "about twice", and checks the ratio
//! {{#figure some tens of milliseconds = step02: "to start and end" 1}}           prints the words, and checks the number
//! {{#given 150 ms}}                                                            prints "150 ms"
//! ```
//!
//! A value is one or more texts in quotes and a number. The texts are looked for one after the other, and the number says
//! which of the figures behind the last of them is meant, in its line; -1 is the last one before it. Values can be added (`+`) and
//! divided (`/`). A plain number is a value too.

use std::fs;
use std::sync::LazyLock;

use anyhow::{Context, Result, bail, ensure};
use regex::{Captures, Regex};

use crate::recordings::TRACES;

static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| regex(r"\{\{#(figure|given)\s+([^}]+?)\s*\}\}"));

/// What a sentence says when it states a figure: a number with a unit, or how many times as much.
static STATED: LazyLock<Regex> = LazyLock::new(|| {
    let number = "(?:a|one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|a hundred|a thousand|[0-9][0-9.,]*)";
    let unit = "(?:nanoseconds?|microseconds?|milliseconds?)";
    let size = "(?:KiB|MiB|GiB|kB|KB|MB|GB)";
    let part = "(?:a |one )?(?:half|third|quarter|fifth|tenth|twentieth|hundredth)";
    let nearly = "(?:about|nearly|almost|at least|at most|more than|less than|only|over|under|some)";
    let patterns = [
        format!(r"\b[0-9][0-9.,]*\s?(?:ns|µs|us|ms|s|{size}|%|per cent|seconds?)(?:\W|$)"),
        format!(r"\b(?:some|a few|few|several|tens of|hundreds of|{number}) {unit}\b"),
        format!(r"\b(?:some|a few|few|several|{number}) {size}\b"),
        r"\b(?:two|three|four|five|six|seven|eight|nine|ten|twenty) seconds\b".into(),
        format!(r"\b{nearly}\s(?:{part}|twice|{number} times)\b"),
        format!(r"\b(?:{number} times|several times|twice|half) as\b|\btwice the\b|\b[0-9.]+×"),
        format!(r"\b{number} times (?:slower|faster|larger|smaller|longer|more|less)\b"),
        format!(
            r"\b(?:half|{part} of) (?:the|of the) (?:time|wall|CPU|memory|cost)\b|\b{part} of the time\b"
        ),
        r"\bthe same (?:CPU|wall) time\b|\babout the same\b|\borders? of magnitude\b".into(),
    ];
    regex(&patterns.join("|"))
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a regular expression")
}

/// A chapter with its figures in place.
///
/// # Errors
/// When a directive is not understood, a recording or a text in it is missing, or the words are wrong.
pub(crate) fn filled(content: &str) -> Result<String> {
    let mut outcome = Ok(());
    let filled = DIRECTIVE.replace_all(content, |found: &Captures<'_>| {
        let said = if &found[1] == "given" { Ok(found[2].to_string()) } else { figure(&found[2]) };
        said.unwrap_or_else(|error| {
            outcome = Err(error.context(found[0].to_string()));
            String::new()
        })
    });
    let filled = filled.into_owned();
    outcome.map(|()| filled)
}

fn figure(text: &str) -> Result<String> {
    let (words, source) =
        text.split_once('=').map_or((None, text), |(words, source)| (Some(words.trim()), source));
    let (recording, expression) = source.split_once(':').context("a recording and a colon are missing")?;
    let recording = recording.trim();
    let file = format!("{TRACES}/{recording}.txt");
    let printed = fs::read_to_string(&file).with_context(|| file.clone())?;
    let (value, as_printed) = evaluate(expression.replace('\n', " ").trim(), &printed).context(file)?;
    let Some(words) = words else { return Ok(as_printed) };
    let words = words.replace('\n', " ");
    let (min, max) =
        range(&words).with_context(|| format!("`{words}` is no figure in words that this tool knows"))?;
    ensure!(min <= value && value <= max, "`{words}` is wrong: it is {value:.3}");
    Ok(words)
}

/// The value of sums and quotients, times in nanoseconds and sizes in bytes, and how the first one is printed.
fn evaluate(expression: &str, printed: &str) -> Result<(f64, String)> {
    let mut sides = Vec::new();
    for side in expression.split('/') {
        let values: Vec<(f64, String)> =
            side.split('+').map(|value| look_up(value.trim(), printed)).collect::<Result<_>>()?;
        let as_printed = values.first().map(|(_, as_printed)| as_printed.clone()).unwrap_or_default();
        sides.push((values.iter().map(|(value, _)| value).sum::<f64>(), as_printed));
    }
    match &sides[..] {
        [(value, as_printed)] => Ok((*value, as_printed.clone())),
        [(above, _), (below, _)] if *below > 0.0 => Ok((above / below, format!("{:.1}", above / below))),
        _ => bail!("one `/`, and no division by zero: `{expression}`"),
    }
}

/// `"text" "text" 2`: the second figure behind these texts.
fn look_up(value: &str, printed: &str) -> Result<(f64, String)> {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| regex("\"([^\"]+)\""));
    static FIGURE: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"(?:^|[^\w.])([0-9][0-9,]*(?:\.[0-9]+)?)(?:\s?(ns|µs|us|ms|s|KiB|MiB|bytes|%)\b)?")
    });
    if let Ok(constant) = value.parse() {
        return Ok((constant, value.to_string()));
    }
    let mut rest = printed;
    let mut end = 0;
    for text in QUOTED.captures_iter(value) {
        let at = rest.find(&text[1]).with_context(|| format!("there is no `{}`", &text[1]))?;
        rest = &rest[at + text[1].len()..];
        end = text.get(0).map_or(0, |whole| whole.end());
    }
    ensure!(end > 0, "`{value}` has no text in quotes");
    let number: isize =
        value[end..].trim().parse().with_context(|| format!("`{value}` does not end with a number"))?;
    let before = &printed[..printed.len() - rest.len()];
    let line = if number < 0 { before.lines().last() } else { rest.lines().next() }.unwrap_or_default();
    let figures: Vec<_> = FIGURE.captures_iter(line).collect();
    let index = if number < 0 { figures.len() as isize + number } else { number - 1 };
    let found = usize::try_from(index).ok().and_then(|index| figures.get(index));
    let found = found.with_context(|| format!("there is no figure {number} in `{}`", line.trim()))?;
    let plain: f64 = found[1].replace(',', "").parse().context("a number")?;
    let unit = found.get(2).map_or("", |unit| unit.as_str());
    let as_printed = if unit.is_empty() { found[1].to_string() } else { format!("{} {unit}", &found[1]) };
    Ok((plain * scale(unit).unwrap_or(1.0), as_printed))
}

/// Nanoseconds or bytes in a unit.
fn scale(unit: &str) -> Option<f64> {
    Some(match unit.trim_end_matches('s') {
        "n" | "nanosecond" => 1.0,
        "µ" | "u" | "microsecond" => 1e3,
        "m" | "millisecond" => 1e6,
        "" | "second" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "byte" => 1.0,
        _ => return None,
    })
    .filter(|_| !unit.is_empty())
}

/// What words leave open: from which value to which they are right.
fn range(words: &str) -> Option<(f64, f64)> {
    static TENS: LazyLock<Regex> = LazyLock::new(|| regex(r"^(?:some )?(tens|hundreds) of (\w+)$"));
    static FEW: LazyLock<Regex> = LazyLock::new(|| regex(r"^(?:some|a few) (\w+)$"));
    match words {
        "less" | "fewer" => return Some((0.0, 0.999)),
        "more" => return Some((1.001, f64::INFINITY)),
        "about the same" => return Some((0.87, 1.15)),
        _ => {}
    }
    if let Some(found) = TENS.captures(words) {
        let (from, unit) = (if &found[1] == "tens" { 10.0 } else { 100.0 }, scale(&found[2])?);
        return Some((from * unit, from * 10.0 * unit));
    }
    if let Some(unit) = FEW.captures(words).and_then(|found| scale(&found[1])) {
        return Some((unit, 10.0 * unit));
    }
    let bounds = [
        ("about ", 0.8, 1.2),
        ("nearly ", 0.85, 1.0),
        ("almost ", 0.85, 1.0),
        ("at least ", 1.0, f64::INFINITY),
        ("more than ", 1.0, f64::INFINITY),
        ("at most ", 0.0, 1.0),
        ("less than ", 0.0, 1.0),
    ];
    let (min, max, amount) = bounds
        .iter()
        .find_map(|(prefix, min, max)| words.strip_prefix(prefix).map(|amount| (*min, *max, amount)))?;
    let amount = amount_of(amount)?;
    Some((min * amount, max * amount))
}

/// A number in words or digits, with `times`, a unit, or neither.
fn amount_of(words: &str) -> Option<f64> {
    let known = [
        ("half", 0.5),
        ("a third", 1.0 / 3.0),
        ("a quarter", 0.25),
        ("a fifth", 0.2),
        ("a tenth", 0.1),
        ("twice", 2.0),
    ];
    if let Some((_, amount)) = known.iter().find(|(name, _)| *name == words) {
        return Some(*amount);
    }
    let (number, unit) = words.rsplit_once(' ').unwrap_or((words, "times"));
    let counted = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let number = match counted.iter().position(|name| *name == number) {
        Some(at) => at as f64 + 1.0,
        None => number.replace(',', "").parse().ok()?,
    };
    Some(number * if unit == "times" { 1.0 } else { scale(unit)? })
}

/// The figures in a chapter's prose that no directive vouches for, each with its line.
///
/// Figures are examples in the question at the top, in what a fold asks, in the exercises and in "What goes wrong without
/// it". Tables, headings and code are left out as well.
pub(crate) fn bare(text: &str) -> Vec<(usize, String)> {
    static CODE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)`[^`\n]*`|<code>.*?</code>"));
    let (mut found, mut fence, mut story, mut question) = (Vec::new(), false, false, false);
    let mut paragraph: Vec<(usize, &str)> = Vec::new();
    for (at, line) in text.lines().map(Some).chain([None]).enumerate() {
        let line = line.unwrap_or_default();
        let is_fence = line.trim_start().starts_with("```");
        fence ^= is_fence;
        if let Some(heading) = line.strip_prefix("## ") {
            story = heading == "Exercises" || heading == "What goes wrong without it";
        }
        question = line.starts_with("> **Question.**") || question && line.starts_with('>');
        let left_out = fence
            || is_fence
            || story
            || question
            || line.is_empty()
            || line.starts_with(['|', '#', '<', '{']);
        if !left_out {
            paragraph.push((at + 1, line));
            continue;
        }
        // A figure may be parted by the end of a line.
        let whole = paragraph.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        let blank = |found: &Captures<'_>| {
            "\u{1}".repeat(found[0].chars().filter(|c| *c != '\n').count())
                + &"\n".repeat(found[0].matches('\n').count())
        };
        let open = DIRECTIVE.replace_all(&whole, blank);
        let open = CODE.replace_all(&open, blank);
        let flat = open.replace('\n', " ");
        for stated in STATED.find_iter(&flat) {
            let before = open.char_indices().take_while(|(byte, _)| *byte < stated.start());
            let lines = before.filter(|(_, c)| *c == '\n').count();
            found.push((paragraph[0].0 + lines, stated.as_str().trim().to_string()));
        }
        paragraph.clear();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "$ a command\nhead\n  to start    69 ms, CPU 71 ms\n  memory in use   9 KiB each\nother\n  to start  138 ms\n  (0, 0)   10\n";

    #[test]
    fn a_figure_is_what_the_recording_has() {
        let value = |expression| evaluate(expression, PRINTED).unwrap();
        assert_eq!(value("\"to start\" 1"), (69e6, "69 ms".into()));
        assert_eq!(value("\"to start\" 2"), (71e6, "71 ms".into()));
        assert_eq!(value("\"other\" \"to start\" 1"), (138e6, "138 ms".into()));
        assert_eq!(value("\"memory\" 1"), (9.0 * 1024.0, "9 KiB".into()));
        assert_eq!(value("\"(0, 0)\" 1"), (10.0, "10".into()));
        assert_eq!(value("\"ms, CPU\" -1"), (69e6, "69 ms".into()));
        assert_eq!(value("\"to start\" 1 / 1000"), (69e3, "69000.0".into()));
        assert_eq!(value("\"other\" \"to start\" 1 / \"to start\" 1"), (2.0, "2.0".into()));
        assert_eq!(value("\"to start\" 1 + \"other\" \"to start\" 1").0, 207e6);
        for wrong in [
            "\"missing\" 1",
            "\"to start\" 9",
            "\"to start\"",
            "one",
            "\"to start\" 1 / \"to start\" 1 / \"to start\" 1",
        ] {
            assert!(evaluate(wrong, PRINTED).is_err(), "{wrong}");
        }
    }

    #[test]
    fn words_leave_so_much_open() {
        for (words, right, wrong) in [
            ("about twice", 2.05, 2.5),
            ("about half", 0.55, 0.7),
            ("nearly twice", 1.8, 2.05),
            ("at least twice", 2.0, 1.99),
            ("about three times", 2.8, 2.05),
            ("more than two MiB", 2.1 * 1024.0 * 1024.0, 1.9 * 1024.0 * 1024.0),
            ("some tens of milliseconds", 69e6, 9e6),
            ("a few KiB", 9.0 * 1024.0, 12.0 * 1024.0),
            ("less than 5 ms", 4e6, 6e6),
            ("less", 0.9, 1.1),
            ("about the same", 1.1, 1.3),
            ("about a third", 0.33, 0.5),
        ] {
            let (min, max) = range(words).unwrap();
            assert!(min <= right && right <= max, "{words}: {right}");
            assert!(wrong < min || max < wrong, "{words}: {wrong}");
        }
        assert_eq!(range("quite fast"), None);
    }

    /// Twenty-five false figures, in copies of real chapters: each is found, with its line.
    #[test]
    fn planted_figures_are_found() {
        let planted = [
            "It takes 42 ms.",
            "It took 1.7 s in all.",
            "A wake costs 38 ns here.",
            "Each thread needs 12 KiB.",
            "The process has 3.5 MiB at its peak.",
            "That is 17 % of the time.",
            "It takes a few microseconds.",
            "This costs some tens of\nmilliseconds.",
            "A poll takes five nanoseconds.",
            "It takes about twice the time.",
            "It is nearly three times slower.",
            "Spawning takes about\nhalf of it.",
            "This is twice as fast.",
            "It is ten times as large.",
            "It needs half the memory.",
            "Both need the same CPU time.",
            "It saves at least a third.",
            "It uses more than two MiB.",
            "It takes less than a tenth.",
            "It took 250 µs, and then 3 ms.",
            "It is three times slower.",
            "It needs twice the time, or 2.4× as much.",
            "That is several times as much, by an order of magnitude.",
            "It takes a third of the time, in two seconds.",
            "Both need about the same, 17 per cent.",
        ];
        let text = concat!(env!("CARGO_MANIFEST_DIR"), "/text/");
        let chapters =
            ["2-build/rooms.md", "3-inside/unsafe.md", "4-sync-or-async/memory.md", "6-testing/modelling.md"];
        for (at, planted) in planted.iter().enumerate() {
            let chapter = fs::read_to_string(format!("{text}{}", chapters[at % chapters.len()])).unwrap();
            assert_eq!(bare(&chapter), [], "the chapter itself");
            let (before, after) = chapter.split_once("\n## The invariant").unwrap();
            let copy = format!("{before}\n{planted}\n\n## The invariant{after}");
            let line = before.lines().count() + 1;
            let found = bare(&copy);
            assert!(
                !found.is_empty() && found.iter().all(|(at, _)| (line..line + 2).contains(at)),
                "{planted}: {found:?}"
            );
        }
    }

    #[test]
    fn what_is_vouched_for_is_not_bare() {
        let text = "A page takes {{#given 150 ms}}, and `sleep(5 ms)` {{#figure about\ntwice = all-safe: \"x\" 1 / \"y\" 1}} that.\n\n\
            > **Question.** Why 5 ms?\n> Or 6 ms?\n\n<details><summary>How many of 300 ms?</summary>\n\nOf 7 ms.\n\n</details>\n\n## Exercises\n\nTake 5 ms.\n";
        assert_eq!(bare(text), [(9, "7 ms.".to_string())]);
        assert_eq!(filled("a {{#given 150 ms}} b").unwrap(), "a 150 ms b");
        assert!(filled("{{#figure no-recording: \"x\" 1}}").is_err());
    }
}
