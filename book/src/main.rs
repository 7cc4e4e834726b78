//! The book of cotask: builds it, serves it, records what its programs print, and checks that nothing in it has drifted.
//!
//! ```text
//! cargo book -- serve
//! ```

#[macro_use]
#[path = "../../examples/common/print.rs"]
mod print;
mod aids;
mod chapters;
mod check;
mod figures;
mod invariants;
mod layers;
mod list;
mod plan;
mod recordings;
mod render;
mod serve;
mod timeline;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

/// The book of cotask.
#[derive(Parser)]
#[command(name = "cargo book --")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the pages into target/book
    Build,
    /// Build the pages and show them at http://127.0.0.1:PORT; they follow every change when they are loaded again
    Serve {
        /// Where to listen on this machine; 0 takes a free port
        #[arg(long, default_value_t = 3000)]
        port: u16,
    },
    /// Check that nothing in the book has drifted from the repository, and that each chapter is whole
    Check {
        /// Chapters may be missing that the summary only plans
        #[arg(long)]
        drafts: bool,
        /// Do not run what takes seconds: the code in the chapters, and the recorded programs
        #[arg(long)]
        quick: bool,
    },
    /// List which files of src import each other in a circle
    Layers {
        /// List every import between two files as well
        #[arg(long)]
        edges: bool,
        /// Compare the imports with the plan in src/lib.rs, and fail when they contradict it
        #[arg(long)]
        check: bool,
    },
    /// List the chapters: their words, lines of code, recorded runs and timelines
    List,
    /// Run the programs of recordings.toml and keep what they print
    Record {
        /// Only compare: fail when a program prints something else than what is kept
        #[arg(long)]
        check: bool,
        /// Only these recordings
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(&Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<()> {
    // All paths below, and those in traces, are told from the root of the repository.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("this package lies in a repository")?;
    std::env::set_current_dir(root).with_context(|| root.display().to_string())?;
    match command {
        Command::Build => {
            render::build()?;
            println!("{}", Path::new(render::OUT).join("index.html").display());
            Ok(())
        }
        Command::Serve { port } => serve::run(*port),
        Command::Check { drafts, quick } => check::run(*drafts, *quick),
        Command::Layers { check: true, .. } => {
            let faults = plan::faults()?;
            for fault in &faults {
                eprintln!("{fault}");
            }
            ensure!(
                faults.is_empty(),
                "the imports contradict the plan in src/lib.rs: {} faults",
                faults.len()
            );
            println!("every import goes down, and the plan names every file");
            Ok(())
        }
        Command::Layers { edges, .. } => {
            let imports = layers::Imports::read(Path::new("src"))?.edges();
            if *edges {
                for (from, to) in &imports {
                    println!("{} -> {}", from.join("/"), to.join("/"));
                }
            }
            for circle in layers::circles(&imports) {
                let files: Vec<_> = circle.iter().map(|file| file.join("/")).collect();
                println!("{} files import each other in a circle: {}", files.len(), files.join(" "));
            }
            Ok(())
        }
        Command::List => list::run(),
        Command::Record { check, names } => recordings::run(*check, names),
    }
}
