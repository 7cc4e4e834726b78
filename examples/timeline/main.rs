//! See a schedule: makes a page out of a trace, to step through it; or a picture.
//!
//! ```text
//! cargo run --release --example rates -- --pairs 5 --trace rates.jsonl
//! cargo run --release --example timeline -- rates.jsonl
//! ```

mod svg;
mod trace;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::{Map, Value, json};

use trace::{Event, Trace};

/// Make a page out of a trace, to step through it in a browser. The page has everything in it and loads nothing.
#[derive(Parser)]
struct Args {
    /// What an example wrote with --trace FILE, or a program with `Trace::write_json_lines`
    file: PathBuf,
    /// Where to write the page [default: FILE with the ending .html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a picture instead of a page
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    svg: Option<PathBuf>,
    /// What stands above [default: the name of the file]
    #[arg(long)]
    title: Option<String>,
}

/// Lines of program text to show before and after the one that spawned a task.
const AROUND: usize = 5;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let at_fault = || format!("{}", args.file.display());
    let text = fs::read_to_string(&args.file).with_context(at_fault)?;
    let trace = Trace::parse(&text).with_context(at_fault)?;
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let title = args.title.clone().unwrap_or(stem);
    let (made, out) = match &args.svg {
        Some(svg) => (svg::draw(&trace, &title), svg.clone()),
        None => {
            let out = args.out.clone().unwrap_or_else(|| args.file.with_extension("html"));
            (page(&text, &title, &sources(&trace)), out)
        }
    };
    fs::write(&out, made).with_context(|| format!("cannot write {}", out.display()))?;
    println!("{}: {} events of {} tasks", out.display(), trace.events.len(), trace.tasks());
    Ok(())
}

/// The page, with the trace and the program's text in it.
fn page(text: &str, title: &str, sources: &Value) -> String {
    let script = [
        include_str!("model.js"),
        include_str!("words.js"),
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
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The lines around each place that spawned something, where the file can be read from here.
fn sources(trace: &Trace) -> Value {
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
    // A file of another crate has an absolute path, and is none of the reader's.
    let file = Some(Path::new(file)).filter(|file| file.is_relative())?;
    let text = fs::read_to_string(file).ok()?;
    let first = line.saturating_sub(AROUND).max(1);
    let lines: Vec<&str> = text.lines().skip(first - 1).take(line + AROUND + 1 - first).collect();
    Some(json!({ "first": first, "line": line, "lines": lines }))
}
