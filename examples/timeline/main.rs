//! See a schedule: makes a page out of a trace, to step through it; or a picture.
//!
//! ```text
//! cargo run --release --example rates -- --pairs 5 --trace target/rates.jsonl
//! cargo run --release --example timeline -- target/rates.jsonl
//! ```

#[macro_use]
#[path = "../common/print.rs"]
mod print;
mod page;
mod svg;
mod trace;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use trace::Trace;

/// Make a page out of a trace, to step through it in a browser. The page has everything in it and loads nothing.
#[derive(Parser)]
struct Args {
    /// What an example wrote with --trace FILE, or a program with `Trace::write_json_lines`
    file: PathBuf,
    /// Where to write the page, '-' for standard output [default: FILE with the ending .html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a picture instead of a page, '-' for standard output
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    svg: Option<PathBuf>,
    /// What stands above [default: the name of the file]
    #[arg(long)]
    title: Option<String>,
}

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
            (page::make(&text, &title, &page::sources(&trace)), out)
        }
    };
    if out == Path::new("-") {
        print!("{made}");
        return Ok(());
    }
    fs::write(&out, made).with_context(|| format!("cannot write {}", out.display()))?;
    println!("{}: {} events of {} tasks", out.display(), trace.events.len(), trace.tasks());
    Ok(())
}
