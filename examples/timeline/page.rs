//! The page that the timeline is: one file, with the trace and the texts of the programs in it. The book makes its pages
//! with this file too.

use std::fs;
use std::path::{Component, Path};

use serde_json::{Map, Value, json};

use super::trace::Trace;

/// Lines of program text to show before and after the one that spawned a task.
const AROUND: usize = 5;

/// The page, with the trace and the program's text in it.
pub(crate) fn make(text: &str, title: &str, sources: &Value) -> String {
    let script = [
        include_str!("model.js"),
        include_str!("words.js"),
        include_str!("search.js"),
        include_str!("quiz.js"),
        include_str!("draw.js"),
        include_str!("app.js"),
    ]
    .map(|part| part.replace("\"use strict\";\n", ""))
    .concat();
    let parts = [
        ("{{title}}", escaped(title)),
        ("{{style}}", include_str!("style.css").to_string()),
        // In JSON a `<` stands in strings only, where it may be written so. Then no `</script>` is seen.
        ("{{trace}}", text.trim().replace('<', "\\u003c")),
        ("{{sources}}", sources.to_string().replace('<', "\\u003c")),
        ("{{script}}", format!("\"use strict\";\n{script}")),
    ];
    let mut page = String::new();
    // Not one after the other: what is put in must not be searched again.
    let mut rest = include_str!("page.html");
    while let Some(at) = rest.find("{{") {
        let (mark, part) = parts.iter().find(|(mark, _)| rest[at..].starts_with(mark)).expect("a known mark");
        page.push_str(&rest[..at]);
        page.push_str(part);
        rest = &rest[at + mark.len()..];
    }
    page + rest
}

/// Text as it stands between two tags.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The lines around each place that spawned something, where the file can be read from here.
pub(crate) fn sources(trace: &Trace) -> Value {
    let mut sources = Map::new();
    for place in trace.events.iter().filter_map(|event| event.text("source")) {
        if !sources.contains_key(place)
            && let Some(lines) = lines_around(place)
        {
            sources.insert(place.to_string(), lines);
        }
    }
    Value::Object(sources)
}

fn lines_around(place: &str) -> Option<Value> {
    let mut parts = place.rsplitn(3, ':');
    let (_column, line, file) = (parts.next()?, parts.next()?.parse::<usize>().ok()?, parts.next()?);
    // A file of another crate has an absolute path, and is none of the reader's. Nor is anything else that a trace from
    // elsewhere may name: only a program's text below this folder is read.
    let file = Path::new(file);
    let below = file.components().all(|part| matches!(part, Component::Normal(_)));
    let text =
        fs::read_to_string(Some(file).filter(|file| below && file.extension() == Some("rs".as_ref()))?)
            .ok()?;
    let first = line.saturating_sub(AROUND).max(1);
    let lines: Vec<&str> =
        text.lines().skip(first - 1).take(AROUND + 1 + line.saturating_sub(first)).collect();
    (!lines.is_empty()).then(|| json!({ "first": first, "line": line, "lines": lines }))
}
