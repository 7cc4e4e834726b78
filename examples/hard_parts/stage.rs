//! What the four programs share: a runtime with a virtual clock, so that each run is the same to the byte, and `--trace`.

#![allow(dead_code, reason = "not every program tells the time")]

#[path = "../common/trace_lines.rs"]
mod trace_lines;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use cotask::time::Instant;

/// Runs a program on a virtual clock. With `--trace FILE` its recording goes to that file.
pub fn play<F: Future<Output = ()>>(shows: &'static str, program: F) -> ExitCode {
    play_with(shows, None, |_| program)
}

/// The same for a program with an argument of its own.
pub fn play_with<F: Future<Output = ()>>(
    shows: &'static str,
    own: impl Into<Option<Arg>>,
    program: impl FnOnce(&ArgMatches) -> F,
) -> ExitCode {
    let trace = Arg::new("trace")
        .long("trace")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Write what the runtime did as lines of JSON, for the example `timeline`");
    let matches = Command::new("hard_parts").about(shows).args(own.into()).arg(trace).get_matches();
    let file = matches.get_one::<PathBuf>("trace");

    let runtime = match cotask::Builder::new().virtual_time().trace(100_000).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot make a runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(program(&matches));
    let Some(file) = file else { return ExitCode::SUCCESS };
    match trace_lines::write(&runtime.take_trace(), file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: --trace {}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}

/// Prints a line with the virtual time that has passed since `start`.
pub fn say(start: Instant, what: &str) {
    println!("{:>6} ms  {what}", start.elapsed().as_millis());
}
