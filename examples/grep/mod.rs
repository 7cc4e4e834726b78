//! Counts the lines of a text that hold a word: nothing to wait for, only stages that pass lines on.
//!
//! It asks what it costs to cut a program into stages. A loop has none. Between threads every line goes through
//! a channel. Between coroutines it is handed over by a function call.

mod coroutines;
mod sequential;
mod text;
mod threads;

use std::path::PathBuf;

use anyhow::Context;
use clap::builder::NonEmptyStringValueParser;

use crate::common::{Common, Figure, Hash, Meter, Outcome, Size, Style, Workload, source};

/// Count the lines that hold a word, as `cat | grep | wc -l` does; several words at once with several --pattern
#[derive(clap::Parser)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    /// A word to look for; repeat it for more words, each with its own count
    #[arg(long = "pattern", value_name = "WORD", default_value = "whale", value_parser = NonEmptyStringValueParser::new())]
    patterns: Vec<String>,
    /// How many lines of text to make up, always the same ones
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=50_000_000))]
    lines: u64,
    /// Read this text file instead
    #[arg(long, conflicts_with = "lines")]
    file: Option<PathBuf>,
}

pub(crate) static WORKLOAD: Workload = Workload {
    name: "grep",
    question: "What does it cost to cut a program into stages, when there is nothing to wait for?",
    counts: "lines",
    decides: Figure::Cpu,
    because: "nothing waits, so a stage costs processor time only. Stages on several cores can hide that cost in wall time, but not in CPU time.",
    plots: &[Figure::Wall, Figure::Cpu],
    styles: &[
        source(Style::Sequential, "sequential.rs", include_str!("sequential.rs")),
        source(Style::Threads, "threads.rs", include_str!("threads.rs")),
        source(Style::Coroutines, "coroutines.rs", include_str!("coroutines.rs")),
    ],
    cases: |size| match size {
        Size::Quick => vec![300_000],
        Size::Normal => vec![10_000, 100_000, 1_000_000],
        Size::Full => vec![10_000, 100_000, 1_000_000, 5_000_000],
    },
    args: |_size, _style, lines| Some(vec!["--lines".into(), lines.to_string()]),
    command: <Args as clap::CommandFactory>::command,
    run: |matches| run(&<Args as clap::FromArgMatches>::from_arg_matches(matches)?),
};

fn run(args: &Args) -> anyhow::Result<Option<Outcome>> {
    let text = match &args.file {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("--file {}", file.display()))?,
        None => text::make(args.lines),
    };
    let patterns: Vec<&str> = args.patterns.iter().map(String::as_str).collect();

    let meter = Meter::start();
    let counts = match args.common.style {
        Style::Sequential => sequential::count(&text, &patterns),
        Style::Threads => threads::count(&text, &patterns)?,
        Style::Coroutines => coroutines::count(&text, &patterns),
        other => return Err(WORKLOAD.no_style(other)),
    };
    let usage = meter.stop();

    let lines = text.lines().count() as u64;
    let found: Vec<_> = patterns.iter().zip(&counts).map(|(word, n)| format!("'{word}' in {n}")).collect();
    let hash = patterns.iter().zip(&counts).fold(Hash::new(), |hash, (word, count)| {
        hash.and(word.as_bytes()).and(&[0]).and(&count.to_le_bytes())
    });
    Ok(Some(
        Outcome::new(lines, usage)
            .answer_hash(format!("{} of {lines} lines", found.join(", ")), hash)
            .also("ns a line", (usage.wall.as_nanos() as f64 / lines.max(1) as f64).round()),
    ))
}
