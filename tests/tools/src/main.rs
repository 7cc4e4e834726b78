//! Which tool finds which bug: every broken version of the museum, given to a plain test, to stress on real threads, to
//! the same with random pauses or under a sanitizer, to shuttle's two schedulers, to proptest, to cotask's simulator
//! and to loom. Measured anew in each run:
//!
//! ```text
//! cargo run --release -p tools
//! cargo run --release -p tools -- --sanitizers       builds itself once more for each of the two
//! cargo run --release -p tools -- run proptest dropped_permit broken
//!                                                    one tool on one version, and all that it says
//! ```
//!
//! Each attempt runs in a process of its own, which a bug may hang or abort. The right versions are given to every tool
//! as well: none may complain of them.

#![allow(clippy::duplicate_mod, reason = "the museum is here once over each tool's primitives")]

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;
mod attempt;
mod drawn;
#[allow(dead_code, reason = "the loom harness uses all of it")]
#[path = "../../loom/model.rs"]
mod model;
mod on_loom;
mod on_pauses;
mod on_shuttle;
mod on_std;
mod sanitizer;
mod table;
mod tasks;
mod tool;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Which tool finds which bug of the museum")]
struct Args {
    /// Only exhibits with this in their name.
    exhibit: Option<String>,
    /// At most so many runs of an exhibit with each tool but loom.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    runs: u32,
    /// At most so many seconds for one tool and one exhibit; whatever has not ended then hangs.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Also with the sanitizers, for which this program is built twice more, where the compiler can.
    #[arg(long)]
    sanitizers: bool,
    #[command(subcommand)]
    here: Option<Here>,
}

#[derive(Subcommand)]
enum Here {
    /// One tool on one version of an exhibit ("right", or as the table calls it, else "broken"), in this process.
    Run { tool: String, exhibit: String, version: String },
}

/// Before the names of the exhibits in the table of loom.
const MUSEUM: &str = "museum_";

/// What the child prints before each run, so that the parent knows how far it came; what a failure was shrunk to; and
/// when all passed.
const RUN: &str = "run ";
const LEAST: &str = "least ";
const PASSED: &str = "passed";

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let well = match &args.here {
        Some(Here::Run { tool, exhibit, version }) => {
            tool::run(&args, tool, exhibit, version).map(|()| true)?
        }
        None => table::print(&args)?,
    };
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
